"""``kubectl cordon, uncordon, label, taint``.

Source: kubernetes/kubectl pkg/cmd/{drain,label,taint}, v0.36.1
"""

from collections.abc import Sequence

from gpusched.controllers.protocol import Json
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.kinds import KINDS, Kind
from gpusched.timeline.answers import Work, key_in, kind_named, node_names, said, selected
from gpusched.timeline.arguments import Arguments, UsageError
from gpusched.timeline.refusals import is_change


def cordon(plane: ControlPlane, given: Arguments, *, desired: bool) -> Work:
    """Mark nodes as unschedulable, or no longer so."""
    verb = "cordoned" if desired else "uncordoned"
    out = []
    names = node_names(given)
    for name in names:
        plane.api.read("Node", "", name)  # one that is missing keeps all as they are
    for name in names:
        node = plane.api.read("Node", "", name)
        already = bool((node.get("spec") or {}).get("unschedulable")) == desired
        if not already:
            body = {"spec": {"unschedulable": True if desired else None}}
            plane.api.patch("Node", ("", name), body)
        out.append(f"node/{name} {'already ' if already else ''}{verb}\n")
        yield None
    return said("".join(out))


def label(plane: ControlPlane, given: Arguments) -> Work:
    """Set and remove labels."""
    kind = kind_named(given.words[0])
    names, changes = _split_changes(plane, kind, given, "label")
    removed = [change.rstrip("-") for change in changes if change.endswith("-")]
    values = dict(change.split("=", 1) for change in changes if not change.endswith("-"))
    out = []
    for name in names:
        key = key_in(kind, name, given)
        labels = plane.api.read(kind.name, *key)["metadata"].get("labels") or {}
        _check_overwriting(labels, values, given)
        body = {"metadata": {"labels": {**dict.fromkeys(removed), **values}}}
        plane.api.patch(kind.name, key, body, "merge")
        out.append(_label_report(kind, name, labels, values, removed))
        yield None
    return said("".join(out))


def _check_overwriting(labels: Json, values: Json, given: Arguments) -> None:
    for name, value in values.items():
        if name in labels and labels[name] != value and given.flag("overwrite") != "true":
            has = f"'{name}' already has a value ({labels[name]})"
            raise UsageError(f"error: {has}, and --overwrite is false\n")


def _label_report(kind: Kind, name: str, had: Json, values: Json, removed: Sequence[str]) -> str:
    missing = [f'label "{label}" not found.\n' for label in removed if label not in had]
    changed = any(had.get(label) != value for label, value in values.items())
    gone = any(label in had for label in removed)
    verb = "labeled" if changed else "unlabeled" if gone else "not labeled"
    return "".join(missing) + f"{kind.singular}/{name} {verb}\n"


def taint(plane: ControlPlane, given: Arguments) -> Work:
    """Set and remove taints."""
    names, changes = _split_changes(plane, KINDS["Node"], given, "taint")
    out = []
    for name in names:
        node = plane.api.read("Node", "", name)
        before = list((node.get("spec") or {}).get("taints") or ())
        after, added, removed = _tainted(before, changes, name, given)
        plane.api.patch("Node", ("", name), {"spec": {"taints": after or None}})
        if given.switch("overwrite") or (added and removed):
            verb = "modified"
        else:
            verb = "tainted" if added else "untainted"
        out.append(f"node/{name} {verb}\n")
        yield None
    return said("".join(out))


def _split_changes(
    plane: ControlPlane, kind: Kind, given: Arguments, verb: str
) -> tuple[list[str], list[str]]:
    """Return the names and the changes among a command's words."""
    words = given.words[1:]
    changes = [word for word in words if is_change(verb, word)]
    if given.selects:
        return selected(plane, kind, given), changes
    return [word for word in words if word not in changes], changes


def _tainted(
    taints: list[Json], changes: Sequence[str], node: str, given: Arguments
) -> tuple[list[Json], int, int]:
    """Return the taints after the changes, new ones first, and how many were added and removed."""
    additions = [change for change in changes if not change.endswith("-")]
    new = [_new_taint(taints, change, node, given) for change in additions]
    marks = [(item["key"], item["effect"]) for item in new]
    after = [*new, *(item for item in taints if (item["key"], item["effect"]) not in marks)]
    before = len(after)
    for change in changes:
        if change.endswith("-"):
            after = _without_taint(after, change.rstrip("-"))
    return after, len(new), before - len(after)


def _without_taint(taints: list[Json], change: str) -> list[Json]:
    pair, _, effect = change.partition(":")
    key = pair.partition("=")[0]
    kept = [item for item in taints if item["key"] != key or (effect and item["effect"] != effect)]
    if len(kept) == len(taints):
        raise UsageError(f'error: taint "{key}{f":{effect}" if effect else ""}" not found\n')
    return kept


def _new_taint(taints: Sequence[Json], change: str, node: str, given: Arguments) -> Json:
    pair, _, effect = change.partition(":")
    key, _, value = pair.partition("=")
    same = [item for item in taints if item["key"] == key and item["effect"] == effect]
    if same and given.flag("overwrite") != "true":
        has = f"node {node} already has {key} taint(s) with same effect(s)"
        raise UsageError(f"error: {has} and --overwrite is false\n")
    return {"key": key, **({"value": value} if value else {}), "effect": effect}
