"""Taking away what a play has created, found by its label alone: any past play's, too."""

from collections.abc import Callable, Iterator
from typing import Final

from gpusched.controllers.protocol import ApiError
from gpusched.controllers.volume_provisioner import FINALIZER
from gpusched.controllers.volumes import VOLUME
from gpusched.live.clock import now, sleep
from gpusched.live.cluster import Cluster
from gpusched.live.preparing import LABEL
from gpusched.sim.calendar import SECOND
from gpusched.sim.kinds import KINDS
from gpusched.sim.pod import Json

_OF_THE_CLUSTER: Final = tuple(kind.name for kind in KINDS.values() if not kind.namespaced)
_OWNERS: Final = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet")
_PATIENCE: Final = 60 * SECOND
_BETWEEN: Final = 100_000


def leftovers(cluster: Cluster, play: str = "") -> list[Json]:
    """Return the namespaces and cluster-wide objects of one play, or of all plays."""
    selector = f"{LABEL}={play}" if play else LABEL
    found = []
    for kind in _OF_THE_CLUSTER:
        try:
            found += cluster.read_all(kind, selector=selector)
        except ApiError as refusal:
            if refusal.reason not in ("NotFound", "Forbidden"):
                raise
    return found


def clean(cluster: Cluster, play: str = "", *, wait_for_namespaces: bool = True) -> list[str]:
    """Delete everything of one play, or of all plays; return what was deleted, e.g. ``node/a``.

    Pods go first and at once, while their nodes are there; namespaces take the longest.

    Raises:
        ApiError: The API server refuses a deletion.
    """
    found = leftovers(cluster, play)
    namespaces = [obj["metadata"]["name"] for obj in found if obj["kind"] == "Namespace"]
    for namespace in namespaces:
        _empty(cluster, namespace)
    _await(lambda: not any(cluster.read_all("Pod", name) for name in namespaces))
    done = [_delete(cluster, obj) for obj in found]
    gone = found if wait_for_namespaces else [o for o in found if o["kind"] != "Namespace"]
    _await(lambda: not any(_is_there(cluster, obj) for obj in gone))
    return done


def _empty(cluster: Cluster, namespace: str) -> None:
    """Delete who creates pods, then pods; others go with their namespace."""
    for kind in (*_OWNERS, "Pod"):
        cluster.delete_all(kind, namespace, {})


def _delete(cluster: Cluster, obj: Json) -> str:
    kind, name = KINDS[obj["kind"]], obj["metadata"]["name"]
    try:
        cluster.delete(kind.name, ("", name))
        if kind.name == VOLUME and FINALIZER in (obj["metadata"].get("finalizers") or ()):
            kept = [each for each in obj["metadata"]["finalizers"] if each != FINALIZER]
            cluster.patch(kind.name, ("", name), {"metadata": {"finalizers": kept}}, "merge")
        if kind.name == "Node":
            about = {"fieldSelector": f"involvedObject.kind=Node,involvedObject.name={name}"}
            cluster.delete_all("Event", "default", about)
    except ApiError as refusal:
        if refusal.reason != "NotFound":
            raise
    return f"{kind.singular}/{name}"


def _is_there(cluster: Cluster, obj: Json) -> bool:
    now_there = cluster.find(obj["kind"], "", obj["metadata"]["name"])
    return now_there is not None and now_there["metadata"]["uid"] == obj["metadata"]["uid"]


def _await(is_done: Callable[[], bool]) -> None:
    """Wait for a condition; what is still there afterwards is told by the next `leftovers`."""
    for _ in _attempts():
        if is_done():
            return


def _attempts() -> Iterator[None]:
    until = now() + _PATIENCE
    while now() < until:
        yield
        sleep(_BETWEEN)
