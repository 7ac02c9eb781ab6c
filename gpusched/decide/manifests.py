"""A case made of plain manifests: what would Kubernetes do with these pods on this cluster?"""

from collections.abc import Mapping, Sequence
from typing import Any

from gpusched.api.admission.denied import Denied
from gpusched.api.admission.priority import (
    PriorityClasses,
    set_priority,
    system_priority_classes,
)
from gpusched.api.scheme import kind_of
from gpusched.decide.case import MalformedCaseError

Json = Mapping[str, Any]


def case_of_manifests(
    objects: Sequence[Json],
    pending: Sequence[Json] | None = None,
    config: str = "",
) -> dict[str, Any]:
    """Return the case of some manifests, as JSON.

    Args:
        objects: What is in the cluster; kinds that no scheduler reads are left out.
        pending: The pods to decide, in order. None: the unbound pods among the objects.
        config: A KubeSchedulerConfiguration document; empty for the default.

    Raises:
        MalformedCaseError: Something that is to be decided is not a pod, or has a priority class
            that is not there.
    """
    known = [obj for obj in objects if kind_of(obj) is not None]
    if pending is None:
        pending = [obj for obj in known if _is_unbound_pod(obj)]
        known = [obj for obj in known if not _is_unbound_pod(obj)]
    classes = system_priority_classes() | {
        obj["metadata"]["name"]: dict(obj) for obj in objects if obj.get("kind") == "PriorityClass"
    }
    for at, obj in enumerate(pending):
        if obj.get("kind") != "Pod":
            kind = obj.get("kind") or "nothing known"
            raise MalformedCaseError(f"pending[{at}]: only a Pod can be decided, this is {kind}")
    return {
        "name": "manifests",
        "config": config,
        "objects": [_with_priority(obj, classes) for obj in known],
        "pending": [_with_priority(obj, classes) for obj in pending],
    }


def _with_priority(obj: Json, classes: PriorityClasses) -> Json:
    """Give a pod the priority of its class, unless it comes from a cluster and has one."""
    spec = obj.get("spec")
    if obj.get("kind") != "Pod" or not isinstance(spec, Mapping) or "priority" in spec:
        return obj
    admitted = set_priority(dict(obj), classes)
    if isinstance(admitted, Denied):
        raise MalformedCaseError(admitted.message)
    return admitted


def _is_unbound_pod(obj: Json) -> bool:
    spec = obj.get("spec")
    bound = isinstance(spec, Mapping) and bool(spec.get("nodeName"))
    return obj.get("kind") == "Pod" and not bound
