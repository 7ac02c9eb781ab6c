"""``-o``: which format is asked for, and the formats that print objects as they are.

Source: kubernetes/kubectl pkg/cmd/get/{get,get_flags,customcolumn}.go and kubernetes/cli-runtime
pkg/printers, v0.36.1
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from gpusched.kubectl.fields import JsonObject, name_of
from gpusched.kubectl.go_format import escape_terminal, go_syntax, json_text, quote, sprint
from gpusched.kubectl.jsonpath import JsonPathError, Template
from gpusched.kubectl.output import CommandError
from gpusched.kubectl.tabwriter import table_writer
from gpusched.kubectl.yaml_text import to_yaml

ObjectPrinter: TypeAlias = Callable[[JsonObject], str]
"""Turns an object, or a ``List`` of them, into text."""

_ALLOWED: Final = (
    "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,"
    "jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml"
)
_RELAXED: Final = re.compile(r"\{\.?([^{}]+)\}|\.?([^{}]+)")
_NO_COLUMNS: Final = "custom-columns format specified but no custom columns given"
_NO_TEMPLATE: Final = "template format specified but no template given"


def is_table(output: str) -> bool:
    """Return whether ``-o output`` prints a table that the API server made."""
    return output in ("", "wide")


def no_such_format(output: str, allowed: str = _ALLOWED) -> CommandError:
    """Return the complaint about a value of ``-o`` that a command does not know."""
    return CommandError(
        f"unable to match a printer suitable for the output format {quote(output)}, "
        f"allowed formats are: {allowed}"
    )


def object_printer(output: str, *, no_headers: bool = False, missing: bool = True) -> ObjectPrinter:
    """Return what prints objects for ``-o output``.

    Args:
        output: The value of ``-o``, e.g. ``jsonpath={.items[*].kind}``.
        no_headers: Whether custom columns go without headings.
        missing: Whether a JSONPath template may name keys that are not there.

    Raises:
        CommandError: There is no such format, or its template is malformed.
    """
    format_name, _, template = output.partition("=")
    if output in ("json", "yaml", "name"):
        return {"json": _print_json, "yaml": _print_yaml, "name": _print_names}[output]
    if format_name in ("jsonpath", "jsonpath-as-json"):
        return _jsonpath_printer(format_name, template, missing=missing)
    if format_name == "custom-columns":
        return _columns_printer(template, no_headers=no_headers)
    raise no_such_format(output)


def _without_managed_fields(obj: JsonObject) -> JsonObject:
    """Return ``obj`` without the bookkeeping that kubectl hides unless asked."""
    shown = dict(obj)
    if "items" in obj:
        shown["items"] = [_without_managed_fields(item) for item in obj["items"]]
    if "managedFields" in (obj.get("metadata") or {}):
        shown["metadata"] = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
    return shown


def _print_json(obj: JsonObject) -> str:
    return json_text(_without_managed_fields(obj), indent=4) + "\n"


def _print_yaml(obj: JsonObject) -> str:
    return to_yaml(_without_managed_fields(obj))


def _print_names(obj: JsonObject) -> str:
    return "".join(f"{_qualified_kind(item)}/{name_of(item)}\n" for item in _items(obj))


def _qualified_kind(obj: JsonObject) -> str:
    group = obj["apiVersion"].rpartition("/")[0]
    kind = obj["kind"].lower()
    return f"{kind}.{group}" if group else kind


def _items(obj: JsonObject) -> list[JsonObject]:
    return obj["items"] if obj["kind"] == "List" else [obj]


def _jsonpath_printer(format_name: str, template: str, *, missing: bool) -> ObjectPrinter:
    if not template:
        raise CommandError(_NO_TEMPLATE)
    try:
        parsed = Template(template, missing_allowed=missing)
    except JsonPathError as error:
        raise CommandError(f"error parsing jsonpath {template}, {error}") from None
    render = parsed.render_json if format_name == "jsonpath-as-json" else parsed.render

    def printer(obj: JsonObject) -> str:
        try:
            return render(obj)
        except JsonPathError as error:
            raise CommandError(_execution_failure(template, error, obj)) from None

    return printer


def _execution_failure(template: str, error: JsonPathError, obj: JsonObject) -> str:
    return (
        f"error executing jsonpath {quote(template)}: Error executing template: {error}. "
        "Printing more information for debugging the template:\n"
        f"\ttemplate was:\n\t\t{template}\n"
        f"\tobject given to jsonpath engine was:\n\t\t{go_syntax(obj)}\n\n\n"
    )


def relaxed_path(expression: str) -> str:
    """Return a path given as ``a.b``, ``.a.b`` or ``{a.b}`` as the template ``{.a.b}``.

    Raises:
        CommandError: It is none of these.
    """
    found = _RELAXED.fullmatch(expression)
    if expression and not found:
        raise CommandError(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' "
            "or '{.name1.name2}'"
        )
    return f"{{.{found[1] or found[2]}}}" if found else expression


@dataclass(frozen=True, slots=True)
class _CustomColumn:
    heading: str
    path: Template

    def cell(self, obj: JsonObject) -> str:
        results = self.path.find(obj)
        values = [escape_terminal(sprint(value)) for found in results for value in found]
        if not results or not results[0]:
            values.insert(0, "<none>")
        return ",".join(values)


def _columns_printer(spec: str, *, no_headers: bool) -> ObjectPrinter:
    if not spec:
        raise CommandError(_NO_COLUMNS)
    columns = [_custom_column(part) for part in spec.split(",")]

    def printer(obj: JsonObject) -> str:
        lines: list[list[str]] = [] if no_headers else [[column.heading for column in columns]]
        try:
            lines += [[column.cell(item) for column in columns] for item in _items(obj)]
        except JsonPathError as error:
            raise CommandError(str(error)) from None
        return table_writer().align("".join("\t".join(line) + "\n" for line in lines))

    return printer


def _custom_column(part: str) -> _CustomColumn:
    heading, colon, path = part.partition(":")
    if not colon:
        raise CommandError(
            f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
        )
    relaxed = relaxed_path(path)
    try:
        return _CustomColumn(heading, Template(relaxed))
    except JsonPathError as error:
        raise CommandError(str(error)) from None


def as_list(objects: list[JsonObject]) -> dict[str, Any]:
    """Return objects as the ``List`` in which kubectl wraps several of them."""
    meta = {"resourceVersion": ""}
    return {"apiVersion": "v1", "items": objects, "kind": "List", "metadata": meta}
