"""How large each ReplicaSet of a Deployment should be.

Pure arithmetic over one view of the Deployment.

Source: kubernetes/kubernetes pkg/controller/deployment/util/deployment_util.go, rolling.go,
sync.go, v1.36.1
"""

from collections.abc import Sequence
from typing import Any

from gpusched.controllers.protocol import ApiError, Json

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MAXIMUM,
    "deprecated.deployment.rollback.to",
)
_HASH = "pod-template-hash"


class View:
    """A Deployment and its ReplicaSets during one sync.

    Attributes:
        deployment: The Deployment as last read or written.
        new: The ReplicaSet of its present template, or None.
        old: The others, oldest first.
        outdated: Whether the Deployment was written since it was read.
    """

    def __init__(self, deployment: Json, sets: Sequence[Json]) -> None:
        self.deployment = deployment
        self.outdated = False
        matching = [item for item in sets if _same_template(deployment, item)]
        self.new: Json | None = matching[0] if matching else None
        self.old: list[Json] = [item for item in sets if item is not self.new]

    @property
    def replicas(self) -> int:
        """How many pods the Deployment wants."""
        return int(self.deployment["spec"]["replicas"])

    @property
    def all(self) -> list[Json]:
        """Every ReplicaSet, the new one last."""
        return [*self.old, self.new] if self.new is not None else list(self.old)

    def check(self) -> None:
        """Refuse, as the API server would, to write a Deployment that is out of date."""
        if self.outdated:
            raise ApiError(409, "Conflict", "the object has been modified")

    def adopt(self, new: Json) -> None:
        """Take a ReplicaSet that was just created for the new one."""
        self.new = new

    def replace(self, before: Json, after: Json) -> None:
        """Put a ReplicaSet's new state in the place of its former one."""
        if self.new is before:
            self.new = after
        else:
            self.old = [after if item is before else item for item in self.old]

    def max_old_revision(self) -> int:
        """Return the highest revision among the old ReplicaSets."""
        return max(map(revision_of, self.old), default=0)

    def set_revision(self, revision: str) -> bool:
        """Note a revision on the Deployment; return whether that changed it."""
        meta = self.deployment["metadata"]
        notes = meta.get("annotations") or {}
        if notes.get(REVISION) == revision:
            return False
        self.deployment = {
            **self.deployment,
            "metadata": {**meta, "annotations": {**notes, REVISION: revision}},
        }
        return True

    def is_scaling(self) -> bool:
        """Return whether the Deployment's size was changed since the last scaling."""
        wanted = str(self.replicas)
        notes = (
            (item["metadata"].get("annotations") or {}).get(DESIRED)
            for item in self.all
            if item["spec"]["replicas"]
        )
        return any(note is not None and note != wanted for note in notes)


def _same_template(deployment: Json, replica_set: Json) -> bool:
    return _bare(deployment["spec"]["template"]) == _bare(replica_set["spec"]["template"])


def _bare(template: Json) -> Json:
    meta = template.get("metadata") or {}
    labels = {name: value for name, value in (meta.get("labels") or {}).items() if name != _HASH}
    return {**template, "metadata": {**meta, "labels": labels}}


def revision_of(replica_set: Json) -> int:
    """Return a ReplicaSet's revision; 0 without one."""
    return int((replica_set["metadata"].get("annotations") or {}).get(REVISION, 0))


# --- bounds ---------------------------------------------------------------------------------------


def bounds(deployment: Json) -> tuple[int, int]:
    """Return how many pods a rollout may add (maxSurge) and miss (maxUnavailable)."""
    strategy = deployment["spec"]["strategy"]
    wanted = deployment["spec"]["replicas"]
    if strategy["type"] != "RollingUpdate":
        return 0, 0
    rolling = strategy.get("rollingUpdate") or {}
    surge = scaled(rolling.get("maxSurge", 0), wanted, up=True)
    missing = scaled(rolling.get("maxUnavailable", 0), wanted, up=False)
    if not surge and not missing:
        missing = 1
    return surge, min(missing, wanted) if wanted else 0


