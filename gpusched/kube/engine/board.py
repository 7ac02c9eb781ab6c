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


class Glance:
    """The verdicts of a plan that is used for the first time, and most often the last.

    Args:
        plan: Whose verdicts.
        walk: The order of nodes.
        states: The state of each node.
    """

    def __init__(self, plan: Plan, walk: Walk, states: NodeStates) -> None:
        self._plan = plan
        self._walk = walk
        self._states = states

    def look(self, start: int, size: int) -> tuple[Ints, int]:
        """See `Board.look`."""
        rows, allowed = self._walk.rows[start : start + size], self._plan.allowed
        found = self._plan.verdicts_of(self._states.ids[rows])
        if allowed is not None:
            found = np.where(allowed[rows], found, INFEASIBLE)
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
        self._read = states.changed
        self._seen = 0
        self._verdicts: Ints = np.empty(2 * len(walk.order), np.int64)
        self._read_all()

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
        states = self._states
        if self._read is not states.changed:
            self._read_all()
            return
        rows = states.changed[self._seen : states.changes]
        self._seen = states.changes
        if len(rows) > len(self._walk.order):
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
        self._read = self._states.changed
        self._seen = self._states.changes
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
