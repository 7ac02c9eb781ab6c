"""The JSON Schema of a scenario's file, with what the docstrings under the fields say.

The docstrings are read here and not when the models are made, for reading source code takes time
that each run would pay.
"""

import ast
import inspect
from collections.abc import Iterator
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
    described = {
        name: fields
        for module in (actions, document, durations)
        for name, fields in _described(Path(inspect.getfile(module)))
    }
    for name, definition in {"ScenarioDocument": result, **result["$defs"]}.items():
        for field, description in described.get(name, {}).items():
            definition["properties"][field].setdefault("description", description)
    return result


def _described(source: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each class of a module with the docstrings under its fields, by their wire names."""
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ClassDef):
            continue
        fields = {}
        for field, after in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                text = _text(after)
                if text:
                    fields[wire_name(field.target.id)] = text
        yield node.name, fields


def _text(node: ast.stmt) -> str:
    """Return a statement's text if it is nothing but a string."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return inspect.cleandoc(str(node.value.value))
    return ""
