"""``kubectl get``.

Source: kubernetes/kubectl pkg/cmd/get/get.go, v0.36.1
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from gpusched.kubectl.fields import JsonObject
from gpusched.kubectl.flags import Arguments, Flag, FlagType, parse_flags
from gpusched.kubectl.formats import ObjectPrinter, as_list, is_table, object_printer
from gpusched.kubectl.lookup import Found, Group, Query, resolve
from gpusched.kubectl.output import CommandError, Output, error_text, failed
from gpusched.kubectl.printers import table_of
from gpusched.kubectl.resources import Resource
from gpusched.kubectl.sorting import check_tables, sort_by, sort_rows
from gpusched.kubectl.table import TableOptions, TablePrinter
from gpusched.kubectl.tabwriter import table_writer
from gpusched.kubectl.view import View

FLAGS: Final = (
    Flag("output", short="o"),
    Flag("all-namespaces", FlagType.SWITCH, short="A"),
    Flag("selector", short="l"),
    Flag("field-selector"),
    Flag("label-columns", FlagType.LIST, short="L"),
    Flag("show-labels", FlagType.SWITCH),
    Flag("show-kind", FlagType.SWITCH),
    Flag("sort-by"),
    Flag("no-headers", FlagType.SWITCH),
    Flag("ignore-not-found", FlagType.SWITCH),
    Flag("allow-missing-template-keys", FlagType.SWITCH, default=True),
    Flag("watch", FlagType.SWITCH, short="w"),
    Flag("watch-only", FlagType.SWITCH),
    Flag("output-watch-events", FlagType.SWITCH),
    Flag("server-print", FlagType.SWITCH, default=True),
    Flag("chunk-size", FlagType.NUMBER, default=500),
    Flag("show-managed-fields", FlagType.SWITCH),
)
_WHAT: Final = (
    'You must specify the type of resource to get. Use "kubectl api-resources" for a complete '
    "list of supported resources.\n\nerror: Required resource not specified.\n"
    'Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl '
    "explain pods).\nSee 'kubectl get -h' for help and examples\n"
)


def get(view: View, argv: Sequence[str]) -> Output:
    """Return what ``kubectl get ARGV...`` prints.

    Args:
        view: The objects and the instant.
        argv: The words after ``get``.
    """
    try:
        arguments = parse_arguments(argv)
        if not arguments.positional:
            return Output("", _WHAT, 1)
        found = resolve(view, query_of(arguments))
        if arguments.flags["ignore-not-found"]:
            found.errors.clear()
        if is_table(arguments.flags["output"]):
            return _tables(view, arguments, found)
        return _objects(arguments, found)
    except CommandError as error:
        return failed(error)


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Return the command line taken apart, checked for flags that contradict each other."""
    arguments = parse_flags("kubectl get", FLAGS, argv)
    output = arguments.flags["output"]
    if arguments.flags["show-labels"] and not is_table(output):
        raise CommandError(f"--show-labels option cannot be used with {output} printer")
    watches = arguments.flags["watch"] or arguments.flags["watch-only"]
    if arguments.flags["output-watch-events"] and not watches:
        raise CommandError(
            "--output-watch-events option can only be used with --watch or --watch-only"
        )
    return arguments


def query_of(arguments: Arguments) -> Query:
    """Return what a command line of ``get`` asks for."""
    flags = arguments.flags
    return Query(
        arguments.positional,
        flags["namespace"],
        flags["all-namespaces"],
        flags["selector"],
        flags["field-selector"],
    )


def _tables(view: View, arguments: Arguments, found: Found) -> Output:
    """Return one table per kind, with an empty line between them."""
    flags = arguments.flags
    if flags["sort-by"] and len(found.groups) > 1:
        check_tables(flags["sort-by"])
    several = len({group.resource for group in found.groups}) > 1
    namespaced, texts = False, list[str]()
    for groups in _runs(found.groups):
        resource = groups[0].resource
        namespaced = namespaced or resource.namespaced  # the column stays once it was there
        printer = table_printer(
            resource, arguments, view.now, several=several, namespaced=namespaced
        )
        rows = "".join(printer.text(_rows(group, flags["sort-by"])) for group in groups)
        texts.append(table_writer().align(rows))
    separator = "" if flags["no-headers"] else "\n"
    stdout = separator.join(text for text in texts if text)
    errors = error_text(found.errors)
    if not stdout and not errors and not flags["ignore-not-found"]:
        return Output("", _nothing_found(arguments, found), 0)
    return Output(stdout, errors, 1 if errors else 0)


def _rows(group: Group, field: str) -> list[JsonObject]:
    return (sort_rows(group.objects, field) if field else group.objects) or []


def _runs(groups: Iterable[Group]) -> list[list[Group]]:
    """Return neighbouring groups of one kind together: they share a table."""
    runs: list[list[Group]] = []
    for group in groups:
        if runs and runs[-1][0].resource == group.resource:
            runs[-1].append(group)
        else:
            runs.append([group])
    return runs


def _sorted(objects: list[JsonObject], field: str) -> list[JsonObject]:
    return sort_by(objects, field) if field else objects


def table_printer(
    resource: Resource,
    arguments: Arguments,
    now: int,
    *,
    several: bool = False,
    namespaced: bool = True,
) -> TablePrinter:
    """Return what prints the rows of one kind.

    Args:
        resource: The kind.
        arguments: The command line.
        now: The instant.
        several: Whether names get their kind in front because other kinds are printed too.
        namespaced: Whether ``-A`` puts a column for the namespace in front.
    """
    flags = arguments.flags
    options = TableOptions(
        wide=flags["output"] == "wide",
        no_headers=flags["no-headers"],
        with_namespace=flags["all-namespaces"] and namespaced,
        kind_prefix=f"{resource.prefix}/" if several or flags["show-kind"] else "",
        label_columns=tuple(flags["label-columns"]),
        show_labels=flags["show-labels"],
    )
    return TablePrinter(table_of(resource.kind), options, now)


def _nothing_found(arguments: Arguments, found: Found) -> str:
    namespaced = all(group.resource.namespaced for group in found.groups)
    if namespaced and not arguments.flags["all-namespaces"]:
        return f"No resources found in {arguments.flags['namespace']} namespace.\n"
    return "No resources found\n"


def _objects(arguments: Arguments, found: Found) -> Output:
    """Return the objects themselves, in one of the formats of ``-o``."""
    flags = arguments.flags
    if found.single and found.errors:
        return failed(*found.errors)
    if not found.objects and flags["ignore-not-found"]:
        return Output()
    printer = _printer(flags)
    objects = found.objects
    if found.single:
        return Output(printer(objects[0]))
    try:
        text = printer(as_list(_sorted(objects, flags["sort-by"])))
    except CommandError as error:
        found.errors.append(error)
        text = ""
    return failed(*found.errors, stdout=text)


def _printer(flags: dict[str, Any]) -> ObjectPrinter:
    return object_printer(
        flags["output"],
        no_headers=flags["no-headers"],
        missing=flags["allow-missing-template-keys"],
    )
