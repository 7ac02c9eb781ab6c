"""What of the recordings is not compared, by timeline: patterns of keys, each with its reason.

``ACCIDENTS`` are accidents of the recordings, with the proof. ``RACES`` hang on
milliseconds between writes: the recordings differ among themselves in most of these counts, and
ours lies a few tries outside of them.
``OPEN`` is what is not reproduced yet. An entry of any of them that is no longer needed fails a
test.
"""

_REGISTERED = r"time/event add RegisteredNode Node/\S+ \(first\)"
"""The controller walks a map of nodes (classifyNodes), so the order of its events differs
from run to run: in placement_sampling, a100-02 is registered at 6.96 in one recording and at 27.81
in the other."""

_UNTAINTED = r"time/Node \S+ taints \(no\. 2\)"
"""KWOK's status write falls between the controller's GET and PATCH of a new node; the controller
then waits for 100 ms times 1 to 2, drawn at random (UpdateTaintBackoff has jitter 1.0), while its
client's bucket runs dry. Neighbours in creation order change places between recordings."""

ACCIDENTS: dict[str, tuple[str, ...]] = {
    "placement_binpack": (
        _REGISTERED,
        _UNTAINTED,
        # KWOK needed 11 ms for its first node here and 6 ms in the other placements, so that the
        # controller was faster once: a race of a few milliseconds.
        r"sequence/Node cpu-02",
    ),
    "placement_plain": (_REGISTERED, _UNTAINTED),
    "placement_sampling": (_REGISTERED,),
    "placement_zones": (_REGISTERED, _UNTAINTED),
}

_QUEUE_METRICS = r"metrics/scheduler_queue_incoming_pods_total"
_TRIES = (
    # A pod that is tried between two deletions fails once more, is moved by the next one
    # (AssignedPodDelete) and popped from backoff: all of these count the same additional tries.
    r"metrics/scheduler_preemption_attempts_total",
    r"metrics/scheduler_schedule_attempts_total\{.*result=\"unschedulable\"\}",
    _QUEUE_METRICS + r"\{event=\"AssignedPodDelete\",queue=\"backoff\"\}",
    _QUEUE_METRICS + r"\{event=\"PopFromBackoffQ\",queue=\"active\"\}",
    _QUEUE_METRICS + r"\{event=\"ScheduleAttemptFailure\",queue=\"unschedulable\"\}",
)


def _waiting(pods: str, why: str) -> tuple[str, ...]:
    """Return the facts that count the failures of waiting pods with their words."""
    return (
        rf"final/event_occurrences/FailedScheduling/Pod/{pods}",
        rf"final/events/FailedScheduling/Warning/Pod/{pods}/{why}",
    )


def _tried_between_deletions(pods: str) -> tuple[str, ...]:
    return (
        rf"attempts/{_NAMESPACE}/{pods}",
        rf"queue/{_NAMESPACE}/{pods}/AssignedPodDelete->Backoff",
        rf"queue/{_NAMESPACE}/{pods}/ScheduleAttemptFailure->Unschedulable",
        # A second failure with the same words is an update of the event; ours has only one failure.
        rf"time/event update FailedScheduling Pod/{pods} \((first|last)\)",
        *_TRIES,
    )


_NAMESPACE = "gpu-demo"
_PRESSURE = r"queue-pressure-6696ccff7b-#\*"
_SERVE = r"serve-69f8fdbc76-#\*"

RACES: dict[str, tuple[str, ...]] = {
    "lesson_delete_deploy": (
        # Forty pods vanish within 0.3 s while their successors and cuda-train-16gpu wait. How many
        # attempts fall between two deletions hangs on milliseconds: recorded 55 to 61 attempts and
        # 14 to 21 failures of the Deployment's pods (ours 50 and 10), 36 to 38 of cuda-train-16gpu
        # (ours 34); 36 to 39 pods bound before they are deleted themselves (ours 40).
        *_waiting(_PRESSURE, r"0/7 nodes are available: 1 node\(s\) had untolerated taint.*"),
        *_tried_between_deletions(_PRESSURE),
        r"attempts/gpu-demo/cuda-train-16gpu",
        rf"final/event_occurrences/Scheduled/Pod/{_PRESSURE}",
        rf"final/events/Scheduled/Normal/Pod/{_PRESSURE}/.*",
        r"metrics/scheduler_pod_scheduling_attempts_count",
        r"metrics/scheduler_schedule_attempts_total\{.*result=\"scheduled\"\}",
    ),
    "preempt_deployment": (
        # Victims go one by one and each departure moves the ReplicaSet's new pods: recorded 5 or 6
        # failures with these words (ours 4), 8 or 9 preemption attempts (ours 5), 18 attempts of
        # the new pods (ours 15), 20 or 21 of all pods that were bound (ours 17).
        *_waiting(_SERVE, r"0/1 nodes are available: 1 Insufficient nvidia.com/gpu.*"),
        *_tried_between_deletions(_SERVE),
        r"metrics/scheduler_pod_scheduling_attempts_sum",
    ),
    # Each old pod that goes moves the new ones; whether a failure comes twice about one version of
    # a pod (a series, no event of its own) hangs on milliseconds: recorded 11 or 12 failures as
    # events (ours 9), of which 10 or 11 with these words (ours 8). The attempts themselves agree.
    "rolling_default": _waiting(
        r"serve-ddcbfc575-#\*", r"0/1 nodes are available: 1 Insufficient nvidia.com/gpu.*"
    ),
}

OPEN: dict[str, tuple[str, ...]] = {
    "kubectl_states": (r"step/015/kubectl", r"step/020/kubectl"),
    "spread_default": (r"final/pod/gpu-demo/p10", r"sequence/Pod gpu-demo/p10"),
}
