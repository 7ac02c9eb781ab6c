"""A plan's verdicts laid out as a cycle walks over the nodes, so that a look at them is one slice.

A verdict follows from a node's state (`states.py`). Whoever asks time and again about five hundred
nodes of which one has changed keeps the answers and looks up that one.
"""

from typing import Final

import numpy as np

from gpusched.cluster.nodes import Ints
from gpusched.kube.engine.plan import Plan
from gpusched.kube.engine.states import NodeStates
from gpusched.kube.engine.verdicts import INFEASIBLE, UNKNOWN

_FEW: Final = 8


class Changes:
    """Reads which rows have changed their state: all at first, then each change once.

    Args:
        states: The state of each node.
    """

    def __init__(self, states: NodeStates) -> None:
        self._states = states
        self._read: Ints | None = None
        self._seen = 0

    def since(self) -> Ints | None:
        """Return the rows that have changed since the last time; None for all."""
        states, seen = self._states, self._seen
        self._seen = states.changes
        if self._read is not states.changed:
            self._read = states.changed
            return None
        rows = states.changed[seen : states.changes]
        return None if len(rows) > len(states.ids) else rows


class Walk:
    """The order in which a cycle looks at nodes, twice over: every rotation of it is one slice.

    Args:
        order: Rows in that order; shape (N,).

    Attributes:
        rows: The order, twice; shape (2N,).
        places: Where in the order each row stands; shape (N,).
    """

    def __init__(self, order: Ints) -> None:
        self.order = order
        self.rows: Ints = np.concatenate([order, order])
        self.places = np.empty(len(order), np.int64)
        self.places[order] = np.arange(len(order))


class WalkedStates:
    """The states of nodes in the order of the walk.

    Args:
        walk: The order of nodes.
        states: The state of each node.
    """

    def __init__(self, walk: Walk, states: NodeStates) -> None:
        self._walk = walk
        self._states = states
        self._changes = Changes(states)
        self._ids = np.empty(len(walk.rows), np.int64)

    def of(self, start: int, size: int) -> Ints:
        """Return the states of ``size`` nodes from ``start`` on; a view, good until they change."""
        walk, ids = self._walk, self._ids
        rows = self._changes.since()
        if rows is None:
            ids[:] = self._states.ids[walk.rows]
        elif len(rows) > _FEW:
            places, now = walk.places[rows], self._states.ids[rows]
            ids[places] = now
            ids[places + len(walk.order)] = now
        else:
            for row in rows.tolist():
                place = walk.places.item(row)
                ids[place] = ids[place + len(walk.order)] = self._states.ids.item(row)
        return ids[start : start + size]


class Glance:
    """The verdicts of a plan, looked up at each look: for few nodes that is cheap.

    Args:
        plan: Whose verdicts; it lives no longer than the node objects.
        walk: The order of nodes.
        states: The states in that order.
    """

    def __init__(self, plan: Plan, walk: Walk, states: WalkedStates) -> None:
        self._plan = plan
        self._states = states
        self._allowed = None if plan.allowed is None else plan.allowed[walk.rows]

    def look(self, start: int, size: int) -> tuple[Ints, int]:
        """See `Board.look`."""
        states = self._states.of(start, size)
        known: Ints = self._plan.known_verdicts()
        found = known.take(states)
        lowest = found.item(found.argmin())
        if lowest == UNKNOWN:
            found = self._plan.verdicts_of(states)
            lowest = found.item(found.argmin())
        if self._allowed is None:
            return found, lowest
        found = np.where(self._allowed[start : start + size], found, INFEASIBLE)
        return found, found.item(found.argmin())


class Board:
    """The verdicts of one plan, kept up to date by the rows that change.

    Args:
        plan: Whose verdicts; it lives no longer than the node objects.
        walk: The order of nodes.
        states: The state of each node.
    """

    def __init__(self, plan: Plan, walk: Walk, states: NodeStates) -> None:
        self._plan = plan
        self._walk = walk
        self._states = states
        self._changes = Changes(states)
        self._verdicts: Ints = np.empty(2 * len(walk.order), np.int64)

    def look(self, start: int, size: int) -> tuple[Ints, int]:
        """Return the verdicts of ``size`` nodes from ``start`` on, and the lowest of them.

        Rows that the plan does not allow are `INFEASIBLE`. A view: good until the next look.
        """
        self._catch_up()
        found = self._verdicts[start : start + size]
        lowest = found.item(found.argmin())
        if lowest == UNKNOWN:
            unknown = (found == UNKNOWN).nonzero()[0]
            rows = self._walk.rows[start + unknown]
            self._put(rows, self._plan.verdicts_of(self._states.ids[rows]))
            lowest = found.item(found.argmin())
        return found, lowest

    def _catch_up(self) -> None:
        """Read the verdicts of the rows that have changed since the last look."""
        rows = self._changes.since()
        if rows is None:
            self._read_all()
        elif len(rows) > _FEW:
            self._put(rows, self._known(rows))
        elif len(rows):
            known = self._plan.known_verdicts()
            for row in rows.tolist():
                self._read_one(row, known)

    def _read_one(self, row: int, known: Ints) -> None:
        """Do what `_put` and `_known` do, for one row, without arrays."""
        plan, place = self._plan, self._walk.places.item(row)
        verdict = INFEASIBLE
        if plan.allowed is None or plan.allowed[row]:
            verdict = known.item(self._states.ids.item(row))
        self._verdicts[place] = self._verdicts[place + len(self._walk.order)] = verdict

    def _read_all(self) -> None:
        found = self._known(self._walk.order)
        self._verdicts[: len(found)] = self._verdicts[len(found) :] = found

    def _known(self, rows: Ints) -> Ints:
        """Return what is known of rows, `UNKNOWN` where nobody has asked yet."""
        plan = self._plan
        found = plan.known_verdicts()[self._states.ids[rows]]
        if plan.allowed is None:
            return found
        return np.where(plan.allowed[rows], found, INFEASIBLE)

    def _put(self, rows: Ints, verdicts: Ints) -> None:
        places = self._walk.places[rows]
        self._verdicts[places] = verdicts
        self._verdicts[places + len(self._walk.order)] = verdicts
