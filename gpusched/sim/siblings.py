"""Objects that differ by their name alone: what the API server makes of the first serves for all.

Nothing of what the server does to a pod or a node (decode, default, admit, validate, encode) looks
at the name, but for the rules of names and, in a node, of labels that hold the name.
"""

from typing import Any, Final

from gpusched.api.likeness import as_bytes, named_labels, nameless, renamed
from gpusched.api.names import dns_subdomain, label_value
from gpusched.sim.pod import Json

MOST_CONTENTS: Final = 4096
"""How many of them are kept at a time."""
_POD_PARTS: Final = {"apiVersion", "kind", "metadata", "spec"}
_NODE_METADATA: Final = {"name", "labels", "annotations"}
_GIVEN: Final = {"uid", "creationTimestamp", "resourceVersion"}


def pod_content(pod: Json) -> bytes | None:
    """Return a pod without its name, if that is all that it is made from."""
    meta = pod.get("metadata")
    if pod.get("kind") != "Pod" or pod.keys() - _POD_PARTS or not isinstance(meta, dict):
        return None
    if not isinstance(meta.get("name"), str):
        return None
    return as_bytes([pod.get("apiVersion"), {**meta, "name": ""}, pod.get("spec")])


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
        return renamed(stored, name, named)

    def keep(self, node: Json, stored: Json) -> None:
        """Let the next siblings of a node be made from what was stored of it."""
        content = _content(node)
        if content is None:
            return
        meta = {field: value for field, value in stored["metadata"].items() if field not in _GIVEN}
        named = named_labels(meta)
        if len(self._known) >= MOST_CONTENTS:
            self._known.clear()
        self._known[content] = ({**stored, "metadata": meta}, named)


def _content(node: Json) -> bytes | None:
    """Return a node without its name, if that is all that it is made from."""
    meta: Any = node.get("metadata")
    if not isinstance(meta, dict) or not meta.keys() <= _NODE_METADATA:
        return None
    return nameless(node)