def scaled(value: Any, whole: int, *, up: bool) -> int:
    """Return a number or a share of ``whole``, rounded up or down.

    >>> scaled("25%", 10, up=True), scaled("25%", 10, up=False), scaled(4, 10, up=True)
    (3, 2, 4)
    """
    if isinstance(value, str):
        share = int(value.removesuffix("%")) * whole
        return -(-share // 100) if up else share // 100
    return int(value)


def annotations_for(view: View, replica_set: Json, revision: str) -> dict[str, str]:
    """Return what the new ReplicaSet's annotations should be."""
    notes = dict(replica_set["metadata"].get("annotations") or {})
    mine = view.deployment["metadata"].get("annotations") or {}
    notes |= {name: value for name, value in mine.items() if name not in _NOT_COPIED}
    before = notes.get(REVISION)
    if before is None or int(before) < int(revision):
        notes[REVISION] = revision
        if before is not None:
            notes[HISTORY] = ",".join(filter(None, (notes.get(HISTORY), before)))
    return size_annotations(view) | notes


def size_annotations(view: View) -> dict[str, str]:
    """Return the annotations with which a ReplicaSet remembers its Deployment's size."""
    return {DESIRED: str(view.replicas), MAXIMUM: str(view.replicas + bounds(view.deployment)[0])}


# --- rolling --------------------------------------------------------------------------------------


def initial_size(view: View) -> int:
    """Return the size with which a new ReplicaSet is created."""
    return _grown(view, 0)


def size_of_new(view: View) -> int:
    """Return the size that the new ReplicaSet should have now."""
    assert view.new is not None
    have = int(view.new["spec"]["replicas"])
    return view.replicas if have >= view.replicas else _grown(view, have)


def _grown(view: View, have: int) -> int:
    if view.deployment["spec"]["strategy"]["type"] == "Recreate":
        return view.replicas
    total = sum(item["spec"]["replicas"] for item in view.all)
    room = view.replicas + bounds(view.deployment)[0] - total
    return int(have + max(0, min(room, view.replicas - have)))


def room_to_shrink(view: View) -> int:
    """Return how many old pods may go without missing more than maxUnavailable."""
    assert view.new is not None
    if not any(item["spec"]["replicas"] for item in view.old):
        return 0
    total = sum(item["spec"]["replicas"] for item in view.all)
    least = view.replicas - bounds(view.deployment)[1]
    unready = view.new["spec"]["replicas"] - available(view.new)
    return int(total - least - unready)


def available(replica_set: Json) -> int:
    """Return how many pods of a ReplicaSet are available."""
    return int((replica_set.get("status") or {}).get("availableReplicas", 0))


def without_unhealthy(view: View, room: int) -> tuple[list[tuple[Json, int]], bool]:
    """Return the old ReplicaSets with unavailable pods and their sizes without those.

    Also return whether that is all. A ReplicaSet whose status counts more pods than it should have
    has not caught up with its last scaling: nothing more goes until it has.
    """
    sizes: list[tuple[Json, int]] = []
    for item in view.old:
        have = item["spec"]["replicas"]
        if room <= 0:
            break
        if not have:
            continue
        surplus = min(room, have - available(item))
        if surplus < 0:
            return sizes, False
        if surplus:
            room -= surplus
            sizes.append((item, have - surplus))
    return sizes, True


def without_spare(view: View) -> list[tuple[Json, int]]:
    """Return the old ReplicaSets to be scaled down by what is spare, and their sizes then."""
    spare = sum(map(available, view.all)) - (view.replicas - bounds(view.deployment)[1])
    sizes = []
    for item in view.old:
        surplus = min(spare, item["spec"]["replicas"])
        if surplus > 0:
            spare -= surplus
            sizes.append((item, item["spec"]["replicas"] - surplus))
    return sizes


# --- scaling --------------------------------------------------------------------------------------


def proportional_sizes(view: View) -> list[tuple[Json, int]]:
    """Return the ReplicaSets' sizes after the Deployment's own size changed."""
    active = [item for item in view.all if item["spec"]["replicas"]]
    if len(active) <= 1:
        target = active or ([view.new] if view.new is not None else view.old[-1:])
        return [
            (item, view.replicas) for item in target if item["spec"]["replicas"] != view.replicas
        ]
    if view.new is not None and _is_saturated(view, view.new):
        return [(item, 0) for item in view.old if item["spec"]["replicas"]]
    if view.deployment["spec"]["strategy"]["type"] != "RollingUpdate":
        return []
    return _shares(view, active)


def _is_saturated(view: View, replica_set: Json) -> bool:
    desired = (replica_set["metadata"].get("annotations") or {}).get(DESIRED)
    return (
        desired == str(view.replicas)
        and replica_set["spec"]["replicas"] == available(replica_set) == view.replicas
    )


def _shares(view: View, active: list[Json]) -> list[tuple[Json, int]]:
    limit = view.replicas + bounds(view.deployment)[0] if view.replicas else 0
    missing = limit - sum(item["spec"]["replicas"] for item in active)
    ordered = list(reversed(active)) if missing > 0 else list(active)
    ordered.sort(key=lambda item: -item["spec"]["replicas"])
    sizes, given = [], 0
    for item in ordered:
        share = _share(view, item, missing, given)
        given += share
        sizes.append(item["spec"]["replicas"] + share)
    if missing:
        sizes[0] = max(0, sizes[0] + missing - given)
    return list(zip(ordered, sizes, strict=True))


def _share(view: View, item: Json, missing: int, given: int) -> int:
    """Return by how much one of several ReplicaSets grows (or shrinks, if negative)."""
    have = item["spec"]["replicas"]
    if missing in (0, given):
        return 0
    if not view.replicas:
        share = -have
    else:
        status = view.deployment.get("status") or {}
        before = int((item["metadata"].get("annotations") or {}).get(MAXIMUM, 0)) or status.get(
            "replicas", 0
        )
        limit = view.replicas + bounds(view.deployment)[0]
        share = (2 * have * limit + before) // (2 * before) - have if before else 0
    return int(min(share, missing - given) if missing > 0 else max(share, missing - given))


def beyond_history(view: View) -> list[Json]:
    """Return the old ReplicaSets that the revision history has no room for."""
    limit = view.deployment["spec"].get("revisionHistoryLimit")
    if limit is None:
        return []
    alive = [item for item in view.old if not item["metadata"].get("deletionTimestamp")]
    oldest = sorted(alive, key=revision_of)[: max(0, len(alive) - limit)]
    return [
        item
        for item in oldest
        if not item["spec"]["replicas"] and not (item.get("status") or {}).get("replicas")
    ]
