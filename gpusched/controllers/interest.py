"""Which changes of pods somebody wants to hear of.

A cluster writes every pod several times, and most watchers care for few of these writes. What they
care for is declared, so that the rest never reaches them. Nothing may be left out that would make
a watcher do something: `tests/laws/test_interests.py` asks everybody who was not told.

This file must not know who watches, nor how a pod is stored.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

CREATED: Final = 1
BOUND: Final = 2
"""It has its node: by a binding, or because it was created with one."""
STARTED: Final = 4
ENDED: Final = 8
"""It has reached a terminal phase."""
TOLD: Final = 16
"""One of its conditions or its phase was set."""
REFUSED: Final = 32
"""An attempt to schedule it has failed."""
MARKED: Final = 64
"""It was marked for deletion."""
RELEASED: Final = 128
"""A finalizer was taken off."""
GONE: Final = 256
REWRITTEN: Final = 512
"""Anything may have changed: everybody whom the pod concerns is told."""
ANYTHING: Final = 1023

FIELDS: Final = ("volumes", "resourceClaims")
"""Fields of a pod's spec that an interest may ask for."""


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """What decides, beside the change itself, whom a pod concerns; siblings share it.

    Attributes:
        owner: The kind of the controlling owner; empty without one.
        fields: Those of `FIELDS` that its spec has.
        owned: Whether it names any owner, controlling or not.
    """

    owner: str = ""
    fields: frozenset[str] = frozenset()
    owned: bool = False


@cache
def traits_of(owner: str, fields: frozenset[str], owned: bool) -> Traits:
    """Return the traits of a pod: the same object for equal ones, so that it is found at once."""
    return Traits(owner, fields, owned)


@dataclass(frozen=True, slots=True)
class PodInterest:
    """A set of changes of pods; all conditions must hold.

    Attributes:
        facets: What must have happened: any of these.
        owners: Kinds of which one must own the pod; empty for every pod.
        owned: Whether something must own it, as its controller or not.
        field: Which of `FIELDS` its spec must have; empty for every pod.
        beside: A kind of which there must be an object anywhere; empty for none.
        before: Whether the state before the change is read too; it is kept until then.
    """

    facets: int = ANYTHING
    owners: tuple[str, ...] = ()
    owned: bool = False
    field: str = ""
    beside: str = ""
    before: bool = True

    def covers(self, facets: int, traits: Traits, there_is: Callable[[str], bool]) -> bool:
        """Return whether a change is in the set.

        Args:
            facets: What happened.
            traits: Whom the pod may concern.
            there_is: Whether there is any object of a kind.

        >>> starts = PodInterest(STARTED, owners=("Job",))
        >>> starts.covers(STARTED, Traits("Job"), lambda kind: False)
        True
        >>> starts.covers(BOUND, Traits("Job"), lambda kind: False)
        False
        """
        return self.may_cover(facets, traits) and (not self.beside or there_is(self.beside))

    def may_cover(self, facets: int, traits: Traits) -> bool:
        """Return whether a change is in the set, or would be if `beside` were fulfilled."""
        return (
            bool(facets & (self.facets | REWRITTEN))
            and (not self.owners or traits.owner in self.owners)
            and not (self.owned and not traits.owned)
            and (not self.field or self.field in traits.fields)
        )


EVERY_CHANGE: Final = (PodInterest(),)
"""Every change of every pod."""
EVERY_NEW_STATE: Final = (PodInterest(before=False),)
"""The same, for who looks at the state after the change only."""


def of_owners(*owners: str, before: bool = True) -> tuple[PodInterest, ...]:
    """Return the interest in every change of the pods that objects of these kinds own."""
    return (PodInterest(owners=owners, before=before),)
