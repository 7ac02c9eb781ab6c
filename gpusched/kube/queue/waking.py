"""Whom an event wakes among waiting pods that are alike.

Source: kubernetes/kubernetes pkg/scheduler/backend/queue/scheduling_queue.go
(movePodsToActiveOrBackoffQueue), v1.36.1; specification, section 7.6.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.events import Change, ClusterEvent
from gpusched.kube.queue.entity import QueuedPod
from gpusched.kube.queue.hints import QueueingHints, Worth
from gpusched.kube.queue.unschedulable import Kin


class Waking(NamedTuple):
    """A pod to which an event means something.

    Attributes:
        queued: The pod.
        worth: What the event means; None if the pod's gate is known to be closed still.
        like_it: How many pods fare so, this one included: more than one for closed gates alone.
    """

    queued: QueuedPod
    worth: Worth | None
    like_it: int = 1


def woken(
    kin: Kin, hints: QueueingHints, event: ClusterEvent, change: Change | None, *, each: bool
) -> Iterator[Waking]:
    """Yield the pods of a group that an event wakes, or would wake if a gate let it.

    Hints that read no more than a pod's shape are asked once for all of the group.

    Args:
        kin: The group.
        hints: Of its profile.
        event: What happened.
        change: The objects of the event.
        each: Yield pods behind a closed gate one by one.
    """
    if kin.gated_by and not hints.interested(kin.gated_by, event):
        return
    alike = hints.alike(kin.rejectors, event)
    apart = list(_subjects(kin, change)) if alike else list(kin.pods.values())
    for queued in apart:
        if (worth := hints.worth(queued, event, change)) is not Worth.SKIP:
            yield Waking(queued, worth)
    if len(apart) == len(kin.pods):
        return
    sample = next(queued for queued in kin.pods.values() if queued not in apart)
    if (worth := hints.worth(sample, event, change)) is Worth.SKIP:
        return
    announced = kin.gated_by in hints.gates
    asked = kin.doubtful if announced else kin.pods
    yield from (Waking(queued, worth) for queued in asked.values() if queued not in apart)
    if announced:
        yield from _kept_out(kin, apart, each=each)


def _kept_out(kin: Kin, apart: Sequence[QueuedPod], *, each: bool) -> Iterator[Waking]:
    """Yield the pods whose gate has given no sign of opening since it was last asked."""
    if each:
        for uid, queued in kin.pods.items():
            if uid not in kin.doubtful and queued not in apart:
                yield Waking(queued, None)
        return
    gone = sum(queued.pod.uid not in kin.doubtful for queued in apart)
    count = len(kin.pods) - len(kin.doubtful) - gone
    if count:
        yield Waking(kin.sample, None, count)


def _subjects(kin: Kin, change: Change | None) -> Iterator[QueuedPod]:
    """Yield the pods of a group that the change is one of."""
    subjects = () if change is None else (change.old, change.new)
    for uid in {subject.uid: None for subject in subjects if isinstance(subject, PodInfo)}:
        if uid in kin.pods:
            yield kin.pods[uid]
