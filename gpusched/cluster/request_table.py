"""What many pods ask for, as columns that stand across those of nodes.

With resources along the first axis, pods along the second and nodes along the last, a formula
written once holds for one pod on all nodes as well as for many pods on a few.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gpusched.cluster.columns import Ints, Mask
from gpusched.cluster.pod import PodShape
from gpusched.cluster.requests import Requests
from gpusched.cluster.resources import STANDARD

Rows = tuple[int, ...]
_DEBT: Final = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Pods for which the same ones of some resources count: of scalar ones those they ask for.

    Attributes:
        pods: The places of these pods; shape (G,).
        kept: The places of the resources that count; shape (R,).
        rows: The rows of the resources that count; shape (R,).
        asked: What is asked for; shape (R, G, 1).
        asked_or_not: The same and, as one more pod, nothing; shape (R, G + 1, 1).
        anything: Whether a pod asks for any of them; shape (G, 1).
    """

    pods: Ints
    kept: Ints
    rows: Ints
    asked: Ints
    asked_or_not: Ints
    anything: Mask


class Asked:
    """Amounts that P pods ask for.

    Args:
        pods: The amounts of each pod, by row.
    """

    def __init__(self, pods: Sequence[Mapping[int, int]]) -> None:
        self._pods = pods
        self._columns: dict[Rows, Ints] = {}
        self._named: dict[Rows, tuple[Ints, Ints]] = {}
        self._counted: dict[Rows, Sequence[Counted]] = {}

    def of(self, rows: Rows) -> Ints:
        """Return what is asked of R resources; 0 where one is not named; shape (R, P, 1)."""
        if rows not in self._columns:
            amounts = [[pod.get(row, 0) for pod in self._pods] for row in rows]
            table = np.array(amounts, np.int64).reshape(len(rows), len(self._pods), 1)
            self._columns[rows] = table
        return self._columns[rows]

    def named(self, rows: Rows) -> tuple[Ints, Ints]:
        """Return resources as an array, and the least that must be free of each for each pod.

        That is any amount, a debt included, where nothing is asked for.

        Returns:
            Shapes (R,) and (R, P, 1).
        """
        if rows not in self._named:
            asked = self.of(rows)
            least = np.where(asked == 0, _DEBT, asked)
            self._named[rows] = np.array(rows, np.int64), least
        return self._named[rows]

    def counted(self, rows: Rows) -> Sequence[Counted]:
        """Return the pods in groups by which of these resources count.

        Args:
            rows: The resources; -1 for one that nobody has named, which never counts.
        """
        if rows not in self._counted:
            self._counted[rows] = self._group(rows)
        return self._counted[rows]

    def _group(self, rows: Rows) -> Sequence[Counted]:
        groups: dict[Rows, list[int]] = {}
        if all(0 <= row < len(STANDARD) for row in rows):
            groups[tuple(range(len(rows)))] = list(range(len(self._pods)))
        else:
            for at, pod in enumerate(self._pods):
                kept = (i for i, row in enumerate(rows) if 0 <= row < len(STANDARD) or pod.get(row))
                groups.setdefault(tuple(kept), []).append(at)
        table, at_row = self.of(rows), np.array(rows, np.int64)
        found = []
        for counting, pods in groups.items():
            members, resources = np.array(pods, np.int64), np.array(counting, np.int64)
            asked = table[resources][:, members]
            nothing = np.zeros((len(resources), 1, 1), np.int64)
            found.append(
                Counted(
                    members,
                    resources,
                    at_row[resources],
                    asked,
                    np.concatenate([asked, nothing], axis=1),
                    np.asarray(asked.any(axis=0)),
                )
            )
        return found


class RequestTable:
    """The requests of P pods.

    Args:
        requests: What each of them asks for.

    Attributes:
        requests: As given.
        rows: All resources that any of them names, ascending.
        amounts: What Filter counts.
        scored: What NodeResourcesFit scores by.
    """

    def __init__(self, requests: Sequence[Requests]) -> None:
        self.requests = tuple(requests)
        self.rows: Rows = tuple(sorted({row for each in self.requests for row in each.rows}))
        self.amounts = Asked([dict(zip(each.rows, each.amounts, strict=True)) for each in requests])
        self.scored = Asked([dict(each.scored) for each in requests])

    def __len__(self) -> int:
        """Return the number of pods, P."""
        return len(self.requests)

    def gather(self, groups: Sequence[Counted], rate: Callable[[Counted], Ints]) -> Ints:
        """Return the scores of all pods, rated group by group; shape (P, K)."""
        if len(groups) == 1:
            return rate(groups[0])
        rated = [rate(group) for group in groups]
        scores = np.empty((len(self), rated[0].shape[1]), np.int64)
        for group, found in zip(groups, rated, strict=True):
            scores[group.pods] = found
        return scores


def table_of(shape: PodShape) -> RequestTable:
    """Return the table of one pod of this shape."""
    return shape.memo(_table_of_one, _table_of_one)


def _table_of_one(shape: PodShape) -> RequestTable:
    return RequestTable((shape.requests,))
