"""Write the facts into ``docs/reference/plugins.md``: everything there that the code knows itself.

The page is prose (rules and formulas) with a block of facts per plugin, between the comments
``<!-- facts: NAME -->`` and ``<!-- end -->``. This replaces the blocks; the prose stays. A test
fails while a block is stale.

Run as ``python -m tools.plugin_reference`` from the repository's folder.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from inspect import getfile
from pathlib import Path
from typing import Final

from gpusched.api.config import PluginArgs, default_configuration
from gpusched.api.config.extension_points import IN_TREE_PLUGINS, ExtensionPoint
from gpusched.kube.framework.events import Action, ClusterEvent, EnqueueExtensions, EventHint
from gpusched.kube.framework.interface import Plugin
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.nominator import Nominator
from gpusched.kube.plugins import IN_TREE
from tools.mutants import sites

_ROOT: Final = Path(__file__).parents[1]
PAGE: Final = _ROOT / "docs/reference/plugins.md"
_PROFILE: Final = default_configuration().profiles[0]
_SHARED: Final = (_ROOT / "gpusched/cluster/volume_claims.py", ("VolumeBinding", "VolumeZone"))
"""A module whose texts several plugins say."""

_BLOCK: Final = re.compile(r"(<!-- facts: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SOURCE: Final = re.compile(r"Source: kubernetes/(.*?),\s+v[01]\.\d+\.\d+", re.DOTALL)
_UNPREPARED: Final = re.compile("cycle-?state", re.IGNORECASE)
"""A plugin that is asked without its preparation says so; it cannot happen in a cycle."""

_NO_MESSAGES: Final = frozenset(
    {"not found", "declared features", "label or empty", "to come: <namespace>/<name>"}
)
"""Keys, and endings of the texts above."""

_WIRE_NAMES: Final = {
    "strategy": "scoringStrategy.type",
    "resources": "scoringStrategy.resources",
    "shape": "scoringStrategy.requestedToCapacityRatio.shape",
}
"""Arguments of NodeResourcesFit that stand deeper in the YAML."""


def plugins() -> dict[str, Plugin]:
    """Return the plugins of the default profile, in the order of the registry."""
    built = Framework(_PROFILE, IN_TREE, Nominator()).plugins
    return {name: built[name] for name in IN_TREE}


def modules_of(plugin: Plugin) -> list[Path]:
    """Return the files of a plugin: one, or all of its package."""
    file = Path(getfile(type(plugin)))
    others = file.parent.glob("*.py") if file.parent.name != "plugins" else ()
    return list(dict.fromkeys([file, *sorted(others)]))


def messages(plugin: Plugin) -> list[str]:
    """Return the texts that a plugin may give, with <names> for what is put in.

    CEL's own errors are left out: they are those of the language.
    """
    modules = [module for module in modules_of(plugin) if not module.name.startswith("cel")]
    if plugin.name in _SHARED[1]:
        modules.append(_SHARED[0])
    found = (text for module in modules for text in _texts(ast.parse(module.read_text())))
    said = (text for text in found if " " in text.strip(" ,") and not _UNPREPARED.search(text))
    return [text for text in dict.fromkeys(said) if text not in _NO_MESSAGES]


def _texts(tree: ast.Module) -> Iterator[str]:
    """Yield every text that is no docstring, annotation, assertion or key of a memo."""
    constants = _constants(tree)
    inside: set[ast.AST] = set()
    for node in sites(tree):
        if node in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            inside.update(ast.walk(node))
            yield "".join(_part(part, constants) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _constants(tree: ast.Module) -> dict[str, str]:
    """Return the module's texts by name."""
    return {
        ast.unparse(node.target): node.value.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def _part(part: ast.expr, constants: Mapping[str, str]) -> str:
    """Return a piece of an f-string; what is put in goes by the last name in its expression."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    expression = ast.unparse(part.value)
    if expression in constants:
        return constants[expression]
    name = re.findall(r"[A-Za-z]\w*", expression)[-1]
    return "<resource>" if name == "row" else f"<{name}>"


def facts(plugin: Plugin) -> str:
    """Return a plugin's block of facts, as Markdown."""
    rows = [
        ("Extension points", _points(plugin.name)),
        ("Weight", str(_PROFILE.score_weights.get(plugin.name, "-"))),
        ("Arguments", _arguments(plugin.name) or "none"),
        ("Retried after", "<br>".join(_hints(plugin)) or "nothing of its own"),
        ("Source", _source(plugin)),
    ]
    table = "".join(f"| {name} | {value} |\n" for name, value in rows if value != "-")
    said = "".join(f"* `{text}`\n" for text in messages(plugin))
    return f"\n| | |\n|---|---|\n{table}\n" + (f"Messages:\n\n{said}\n" if said else "")


def _points(name: str) -> str:
    return ", ".join(point.value for point in ExtensionPoint if point in IN_TREE_PLUGINS[name])


def _arguments(name: str) -> str:
    args = _PROFILE.args.get(name)
    if args is None:
        return ""
    deeper = _WIRE_NAMES if name == "NodeResourcesFit" else {}
    return "<br>".join(
        f"`{deeper.get(field.name) or _wire(field.name)}`: {_shown(args, field.name)}"
        for field in fields(args)
    )


def _wire(name: str) -> str:
    first, *rest = name.removesuffix("_us").split("_")
    return first + "".join(part.title() for part in rest)


def _shown(args: PluginArgs, field: str) -> str:
    value = getattr(args, field)
    if field.endswith("_us"):
        return f"{value // 1_000_000}s"
    if isinstance(value, tuple):
        return ", ".join(f"{each.name} ({each.weight})" for each in value) or "none"
    return "none" if value is None else str(value).lower() if value is False else str(value)


def _hints(plugin: Plugin) -> Iterator[str]:
    if not isinstance(plugin, EnqueueExtensions):
        return
    lead = (plugin.events_to_register.__doc__ or "See").partition("\n")[0]
    if not lead.startswith("See"):
        yield lead
    for registration in plugin.events_to_register():
        yield f"{_event(registration.event)}{_condition(registration)}"


def _event(event: ClusterEvent) -> str:
    whole = Action.UPDATE if Action.UPDATE in event.action else Action(0)
    single = [action for action in Action if action in event.action and not action & whole]
    parts = ["Update"] if whole else []
    parts += ["".join(map(str.title, (each.name or "").split("_"))) for each in single]
    return f"`{event.resource.value}`: {', '.join(sorted(parts))}"


def _condition(registration: EventHint) -> str:
    """Return the hint's name in words: what must hold."""
    name = getattr(registration.hint, "__name__", "").strip("_")
    return f" (if: {name.replace('_', ' ')})" if name.isidentifier() else ""


def _source(plugin: Plugin) -> str:
    texts = [type(plugin).__doc__ or "", *(module.read_text() for module in modules_of(plugin))]
    for text in texts:
        if (found := _SOURCE.search(text)) is not None:
            return f"`{' '.join(found[1].split()).replace('/ ', '/')}`"
    return "-"


def renewed(page: str) -> str:
    """Return the page with fresh facts."""
    built = plugins()
    return _BLOCK.sub(lambda block: block[1] + facts(built[block[2]]) + block[3], page)


def described(page: str) -> Iterable[str]:
    """Return the plugins that have a block on the page."""
    return [block[2] for block in _BLOCK.finditer(page)]


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
