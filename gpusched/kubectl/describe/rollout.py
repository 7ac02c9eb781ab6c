"""Which ReplicaSets belong to a Deployment, and which of them is the current one.

Source: kubernetes/kubectl pkg/util/deployment/deployment.go, v0.36.1
"""

from typing import Any

from gpusched.kubectl.fields import (
    JsonObject,
    controller_of,
    dig,
    labels_of,
    mapping,
    name_of,
    namespace_of,
    text,
)
from gpusched.kubectl.selectors import of_object
from gpusched.kubectl.view import View, listing

_HASH = "pod-template-hash"


def replica_sets_of(
    view: View, deployment: JsonObject
) -> tuple[list[JsonObject], list[JsonObject]]:
    """Return a Deployment's old ReplicaSets, oldest first, and its current one (or none)."""
    selector = of_object(dig(deployment, "spec", "selector"))
    uid = text(deployment, "metadata", "uid")
    owned = [
        one
        for one in listing(view, "ReplicaSet", namespace_of(deployment))
        if selector.matches(labels_of(one)) and text(controller_of(one), "uid") == uid
    ]
    owned.sort(key=lambda one: (text(one, "metadata", "creationTimestamp"), name_of(one)))
    wanted = _without_hash(deployment)
    current = next((one for one in owned if _without_hash(one) == wanted), None)
    old = [one for one in owned if one is not current]
    return old, [] if current is None else [current]


def _without_hash(obj: JsonObject) -> tuple[Any, Any, Any]:
    """Return what makes two pod templates the same: all but the label that tells them apart."""
    template = mapping(obj, "spec", "template")
    labels = {k: v for k, v in labels_of(template).items() if k != _HASH}
    return labels, mapping(template, "metadata", "annotations"), template.get("spec")
