"""The JSON Schema of a scenario's file, with what the docstrings under the fields say.

The docstrings are read here and not when the models are made, for reading source code takes time
that each run would pay.
"""

import ast
import inspect
from collections import ChainMap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from gpusched.api.meta import wire_name
from gpusched.api.scenario import actions, document, durations
from gpusched.api.scenario.document import ScenarioDocument

Json = dict[str, Any]


def schema() -> Json:
    """Return the JSON Schema of a scenario's file."""
    result: Json = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ScenarioDocument.model_json_schema(by_alias=True),
        "title": "Scenario (gpusched.dev/v1alpha1)",
    }
    described: dict[str, dict[str, str]] = {}
    for module in (actions, document, durations):
        for node in ast.parse(Path(inspect.getfile(module)).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                inherited = [described.get(ast.unparse(base), {}) for base in node.bases]
                described[node.name] = {**ChainMap(*inherited), **dict(_described(node))}
    for name, definition in {"ScenarioDocument": result, **result["$defs"]}.items():
        for field, description in described.get(name, {}).items():
            definition["properties"][field].setdefault("description", description)
    return result


def _described(model: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Yield the fields of a class, by their wire names, with the docstrings under them."""
    for field, after in pairwise(model.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = _text(after)
            if text:
                yield wire_name(field.target.id), text


def _text(node: ast.stmt) -> str:
    """Return a statement's text if it is nothing but a string."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return inspect.cleandoc(str(node.value.value))
    return ""
