"""The steps in a pod's life as pure functions.

The state before, the time and an argument give the state after.

The store applies them, and the journal replays them.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from gpusched.controllers.interest import (
    BOUND,
    ENDED,
    MARKED,
    REFUSED,
    RELEASED,
    STARTED,
    TOLD,
)
from gpusched.sim.calendar import SECOND
from gpusched.sim.pod import Condition, Containers, Json, Pod, claims_in

Step = Callable[[Pod, int, Any], Pod]
_TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")


def floor_second(at: int) -> int:
    """Return the whole second at or before ``at``, as ``metav1.Time`` keeps it."""
    return at - at % SECOND


@lru_cache(maxsize=256)
def _scheduled(second: int) -> tuple[Condition, ...]:
    return (Condition("PodScheduled", "True", second),)


@lru_cache(maxsize=256)
def _running(second: int) -> tuple[Condition, ...]:
    return (
        Condition("Initialized", "True", second),
        Condition("Ready", "True", second),
        Condition("ContainersReady", "True", second),
    )


@lru_cache(maxsize=256)
def _running_after(second: int, before: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Return what a starting pod's conditions become; pods that start together share them."""
    return (*_running(second), *before)


def bound(pod: Pod, now: int, target: tuple[str, tuple[tuple[str, str], ...]]) -> Pod:
    """Bind a pod: node, PodScheduled, the node's topology labels, no nomination any more.

    Source: kubernetes/kubernetes pkg/registry/core/pod/storage/storage.go
    (setPodHostAndAnnotations), v1.36.1
    """
    node, labels = target
    new = pod.copy()
    new.node = node
    new.nominated = ""
    scheduled = _scheduled(now - now % SECOND)
    new.conditions = pod.with_condition(scheduled[0]) if pod.conditions else scheduled
    if labels:
        new.template = pod.template.labelled(labels)
    return new


def topology_labels(node_labels: Any) -> tuple[tuple[str, str], ...]:
    """Return the labels that a pod takes over from its node when it is bound."""
    return tuple((name, node_labels[name]) for name in _TOPOLOGY if name in node_labels)


def running(pod: Pod, now: int, address: int) -> Pod:
    """Start all containers at once, as KWOK's ``pod-ready`` does.

    The patch's conditions come to stand first.
    """
    second = now - now % SECOND
    new = pod.copy()
    if len(pod.conditions) == 1 and not pod.template.spec.get("readinessGates"):
        new.conditions = _running_after(second, pod.conditions)
        second = new.conditions[0].transition  # the same number, but one for all that start now
    else:
        new.conditions = _set_all(pod, _running(second), second)
    new.phase = "Running"
    new.started = second
    new.ready = True
    claims = _claims(pod)
    new.detail = Containers(address, second, claims=claims) if claims else address
    return new


def _claims(pod: Pod) -> Json | None:
    if isinstance(pod.detail, dict):
        return claims_in(pod.detail)
    return pod.detail.claims if isinstance(pod.detail, Containers) else None


def _set_all(pod: Pod, conditions: tuple[Condition, ...], second: int) -> tuple[Condition, ...]:
    gates = pod.spec.get("readinessGates") or ()
    set_now = (*conditions, *(Condition(gate["conditionType"], "True", second) for gate in gates))
    kinds = [condition.type for condition in set_now]
    return (*set_now, *(condition for condition in pod.conditions if condition.type not in kinds))


def finished(pod: Pod, now: int, code: int) -> Pod:
    """End all containers with an exit code: ``Succeeded`` with 0, else ``Failed``.

    Conditions stay, as KWOK leaves them.
    """
    second = floor_second(now)
    new = pod.copy()
    new.phase, reason = ("Failed", "Error") if code else ("Succeeded", "Completed")
    before = pod.containers or Containers(0, second)
    new.detail = Containers(before.address, before.started, second, code, reason, _claims(pod))
    new.finished = second
    return new


def conditioned(pod: Pod, now: int, condition: tuple[str, str, str, str]) -> Pod:
    """Set one condition: type, status, reason, message."""
    kind, status, reason, message = condition
    new = pod.copy()
    new.conditions = pod.with_condition(Condition(kind, status, floor_second(now), reason, message))
    if kind == "Ready":
        new.ready = status == "True"
    return new


def failed_attempt(pod: Pod, now: int, outcome: tuple[str, str, str | None]) -> Pod:
    """Write what a failed scheduling attempt writes.

    Reason, message and, unless None, the nominated node.
    """
    reason, message, nominated = outcome
    new = conditioned(pod, now, ("PodScheduled", "False", reason, message))
    if nominated is not None:
        new.nominated = nominated
    return new


def phased(pod: Pod, now: int, phase: str) -> Pod:  # noqa: ARG001 - every step takes the time
    """Set the phase alone."""
    new = pod.copy()
    new.phase = phase
    return new


def deleting(pod: Pod, now: int, grace: int) -> Pod:
    """Mark for deletion: the timestamp lies ``grace`` seconds ahead.

    Source: kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go
    (BeforeDelete), v1.36.1
    """
    new = pod.copy()
    new.deletion = floor_second(now) + grace * SECOND
    new.grace = grace
    new.generation += 1
    return new


def unfinalized(pod: Pod, now: int, finalizer: str) -> Pod:  # noqa: ARG001 - every step takes the time
    """Remove a finalizer."""
    new = pod.copy()
    rest = [name for name in pod.template.finalizers if name != finalizer]
    new.template = pod.template.variant(("finalizers", tuple(rest)), finalizers=rest)
    return new


STEPS: tuple[Step, ...] = (
    bound,
    running,
    finished,
    conditioned,
    failed_attempt,
    phased,
    deleting,
    unfinalized,
)
NUMBER = {step: number for number, step in enumerate(STEPS)}
"""The number under which the journal writes a step."""
FACETS: Mapping[Step, int] = {
    bound: BOUND,
    running: STARTED,
    finished: ENDED,
    conditioned: TOLD,
    failed_attempt: REFUSED,
    phased: TOLD | ENDED,
    deleting: MARKED,
    unfinalized: RELEASED,
}
"""What a step says to those who watch pods."""
