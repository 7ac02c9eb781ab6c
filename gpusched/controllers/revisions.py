"""Controller revisions: the numbered history of a StatefulSet's or DaemonSet's template.

Source: kubernetes/kubernetes pkg/controller/history/controller_history.go, v1.36.1
"""

import json
from typing import Any

from gpusched.controllers.protocol import Create, Json, Reader, Update
from gpusched.controllers.references import owner_reference
from gpusched.controllers.template_hash import safe_encode

LABEL = "controller-revision-hash"


def fnv32(data: bytes) -> int:
    """Return the 32-bit FNV-1 hash.

    >>> hex(fnv32(b"a"))
    '0x50c5d7e'
    """
    value = 0x811C9DC5
    for byte in data:
        value = ((value * 0x01000193) & 0xFFFFFFFF) ^ byte
    return value


def revision_hash(template: Json, collisions: int = 0) -> str:
    """Return the hash that names the revision of a defaulted template."""
    raw = json.dumps(
        revision_data(template), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    for sign, escape in (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e")):
        raw = raw.replace(sign, escape)
    return safe_encode(fnv32(f"{raw}{collisions}".encode()))


def revision_data(template: Json) -> Json:
    """Return what a revision keeps: a patch that puts the template back."""
    return {"spec": {"template": {**template, "$patch": "replace"}}}


def ensure_revision(owner: Json, reader: Reader) -> Any:
    """Make the revision of an owner's present template its newest: create it, or number it anew.

    Return its name and hash.
    """
    label = revision_hash(
        owner["spec"]["template"], (owner.get("status") or {}).get("collisionCount", 0)
    )
    meta = owner["metadata"]
    name = f"{meta['name']}-{label}"
    found = reader.get("ControllerRevision", meta["namespace"], name)
    known = reader.owned("ControllerRevision", meta["uid"])
    newest = max((it["revision"] for it in known if it["metadata"]["name"] != name), default=0)
    if found is None:
        yield Create(_revision(owner, name, label, newest + 1))
    elif found["revision"] <= newest:
        yield Update({**found, "revision": newest + 1})
    return name, label


def _revision(owner: Json, name: str, label: str, number: int) -> Json:
    template = owner["spec"]["template"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": name,
            "namespace": owner["metadata"]["namespace"],
            "labels": {**((template.get("metadata") or {}).get("labels") or {}), LABEL: label},
            "ownerReferences": [owner_reference(owner)],
        },
        "data": revision_data(template),
        "revision": number,
    }
