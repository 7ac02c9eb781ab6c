"""How long a stage waits.

Source: kubernetes-sigs/kwok pkg/utils/lifecycle/lifecycle.go, pkg/utils/expression/duration.go,
v0.7.0
"""

import re
from collections.abc import Callable

import numpy as np

from gpusched.kwok.stage import Json, Source, Stage

_UNITS = {
    "ns": 0.001,
    "us": 1,
    "µs": 1,
    "ms": 1000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
}
_PART = re.compile(r"(\d+)(?:\.(\d*))?(ns|us|µs|ms|s|m|h)")


def parse_duration(text: str) -> int | None:
    """Return a Go duration in microseconds, or None if the text is not one.

    >>> parse_duration("1m1.5s"), parse_duration("soon")
    (61500000, None)
    """
    if text in ("", "0"):
        return 0
    body = text.removeprefix("-")
    parts = _PART.findall(body)
    if (
        not parts
        or "".join(w + (f".{f}" if f or f".{u}" in body else "") + u for w, f, u in parts) != body
    ):
        return None
    total = sum(_scaled(whole, fraction, unit) for whole, fraction, unit in parts)
    return -total if text.startswith("-") else total


def _scaled(whole: str, fraction: str, unit: str) -> int:
    if unit == "ns":
        return int(whole) // 1000
    size = int(_UNITS[unit])
    return int(whole) * size + (int(fraction) * size // 10 ** len(fraction) if fraction else 0)


def delay_of(
    stage: Stage, obj: Json, now: int, micros: Callable[[str], int], rng: np.random.Generator
) -> int:
    """Return a stage's delay for an object in microseconds.

    The jitter is an upper bound, not an increment: one that is no larger than the duration replaces
    it.

    Args:
        stage: The stage.
        obj: The object.
        now: Microseconds since t = 0.
        micros: Turns a stamp into microseconds since t = 0.
        rng: The stream from which jitter is drawn.
    """
    duration = _read(stage.duration, obj, now, micros) or 0
    if stage.jitter is None:
        return duration
    jitter = _read(stage.jitter, obj, now, micros)
    if jitter is None:
        return duration
    return jitter if jitter <= duration else duration + int(rng.integers(jitter - duration))


def _read(source: Source, obj: Json, now: int, micros: Callable[[str], int]) -> int | None:
    text = source.read(obj)
    if text is None:
        return source.fixed
    if not text:
        return None
    duration = parse_duration(text)
    if duration is not None:
        return duration
    try:
        return max(0, micros(text) - now)
    except ValueError:
        return source.fixed
