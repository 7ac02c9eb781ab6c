"""What several controllers ask of pods: available, finished, which goes first.

Source: kubernetes/kubernetes pkg/controller/controller_utils.go (ActivePodsWithRanks),
pkg/api/v1/pod/util.go, v1.36.1
"""

import math
from typing import Any

from gpusched.controllers.protocol import SECOND, PodView

_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
_COST = "controller.kubernetes.io/pod-deletion-cost"


def is_available(pod: PodView, min_ready_seconds: int, now: int) -> bool:
    """Return whether a pod has been ready for long enough."""
    if not pod.ready or not min_ready_seconds:
        return pod.ready
    return pod.ready_since + min_ready_seconds * SECOND <= now


def deletion_order(pod: PodView, crowd: int, now: int) -> tuple[Any, ...]:
    """Return a sort key: what sorts first is deleted first.

    Unbound before bound, pending before running, not ready before ready, lower deletion cost first,
    more siblings on
    the node first, ready for a shorter time (in powers of two) first, younger first.

    Args:
        pod: The pod.
        crowd: How many active siblings share its node.
        now: Microseconds since t = 0.
    """
    return (
        bool(pod.node),
        _PHASES.get(pod.phase, 1),
        pod.ready,
        deletion_cost(pod),
        -crowd,
        _age_class(now - pod.ready_since) if pod.ready else 0,
        _age_class(now - pod.created),
        pod.uid,
    )


def deletion_cost(pod: PodView) -> int:
    """Return the pod's deletion cost; 0 where the annotation is absent or no integer."""
    try:
        return int(pod.annotations.get(_COST, "0"))
    except ValueError:
        return 0


def _age_class(age: int) -> int:
    """Return the logarithmic class of an age, as upstream compares times (LogarithmicScaleDown)."""
    return int(math.log2(age * 1000)) if age > 0 else 0
