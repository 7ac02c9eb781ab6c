"""Objects that differ by their name alone: what the API server makes of the first serves for all.

Nothing of what the server does to a pod or a node (decode, default, admit, validate, encode) looks
at the name, but for the rules of names and, in a node, of labels that hold the name.
"""

import marshal
from typing import Any, Final

from gpusched.api.names import dns_subdomain, label_value
from gpusched.sim.pod import Json

MOST_CONTENTS: Final = 4096
"""How many of them are kept at a time."""
_POD_PARTS: Final = {"apiVersion", "kind", "metadata", "spec"}
_NODE_METADATA: Final = {"name", "labels", "annotations"}
_GIVEN: Final = {"uid", "creationTimestamp", "resourceVersion"}
_NAME: Final = "\0"
"""Stands for the name among labels; no label's value can be that."""


def pod_content(pod: Json) -> bytes | None:
    """Return a pod without its name, if that is all that it is made from."""
    meta = pod.get("metadata")
    if pod.get("kind") != "Pod" or pod.keys() - _POD_PARTS or not isinstance(meta, dict):
        return None
    if not isinstance(meta.get("name"), str):
        return None
    return _as_bytes([pod.get("apiVersion"), {**meta, "name": ""}, pod.get("spec")])


def _as_bytes(value: Any) -> bytes | None:
    """Return a JSON value as bytes, in a form that knows no references; None if it is none.

    A fourth of the time of `json`.
    """
    try:
        return marshal.dumps(value, 2)
    except ValueError:  # nothing that JSON could say
        return None


class Pools:
    """Nodes of one pool: those that others may be copied from."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Json, tuple[str, ...]]] = {}

    def sibling(self, node: Json) -> Json | None:
        """Return a node as a sibling of it was stored, without what only the store gives.

        None if there is no sibling, or the node's name is wrong.
        """
        content = _content(node)
        known = self._known.get(content) if content is not None else None
        if known is None:
            return None
        (stored, named), name = known, node["metadata"]["name"]
        if dns_subdomain(name) or (named and label_value(name)):
            return None
        meta = {**stored["metadata"], "name": name}
        if named:
            meta["labels"] = {**meta["labels"], **dict.fromkeys(named, name)}
        return {**stored, "metadata": meta}

    def keep(self, node: Json, stored: Json) -> None:
        """Let the next siblings of a node be made from what was stored of it."""
        content = _content(node)
        if content is None:
            return
        name = node["metadata"]["name"]
        meta = {field: value for field, value in stored["metadata"].items() if field not in _GIVEN}
        named = tuple(key for key, value in (meta.get("labels") or {}).items() if value == name)
        if len(self._known) >= MOST_CONTENTS:
            self._known.clear()
        self._known[content] = ({**stored, "metadata": meta}, named)


def _content(node: Json) -> bytes | None:
    """Return a node without its name, if that is all that it is made from."""
    meta: Any = node.get("metadata")
    if not isinstance(meta, dict) or not meta.keys() <= _NODE_METADATA:
        return None
    name, labels = meta.get("name"), meta.get("labels")
    rest: Json = {**meta, "name": None}
    if isinstance(labels, dict):
        if _NAME in labels.values():
            return None
        rest["labels"] = {key: _NAME if value == name else value for key, value in labels.items()}
    return _as_bytes({**node, "metadata": rest}) if isinstance(name, str) else None
