"""How long things take outside of Kubernetes' own timers.

Requests, watches, client rates, KWOK's reaction.

`ZERO` is the default. `RECORDED` is what the recordings of a real control plane on loopback show:

* ``request``, ``create``, ``event``, ``apart``, ``together``, ``kwok``, ``kwok_removal``,
  ``user``, ``users``, ``kubectl``, ``attempt``, ``preemption`` and ``eviction`` are medians.
* ``refusal`` is a mean: a status write takes 6.8 ms in the median and 9.9 on the average, and where
  several follow one another it is the sum that decides what comes in between.
* ``behind``, ``kwok_apart`` and ``kwok_first_removal`` fit: writes that are due at one instant are
  seen up to two milliseconds apart, and the first removal takes two to six milliseconds longer than
  those that follow.
* ``light``, ``watch``, ``kwok_node``, ``kwok_start`` and ``bootstrap`` are whole milliseconds that
  fit, for nothing in the recordings shows them alone.
* ``rate`` is the controller manager's default.
"""

from dataclasses import dataclass

MILLISECOND = 1000


@dataclass(frozen=True, slots=True)
class Rate:
    """A client's request budget: a token bucket.

    Attributes:
        per_second: Tokens that come back per second.
        burst: Tokens at most.
    """

    per_second: int
    burst: int


@dataclass(frozen=True, slots=True)
class Latency:
    """One latency model. Times are microseconds.

    Attributes:
        name: Its name in a scenario.
        request: From a controller's request to the write.
        create: The same for the creation of an object.
        event: The same for an event.
        apart: By how much deletions that are sent side by side arrive one after the other.
        behind: How far apart the deletions of different syncs lie at least.
        together: By how much each of several creations that are sent side by side delays them all.
        light: The same for reading an object, and for patching one that was just read; also from a
            controller's request for a pod until admission judges it.
        watch: From a write to its watchers.
        kwok: From what KWOK sees of a pod to its own write.
        kwok_removal: The same for the removal of a deleted pod.
        kwok_first_removal: By how much longer the first removal takes.
        kwok_apart: How far apart two writes of a KWOK process lie at least.
        kwok_node: The same for a node.
        kwok_start: The same for the first node that a KWOK process sees.
        user: From a user's request to the write.
        users: The same for each of several requests that follow one another.
        kubectl: From the start of a kubectl command to its first request.
        bootstrap: From the API server's start to its own priority classes.
        attempt: From the beginning of one scheduling attempt to that of the next.
        refusal: By how much longer it is after an attempt that has to write why it failed.
        preemption: The patch of a victim's condition.
        eviction: Its deletion.
        rate: Request budget of each controller; None for no limit.
    """

    name: str
    request: int = 0
    create: int = 0
    event: int = 0
    apart: int = 0
    behind: int = 0
    together: int = 0
    light: int = 0
    watch: int = 0
    kwok: int = 0
    kwok_removal: int = 0
    kwok_first_removal: int = 0
    kwok_apart: int = 0
    kwok_node: int = 0
    kwok_start: int = 0
    user: int = 0
    users: int = 0
    kubectl: int = 0
    bootstrap: int = 0
    attempt: int = 0
    refusal: int = 0
    preemption: int = 0
    eviction: int = 0
    rate: Rate | None = None


ZERO = Latency("zero")
RECORDED = Latency(
    "recorded-v1.36",
    request=4500,
    create=6000,
    event=8600,
    apart=2500,
    behind=1500,
    together=2000,
    light=3 * MILLISECOND,
    watch=MILLISECOND,
    kwok=4000,
    kwok_removal=5600,
    kwok_first_removal=3000,
    kwok_apart=700,
    kwok_node=4 * MILLISECOND,
    kwok_start=4 * MILLISECOND,
    user=7300,
    users=10 * MILLISECOND,
    kubectl=90 * MILLISECOND,
    bootstrap=1000 * MILLISECOND,
    attempt=400,
    refusal=9500,
    preemption=7000,
    eviction=5500,
    rate=Rate(20, 30),
)
MODELS = {model.name: model for model in (ZERO, RECORDED)}
"""Every model by its name."""
