"""What of the recordings is not compared, by timeline: patterns of keys, each with its reason.

``ACCIDENTS`` are accidents of the recordings, with the proof. ``RACES`` hang on milliseconds.
``OPEN`` is what is not reproduced yet; an entry that is no longer needed fails a test.
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
    "placement_sampling": (_REGISTERED, _UNTAINTED),
    "placement_zones": (_REGISTERED, _UNTAINTED),
}

_ATTEMPTS = (
    r"attempts/.*",
    r"queue/.*",
    r"gauge/.*",
    r"metrics/.*",
    r"final/event_occurrences/(FailedScheduling|Scheduled)/.*",
    r"final/events/(FailedScheduling|Scheduled)/.*",
    r"time/event update FailedScheduling .*",
)
"""How often waiting pods are tried while pods vanish within milliseconds of each other."""

RACES: dict[str, tuple[str, ...]] = {
    "lesson_delete_deploy": _ATTEMPTS,
    "preempt_deployment": _ATTEMPTS,
    "rolling_default": _ATTEMPTS,
}

OPEN: dict[str, tuple[str, ...]] = {
    "kubectl_states": (r"step/015/kubectl", r"step/020/kubectl"),
    "spread_default": (r"final/pod/gpu-demo/p10", r"sequence/Pod gpu-demo/p10"),
}
