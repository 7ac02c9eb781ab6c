"""``kubectl apply``: create, or a three-way patch against what was applied last.

Source: kubernetes/kubectl pkg/cmd/apply, k8s.io/apimachinery pkg/util/strategicpatch, v0.36.1
"""

import json
from typing import Any, Protocol

from gpusched.controllers.protocol import ApiError, Key
from gpusched.sim.kinds import KINDS
from gpusched.sim.patch import MERGE_KEYS
from gpusched.sim.pod import Json

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Verbs(Protocol):
    """What applying asks of an API server, simulated or real."""

    def read(self, kind: str, namespace: str, name: str, /) -> Json:
        """Return an object, or refuse with 404."""
        ...

    def create(self, obj: Json, /) -> Json:
        """Create an object and return it as stored."""
        ...

    def patch(self, kind: str, key: Key, body: Any, /) -> Json:
        """Patch an object strategically and return it as stored."""
        ...


def apply_manifest(api: Verbs, obj: Json) -> str:
    """Apply a manifest; return ``created``, ``configured`` or ``unchanged``."""
    kind, meta = KINDS[obj["kind"]], obj["metadata"]
    noted = _with_note(obj)
    key = (meta.get("namespace", "") if kind.namespaced else "", meta.get("name", ""))
    try:
        live = api.read(kind.name, *key)
    except ApiError as refusal:
        if refusal.code != 404:  # noqa: PLR2004 - HTTP
            raise
        api.create(noted)
        return "created"
    last = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    patch = three_way(json.loads(last) if last else {}, noted, live)
    if not patch:
        return "unchanged"
    api.patch(kind.name, key, patch)
    return "configured"


def lacks_note(api: Verbs, obj: Json) -> bool:
    """Return whether what a manifest is about exists and was not made by applying."""
    kind, meta = KINDS[obj["kind"]], obj["metadata"]
    try:
        live = api.read(
            kind.name, meta.get("namespace", "") if kind.namespaced else "", meta.get("name", "")
        )
    except ApiError:
        return False
    return LAST_APPLIED not in (live["metadata"].get("annotations") or {})


def _with_note(obj: Json) -> Json:
    meta = obj["metadata"]
    notes = {
        name: value
        for name, value in (meta.get("annotations") or {}).items()
        if name != LAST_APPLIED
    }
    bare = {**obj, "metadata": {**meta, "annotations": notes}}
    note = json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    return {**obj, "metadata": {**meta, "annotations": {**notes, LAST_APPLIED: note}}}


def three_way(last: Any, wanted: Any, live: Any) -> Json:
    """Return the patch that brings ``live`` to ``wanted`` and removes what only ``last`` named."""
    patch: Json = {}
    for name, value in wanted.items():
        have = live.get(name)
        if isinstance(value, dict) and isinstance(have, dict):
            inner = three_way(last.get(name) or {}, value, have)
            if inner:
                patch[name] = inner
        elif isinstance(value, list) and isinstance(have, list) and name in MERGE_KEYS:
            inner_list = _list_patch(name, last.get(name) or [], value, have)
            if inner_list:
                patch[name] = inner_list
        elif value != have:
            patch[name] = value
    patch |= {name: None for name in last if name not in wanted and name in live}
    return patch


def _list_patch(name: str, last: list[Any], wanted: list[Any], live: list[Any]) -> list[Any]:
    items = []
    for item in wanted:
        key = next(
            (field for field in MERGE_KEYS[name] if isinstance(item, dict) and field in item), None
        )
        if key is None:
            return wanted if wanted != live else []
        have = next((other for other in live if other.get(key) == item[key]), None)
        before: Json = next((other for other in last if other.get(key) == item[key]), {})
        inner = item if have is None else three_way(before, item, have)
        if inner:
            items.append({**inner, key: item[key]})
    for item in last:
        key = next((field for field in MERGE_KEYS[name] if field in item), None)
        if key is not None and not any(other.get(key) == item[key] for other in wanted):
            items.append({key: item[key], "$patch": "delete"})
    return items
