"""The directive ``scenario-fields``: tables of a scenario's fields, made from its JSON Schema.

The schema in ``docs/reference/scenario.schema.json`` is the one that editors use; a test elsewhere
holds it equal to the code's.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SCHEMA = Path(__file__).parents[1] / "reference" / "scenario.schema.json"
Schema = dict[str, Any]


class ScenarioFields(SphinxDirective):
    """Puts one section with a table for each type of the schema."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        self.env.note_dependency(str(SCHEMA))
        text = fields(json.loads(SCHEMA.read_text(encoding="utf-8")))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def fields(schema: Schema) -> str:
    """Return the schema's types as Markdown: the document first, then the others by name."""
    blocks = [_block("ScenarioDocument", schema, 3)]
    for name, part in sorted(schema.get("$defs", {}).items()):
        if "properties" in part:
            blocks.append(_block(name, part, 3))
    return "\n\n".join(blocks) + "\n"


def _block(name: str, part: Schema, level: int) -> str:
    required = set(part.get("required", ()))
    rows = [
        f"| `{field}`{' (required)' if field in required else ''} | {_type(about)} | "
        f"{_default(about)} | {_prose(about)} |"
        for field, about in part["properties"].items()
    ]
    head = (f"{'#' * level} {name}", "", _prose(part), "")
    return "\n".join((*head, "| field | type | default | meaning |", "|---|---|---|---|", *rows))


def _prose(about: Schema) -> str:
    return (
        str(about.get("description", "")).replace("``", "`").replace("\n", " ").replace("|", "\\|")
    )


def _default(about: Schema) -> str:
    value = about.get("default")
    return "" if value in (None, [], {}) else f"`{json.dumps(value)}`"


def _type(about: Schema) -> str:
    return " or ".join(dict.fromkeys(_types(about))) or "any"


def _types(about: Schema) -> Iterator[str]:
    if "$ref" in about:
        name = about["$ref"].rsplit("/", 1)[-1]
        yield f"[{name}](#{name.lower()})"
    elif "enum" in about:
        yield from (f"`{value}`" for value in about["enum"])
    elif "const" in about:
        yield f"`{about['const']}`"
    elif about.get("type") == "array":
        yield f"list of {_type(about.get('items', {}))}"
    elif "anyOf" in about or "oneOf" in about:
        for option in about.get("anyOf", about.get("oneOf", ())):
            yield from _types(option)
    elif about.get("type") not in (None, "null"):
        yield "duration" if "examples" in about else str(about["type"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("scenario-fields", ScenarioFields)
    return {"parallel_read_safe": True}
