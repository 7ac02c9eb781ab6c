"""What amounts mean for requests: every node state judged for every shape's requests.

Each binding makes a new node state, which each shape meets sooner or later. New states are judged
together, for all requests at once: one shape's first look at one of them answers for all shapes.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.request_table import RequestTable
from gpusched.cluster.requests import Requests
from gpusched.kube.engine.interface import EngineStatistics
from gpusched.kube.engine.loads import Loads
from gpusched.kube.engine.states import NodeStates
from gpusched.kube.framework.interface import (
    MAX_NODE_SCORE,
    AmountsFilterPlugin,
    AmountsScorePlugin,
)
from gpusched.kube.framework.runtime import Framework

READS_AMOUNTS: Final = frozenset({"NodeResourcesFit", "NodeResourcesBalancedAllocation"})
"""Plugins that read a node's resources, free and used, and its number of pods, nothing else."""

INFEASIBLE: Final = -1
INVALID: Final = -2
UNKNOWN: Final = -3
_MOST_REQUESTS: Final = 256
_FIRST_STATES: Final = 256


class Asker:
    """Requests, and where their verdicts stand in a table.

    Args:
        requests: The requests.

    Attributes:
        requests: As given.
        place: Where they stand.
        places: The register by which they do; another one begins the table anew.
    """

    __slots__ = ("place", "places", "requests")

    def __init__(self, requests: Requests) -> None:
        self.requests = requests
        self.place = -1
        self.places: dict[Requests, int] | None = None


class Verdicts:
    """The verdicts of one profile, by requests and node state.

    A verdict is `UNKNOWN` until somebody asks, `INFEASIBLE`, `INVALID` (a plugin gives a score out
    of bounds), or the weighted score of all plugins that read amounts.

    Args:
        framework: The profile.
        states: Numbers the node states.
        statistics: Where to count.
    """

    def __init__(
        self, framework: Framework, states: NodeStates, statistics: EngineStatistics
    ) -> None:
        self._states = states
        self._statistics = statistics
        self._filters = [p for p in framework.filters if isinstance(p, AmountsFilterPlugin)]
        weights = framework.profile.score_weights
        self._scorers = [
            (p, weights[p.name]) for p in framework.scorers if isinstance(p, AmountsScorePlugin)
        ]
        self._epoch = -1
        self._forget()

    def _forget(self) -> None:
        self._places: dict[Requests, int] = {}
        self._pods = RequestTable(())
        self._judged = 0
        self._table = Growing()
        names = self._states.resources
        read = {row for scorer, _ in self._scorers for row in scorer.reads(names)}
        self._loads = Loads(self._states, read)
        self._rated = 0
        self._ratings = Growing()

    @property
    def states(self) -> int:
        """Return how many node states there are."""
        return self._states.count

    def known(self, asker: Asker) -> Ints:
        """Return what is known of requests on nodes in each state; shape (>= states,). A view."""
        if self._epoch != self._states.epoch:
            self._forget()
            self._epoch = self._states.epoch
        if asker.places is not self._places:
            asker.place = self._place_of(asker.requests)
            asker.places = self._places
        self._table.reserve(0, self._states.count)
        known: Ints = self._table.cells[asker.place]
        return known

    def of(self, asker: Asker, states: Ints) -> Ints:
        """Return the verdicts of requests on nodes in these states; shape (K,)."""
        known = self.known(asker)
        if self._judged < self._states.count:
            self._judge_new_states()
        found: Ints = known.take(states)
        return found

    def _place_of(self, requests: Requests) -> int:
        place = self._places.get(requests)
        return self._add(requests) if place is None else place

    def _add(self, requests: Requests) -> int:
        """Give requests a place and judge all states that others were judged for."""
        if len(self._places) >= _MOST_REQUESTS:
            self._forget()
        place = self._places[requests] = len(self._places)
        self._pods = RequestTable((*self._pods.requests, requests))
        self._table.reserve(place + 1, 0)
        self._ratings.reserve(place + 1, 0)
        if self._judged:
            one, here = RequestTable((requests,)), slice(place, place + 1)
            self._rate(one, here, 0, self._rated)
            self._judge(one, here, 0, self._judged)
        return place

    def _judge_new_states(self) -> None:
        everybody = slice(0, len(self._pods))
        self._loads.catch_up()
        if self._rated < self._loads.count:
            self._ratings.reserve(0, self._loads.count)
            self._rate(self._pods, everybody, self._rated, self._loads.count)
            self._rated = self._loads.count
        self._judge(self._pods, everybody, self._judged, self._states.count)
        self._judged = self._states.count

    def _rate(self, pods: RequestTable, places: slice, first: int, last: int) -> None:
        """Ask the plugins that score about loads."""
        loads = self._loads.table(first, last)
        self._ratings.cells[places, first:last] = rate(pods, loads, self._scorers)

    def _judge(self, pods: RequestTable, places: slice, first: int, last: int) -> None:
        """Ask the plugins that filter about states whose loads are rated."""
        nodes = self._states.table(first, last)
        self._statistics.evaluations += len(pods) * len(nodes)
        verdicts = self._ratings.cells[places].take(self._loads.of(first, last), axis=1)
        for plugin in self._filters:
            verdicts = np.where(plugin.fits(pods, nodes), verdicts, INFEASIBLE)
        self._table.cells[places, first:last] = verdicts


class Growing:
    """A table that grows both ways.

    Attributes:
        cells: What is in it, `UNKNOWN` where nothing is; another array once it has grown.
    """

    def __init__(self) -> None:
        self.cells: Ints = np.zeros((0, _FIRST_STATES), np.int64)

    def reserve(self, rows: int, columns: int) -> None:
        """Make room for at least so many rows and columns."""
        old = self.cells
        if rows <= old.shape[0] and columns <= old.shape[1]:
            return
        more_rows = max(8, old.shape[0]) if rows > old.shape[0] else 0
        more_columns = max(columns, old.shape[1]) if columns > old.shape[1] else 0
        self.cells = np.full(
            (old.shape[0] + more_rows, old.shape[1] + more_columns), UNKNOWN, np.int64
        )
        self.cells[: old.shape[0], : old.shape[1]] = old


def rate(
    pods: RequestTable, nodes: Nodes, scorers: Sequence[tuple[AmountsScorePlugin, int]]
) -> Ints:
    """Return the weighted scores of all pods on all nodes; shape (P, N); or `INVALID`."""
    ratings = np.zeros((len(pods), len(nodes)), np.int64)
    invalid: list[Mask] = []
    for scorer, weight in scorers:
        scores = scorer.rate(pods, nodes)
        # Read without its sign a negative score is larger than any.
        if scores.view(np.uint64).max() > MAX_NODE_SCORE:
            invalid.append((scores < 0) | (scores > MAX_NODE_SCORE))
        ratings += scores * weight
    for wrong in invalid:
        ratings[wrong] = INVALID
    return ratings
