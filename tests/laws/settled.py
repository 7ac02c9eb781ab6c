"""Laws of a cluster at rest: owners have their pods, the scheduler's books agree with the store."""

from collections import Counter
from collections.abc import Iterator

from gpusched.sim.calendar import SECOND
from gpusched.sim.pod import Pod
from tests.laws.audit import Audit, requests_of
from tests.laws.lab import Lab
from tests.laws.manifests import WORKLOADS, Json

BACKOFF = 12 * SECOND
"""The longest back-off and its alignment to whole seconds."""
FLUSH = 330 * SECOND
"""The longest stay among the unschedulable pods: five minutes, seen by a 30 s ticker."""


def check_books(lab: Lab) -> None:
    """Check that the scheduler knows every pod exactly once, and each node's load to the last unit.

    A pod that is being deleted may have left the queue already: an attempt at it ends at once.
    Only true when the scheduler has heard of everything: without latency, between two instants.
    """
    store, scheduler = lab.plane.store, lab.scheduler
    queued = [item.pod.uid for item in scheduler.queue.waiting()]
    pods = [pod for pod in store.pods() if not pod.node and not pod.terminal]
    must = {pod.uid for pod in pods if pod.deletion is None}
    assert len(queued) == len(set(queued)), "a pod is in the queue twice"
    assert must <= set(queued) <= {pod.uid for pod in pods}, "the queue is not the waiting pods"
    nodes, names = scheduler.cache.nodes, scheduler.cache.resources.names
    for row in range(len(nodes)):
        name = nodes.info(row).name
        used: Counter[str] = Counter()
        for pod in store.pods_on(name):
            if not pod.terminal:
                used.update(requests_of(pod.template))
        assert used["pods"] == 1000 * int(nodes.pod_counts[row]), name
        for resource, amount in zip(names, nodes.requested[:, row].tolist(), strict=False):
            factor = 1 if resource == "cpu" else 1000
            assert amount * factor == used[resource], f"{name}: {resource}"


def check_work_is_conserved(audit: Audit, now: int) -> None:
    """Check that no pod waits beyond flush and back-off while there has been room for it."""
    if now - audit.quiet_since <= FLUSH + BACKOFF:
        return
    for pod in audit.waiting():
        assert not audit.room_for(pod), f"{pod.key} waits though there is room: {pod.conditions}"


def check_hints(audit: Audit, now: int) -> None:
    """Check that room wakes whom it helps: after a back-off's time nobody waits who fits."""
    if now - audit.quiet_since <= BACKOFF:
        return
    for pod in audit.waiting():
        found = audit.room_for(pod)
        assert not found, f"{pod.key} was not woken for {found}: {pod.conditions}"


def check_owners(lab: Lab) -> None:
    """Check that every owner has the pods that it wants, and no pod outlives its owner."""
    store = lab.plane.store
    owners = {obj["metadata"]["uid"]: obj for kind in WORKLOADS for obj in store.objects(kind)}
    pods: dict[str, list[Pod]] = {}
    for pod in store.pods():
        if pod.owner is not None:
            assert pod.owner[2] in owners or pod.deletion is not None, f"{pod.key} has no owner"
            if pod.deletion is None:
                pods.setdefault(pod.owner[2], []).append(pod)
    for uid, obj in owners.items():
        if not obj["metadata"].get("deletionTimestamp"):
            for words in _faults(obj, pods.get(uid, [])):
                raise AssertionError(f"{obj['kind']} {obj['metadata']['name']}: {words}")


def _faults(obj: Json, pods: list[Pod]) -> Iterator[str]:
    active = [pod for pod in pods if not pod.terminal]
    spec = obj["spec"]
    if obj["kind"] == "ReplicaSet" and len(active) != spec["replicas"]:
        yield f"{len(active)} pods for {spec['replicas']} replicas"
    if obj["kind"] == "Job":
        yield from _job_faults(obj, active)


def _job_faults(obj: Json, active: list[Pod]) -> Iterator[str]:
    spec, status = obj["spec"], obj.get("status") or {}
    done = status.get("succeeded", 0)
    if done > spec["completions"]:
        yield f"{done} of {spec['completions']} completions"
    if len(active) > min(spec["parallelism"], spec["completions"] - done):
        yield f"{len(active)} active pods beside {done} completions"
