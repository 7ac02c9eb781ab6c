"""A moment of a run as manifests that ``kubectl apply`` takes: what users said, not what followed.

Left out: status, whatever the API server or a controller filled in, objects that a controller owns
and would make again, and what every cluster has of its own. A Node keeps capacity and allocatable:
without them a KWOK node would have no GPUs.
"""

from collections.abc import Iterable
from typing import Any, Final, Protocol

from gpusched.sim.pod import Json

SERVER_SIDE: Final = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_OWN_ANNOTATIONS: Final = frozenset({LAST_APPLIED, "deployment.kubernetes.io/revision"})
_PASSING: Final = frozenset({"Event", "Lease", "ControllerRevision", "EndpointSlice", "Endpoints"})
"""Kinds that the control plane makes for itself."""
_FIRST: Final = ("Namespace", "PriorityClass", "StorageClass", "Node")
_LAST: Final = ("Pod",)
_SYSTEM_TAINT: Final = "node.kubernetes.io/"


class Objects(Protocol):
    """Objects by kind, as a `Moment` has them."""

    def kinds(self) -> list[str]:
        """Return the kinds of which there are objects."""
        ...

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Return the objects of a kind."""
        ...


def manifests(moment: Objects) -> Json:
    """Return a ``kind: List`` of everything at a moment that a user would have to create again."""
    kinds = sorted(moment.kinds(), key=_turn)
    items = [user_made(obj) for kind in kinds for obj in moment.objects(kind) if is_users(obj)]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _turn(kind: str) -> tuple[int, int, str]:
    """Return the place of a kind: what others refer to comes first, what needs others last."""
    if kind in _FIRST:
        return 0, _FIRST.index(kind), kind
    return (2 if kind in _LAST else 1), 0, kind


def is_users(obj: Json) -> bool:
    """Return whether an object was made by a user, not by the control plane or a controller."""
    meta = obj["metadata"]
    if obj["kind"] in _PASSING or any(o.get("controller") for o in meta.get("ownerReferences", ())):
        return False
    return not _is_system(obj["kind"], meta["name"], meta.get("namespace", ""))


def _is_system(kind: str, name: str, namespace: str) -> bool:
    if kind == "Namespace":
        return name == "default" or name.startswith("kube-")
    if kind == "PriorityClass":
        return name.startswith("system-")
    return (kind, namespace, name) == ("Service", "default", "kubernetes")


def user_made(obj: Json) -> Json:
    """Return an object without what the API server or a controller filled in."""
    given = {key: value for key, value in obj.items() if key not in ("metadata", "spec", "status")}
    given["metadata"] = _metadata(obj["metadata"])
    if "spec" in obj:
        given["spec"] = _spec(obj["kind"], obj["spec"])
    status = obj.get("status") or {}
    if obj["kind"] == "Node":
        kept = {key: status[key] for key in ("capacity", "allocatable") if key in status}
        given |= {"status": kept} if kept else {}
    return {key: value for key, value in given.items() if value != {}}


def _metadata(meta: Json) -> Json:
    kept = {key: value for key, value in meta.items() if key not in SERVER_SIDE}
    notes = kept.pop("annotations", None) or {}
    own = {key: value for key, value in notes.items() if key not in _OWN_ANNOTATIONS}
    return kept | ({"annotations": own} if own else {})


def _spec(kind: str, spec: Json) -> Json:
    if kind == "Pod":
        return _without(spec, ("nodeName",))
    if kind == "Namespace":
        return _without(spec, ("finalizers",))
    if kind == "Node" and spec.get("taints"):
        own = [taint for taint in spec["taints"] if not taint["key"].startswith(_SYSTEM_TAINT)]
        return _without(spec, ("taints",)) | ({"taints": own} if own else {})
    return spec


def _without(spec: Json, names: Iterable[str]) -> Json:
    return {key: value for key, value in spec.items() if key not in names}
