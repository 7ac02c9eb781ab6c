"""The three patch formats that the API server takes.

JSON patch, merge patch, strategic merge patch.

Every function returns a new value and leaves its arguments alone.
"""

from collections.abc import Mapping
from typing import Any

from gpusched.controllers.protocol import ApiError

MERGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "volumeMounts": ("mountPath",),
    "conditions": ("type",),
    "addresses": ("type",),
    "topologySpreadConstraints": ("topologyKey",),
    "ownerReferences": ("uid",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "podIPs": ("ip",),
    "schedulingGates": ("name",),
    "resourceClaims": ("name",),
    "ports": ("containerPort", "port"),
}
"""Lists that a strategic merge patch merges by an item's key; every other list is replaced whole.

Source: the ``patchMergeKey`` tags of k8s.io/api core/v1 and apps/v1, v0.36.1
"""
_REJECTED = "the server rejected our request due to an error in our request"
_UNIONS = ("finalizers",)
_CHANGES = ("add", "remove", "replace")


def apply_patch(obj: Any, patch: Any, kind: str) -> Any:
    """Apply a patch.

    Args:
        obj: A JSON object.
        patch: The patch's body.
        kind: ``json``, ``merge`` or ``strategic``.

    Raises:
        ApiError: The patch is none, or does not fit the object.
    """
    if kind == "json":
        try:
            for operation in patch:
                obj = _operate(obj, operation)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise ApiError(422, "Invalid", _REJECTED) from None
        return obj
    return merge(obj, patch) if kind == "merge" else strategic(obj, patch)


def merge(obj: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7386): null deletes, objects merge, the rest replaces.

    >>> merge({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, Mapping):
        return patch
    out = dict(obj) if isinstance(obj, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = merge(out.get(name), value)
    return out


def strategic(obj: Any, patch: Any) -> Any:
    """Apply a strategic merge patch; of its directives ``$setElementOrder`` is ignored.

    >>> old, new = {"name": "a", "image": "x"}, {"name": "a", "image": "y"}
    >>> strategic({"containers": [old]}, {"containers": [new]})
    {'containers': [{'name': 'a', 'image': 'y'}]}
    """
    if not isinstance(patch, Mapping):
        return patch
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    out = dict(obj) if isinstance(obj, Mapping) else {}
    if "$retainKeys" in patch:
        out = {name: value for name, value in out.items() if name in patch["$retainKeys"]}
    for name, value in patch.items():
        if not name.startswith("$"):
            _strategic_field(out, name, value)
    for name, gone in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.partition("/")[2]
            out[field] = [item for item in out.get(field, ()) if item not in gone]
    return out


def _strategic_field(out: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        out.pop(name, None)
    elif isinstance(value, list) and name in _UNIONS:
        out[name] = [*out.get(name, ()), *(item for item in value if item not in out.get(name, ()))]
    elif isinstance(value, list) and _mergeable(name, value):
        out[name] = _merge_lists(out.get(name) or [], value, MERGE_KEYS[name])
    elif isinstance(value, Mapping):
        out[name] = strategic(out.get(name), value)
    else:
        out[name] = value


def _mergeable(name: str, items: list[Any]) -> bool:
    return name in MERGE_KEYS and all(isinstance(item, Mapping) for item in items)


def _merge_lists(old: list[Any], patch: list[Any], keys: tuple[str, ...]) -> list[Any]:
    if any(item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if "$patch" not in item]
    out = list(old)
    for item in patch:
        key = next((name for name in keys if name in item), keys[0])
        index = next((i for i, have in enumerate(out) if have.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            out = [have for have in out if have.get(key) != item.get(key)]
        elif index is None:
            out.append({name: value for name, value in item.items() if not name.startswith("$")})
        else:
            out[index] = strategic(out[index], item)
    return out


def _operate(obj: Any, operation: Mapping[str, Any]) -> Any:
    """Apply one operation of a JSON patch (RFC 6902)."""
    path = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    if operation["op"] == "test":
        if _look_up(obj, path) != operation.get("value"):
            raise ApiError(
                422,
                "Invalid",
                f"{_REJECTED}: testing {operation['path']}",
            )
        return obj
    if operation["op"] in ("move", "copy"):
        source = [
            part.replace("~1", "/").replace("~0", "~") for part in operation["from"].split("/")[1:]
        ]
        value = _look_up(obj, source)
        if operation["op"] == "move":
            obj = _edit(obj, source, "remove", None)
        return _edit(obj, path, "add", value)
    if operation["op"] != "add":
        _look_up(obj, path)
    if operation["op"] not in _CHANGES:
        raise ApiError(422, "Invalid", _REJECTED)
    return _edit(obj, path, operation["op"], operation.get("value"))


def _look_up(obj: Any, path: list[str]) -> Any:
    for part in path:
        try:
            obj = obj[int(part)] if isinstance(obj, list) else obj[part]
        except (KeyError, IndexError, ValueError, TypeError):
            raise ApiError(422, "Invalid", _REJECTED) from None
    return obj


def _edit(obj: Any, path: list[str], op: str, value: Any) -> Any:
    if not path:
        return value
    head, rest = path[0], path[1:]
    copy = list(obj) if isinstance(obj, list) else dict(obj or {})
    if rest:
        index: Any = int(head) if isinstance(copy, list) else head
        copy[index] = _edit(_look_up(copy, [head]), rest, op, value)
    elif isinstance(copy, list):
        _edit_list(copy, head, op, value)
    elif op == "remove":
        copy.pop(head)
    else:
        copy[head] = value
    return copy


def _edit_list(items: list[Any], head: str, op: str, value: Any) -> None:
    if op == "add":
        items.insert(len(items) if head == "-" else int(head), value)
    elif op == "remove":
        items.pop(int(head))
    else:
        items[int(head)] = value
