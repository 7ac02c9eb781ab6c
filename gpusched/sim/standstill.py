"""A run whose clock does not move any more: somebody undoes at once what somebody else does.

On a real cluster they would chase each other as well, but time would go by. Without latency all of
it happens at one instant, and a run would never end.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from gpusched.errors import GpuschedError
from gpusched.sim.store import Store

ENOUGH: Final = 50_000
ENOUGH_PER_OBJECT: Final = 100
"""An instant in which all is created, bound and started takes less than ten per pod or node."""

_RECENT: Final = 1000
_REMEDY: Final = (
    "Things take no time in this run: let them, with `latency: recorded-v1.36` in the scenario's"
    " spec, and the same happens step by step; or keep these pods from pushing each other aside,"
    " by priorities or affinity"
)


class StandstillError(GpuschedError):
    """The clock stands still; the message names the instant, the likely pods and the remedy."""


def refuse_to_stand_still(store: Store, actions: int) -> None:
    """Stop a run that does too much at one instant.

    Args:
        store: Everything there is.
        actions: How many actions have been planned while the clock stood still.

    Raises:
        StandstillError: They are too many for what there is.
    """
    if actions < ENOUGH + ENOUGH_PER_OBJECT * len(store):
        return
    instant = f"{store.stamp()} ({store.now / 1e6:.6f} s)"
    raise StandstillError(
        f"the clock stands still at {instant}: {actions:,} actions and no end."
        f" {_suspects(store)}. {_REMEDY}."
    )


def _suspects(store: Store) -> str:
    """Return who is likely to chase whom: preemptors, or else whom most events are about."""
    recent = list(islice(reversed(store.events), _RECENT))
    evicted = [record for record in recent if record.reason == "Preempted"]
    names = {pod.uid: f"{pod.namespace}/{pod.name}" for pod in store.pods()}
    words = (word for record in evicted for word in record.message.split())
    preemptors = Counter(names[word] for word in words if word in names)
    if preemptors:
        last = evicted[0].regarding
        who = ", ".join(_counted(preemptors, "preemptions"))
        return f"Likely: {who}; the last victim is {last['namespace']}/{last['name']}"
    about = Counter(f"{r.regarding['kind']} {r.namespace}/{r.regarding['name']}" for r in recent)
    return f"Likely: {', '.join(_counted(about, 'events'))}" if about else "Nobody wrote events"


def _counted(counts: Counter[str], what: str) -> Iterator[str]:
    return (f"{name} ({count} of the last {what})" for name, count in counts.most_common(3))
