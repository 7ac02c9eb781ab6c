"""How long pods run: drawn from the scenario's `runtimes`, or told by a pod's own annotation."""

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from gpusched.api.scenario import Runtime
from gpusched.cluster.selectors import EVERYTHING, LabelSelector
from gpusched.kwok.delay import parse_duration
from gpusched.sim.pod import Pod

DELAY: Final = "pod-complete.stage.kwok.x-k8s.io/delay"
"""The annotation by which KWOK's general stages are told how long a pod runs, a Go duration."""

JITTER: Final = "pod-complete.stage.kwok.x-k8s.io/jitter-delay"
"""The longest run time, if KWOK shall draw one; gpusched's fast stages do not read it."""

RunTime = Callable[[Pod], tuple[int, int] | None]


def run_times(runtimes: Sequence[Runtime], rng: np.random.Generator) -> RunTime:
    """Return how long a pod runs (microseconds) and the exit code it ends with; None for ever.

    A pod's annotation wins; then the first entry that fits it counts.

    Args:
        runtimes: The scenario's entries, in order.
        rng: The stream to draw from; one draw per pod with a drawn time, in order of starting.
    """
    compiled = [(_selector(entry), entry) for entry in runtimes]

    def run_time(pod: Pod) -> tuple[int, int] | None:
        told = pod.annotations.get(DELAY)
        if told is not None:
            return max(0, parse_duration(told) or 0), 0
        for selector, entry in compiled:
            if entry.namespace in (None, pod.namespace) and selector.matches(pod.labels):
                return _draw(entry, rng), entry.exit_code
        return None

    return run_time


def _selector(entry: Runtime) -> LabelSelector:
    return EVERYTHING if entry.selector is None else LabelSelector.compile(entry.selector)


def _draw(entry: Runtime, rng: np.random.Generator) -> int:
    """Floats only make the draw; what comes out is whole microseconds."""
    if entry.duration is not None:
        return entry.duration
    if entry.uniform is not None:
        return int(rng.integers(entry.uniform.min, entry.uniform.max, endpoint=True))
    if entry.exponential is not None:
        return _cut(rng.exponential(entry.exponential.mean), entry.exponential.max)
    assert entry.lognormal is not None, "the model wants one of the four"
    mean = math.log(max(1, entry.lognormal.median))
    return _cut(rng.lognormal(mean, entry.lognormal.sigma), entry.lognormal.max)


def _cut(drawn: float, longest: int | None) -> int:
    whole = max(1, round(drawn))
    return whole if longest is None else min(whole, longest)
