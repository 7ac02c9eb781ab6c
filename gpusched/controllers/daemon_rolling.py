"""How a DaemonSet goes over to a new revision: by leaving gaps, or by surging.

Source: kubernetes/kubernetes pkg/controller/daemon/update.go (rollingUpdate), v1.36.1
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gpusched.controllers.daemon_nodes import judge, pods_by_node
from gpusched.controllers.pods import is_available
from gpusched.controllers.protocol import Json, PodView, Reader
from gpusched.controllers.revisions import LABEL
from gpusched.controllers.rollout import scaled


class Steps(NamedTuple):
    """What to do next.

    Attributes:
        doomed: Pods to delete.
        nodes: Where to create a second pod beside the old one.
    """

    doomed: Sequence[PodView]
    nodes: Sequence[str]


class _Place(NamedTuple):
    """One node's pods that are not being deleted."""

    node: str
    new: PodView | None
    old: PodView | None


def allows_surge(found: Json) -> bool:
    """Return whether a DaemonSet may have two pods on a node for a while."""
    return bool(_limit(found, "maxSurge", 0, 1))


def next_steps(found: Json, label: str, reader: Reader) -> Steps:
    """Return what a rolling update does now."""
    nodes = {node["metadata"]["name"]: judge(found, node)[0] for node in reader.objects("Node")}
    pods: dict[str, Sequence[PodView]] = dict(pods_by_node(found, reader))
    for name, wanted in nodes.items():
        if wanted:
            pods.setdefault(name, ())
    total = sum(nodes.values())
    surge = _limit(found, "maxSurge", 0, total)
    roll = _Roll(found, reader.now)
    if surge:
        return roll.surging(pods, label, surge, nodes)
    return roll.leaving_gaps(pods, label, _limit(found, "maxUnavailable", 1, total) or 1)


def _limit(found: Json, name: str, default: int, total: int) -> int:
    strategy = found["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return 0
    return scaled((strategy.get("rollingUpdate") or {}).get(name, default), total, up=True)


class _Roll:
    def __init__(self, found: Json, now: int) -> None:
        self._found = found
        self._wait = found["spec"].get("minReadySeconds", 0)
        self._now = now

    def leaving_gaps(self, pods: Mapping[str, Sequence[PodView]], label: str, gaps: int) -> Steps:
        """Replace what is unavailable, and of the others as many as may be."""
        places = [*_places(pods, label)]
        missing = len(pods) - len(places)
        at_once: list[PodView] = []
        candidates: list[PodView] = []
        for place in places:
            old = place.old
            if old is not None and place.new is None:
                if not self._serves(old):
                    at_once.append(old)
                    missing += 1
                elif missing < gaps:
                    candidates.append(old)
            elif old is not None or not self._serves(place.new):
                missing += 1
        return Steps([*at_once, *candidates[: max(0, gaps - missing)]], ())

    def surging(
        self,
        pods: Mapping[str, Sequence[PodView]],
        label: str,
        surge: int,
        nodes: Mapping[str, bool],
    ) -> Steps:
        """Create new pods beside old ones, which go when those serve.

        Args:
            pods: By node.
            label: The new revision's.
            surge: How many nodes may have two pods.
            nodes: Whether each should get a pod.
        """
        found: defaultdict[str, list[_Place]] = defaultdict(list)
        places = [*_places(pods, label)]
        for place in places:
            found[self._state(place, nodes)].append(place)
        under_way = len(pods) - len(places) + len(found["waits"])
        spare = sum(self._serves(it.old or it.new) for it in places) - sum(nodes.values())
        doomed = [*found["over"], *found["misplaced"][: max(0, spare)]]
        chosen = [*found["down"], *found["serves"][: max(0, surge - under_way)]]
        return Steps([it.old for it in doomed if it.old is not None], [it.node for it in chosen])

    def _state(self, place: _Place, nodes: Mapping[str, bool]) -> str:
        """Return how far a surge on a node is."""
        if place.old is None:
            return "done"
        if place.new is not None:
            return "over" if self._serves(place.new) else "waits"
        if not nodes.get(place.node):
            return "misplaced" if self._serves(place.old) else "over"
        return "serves" if self._serves(place.old) else "down"

    def _serves(self, pod: PodView | None) -> bool:
        return pod is not None and is_available(pod, self._wait, self._now)


def _places(pods: Mapping[str, Sequence[PodView]], label: str) -> Iterator[_Place]:
    """Yield the nodes with at most one new and one old pod; the others are pruned first."""
    for node, here in pods.items():
        alive = [pod for pod in here if pod.deletion is None]
        new = [pod for pod in alive if pod.labels.get(LABEL) == label]
        old = [pod for pod in alive if pod.labels.get(LABEL) != label]
        if len(new) < 2 and len(old) < 2:  # noqa: PLR2004 - at most one of each
            yield _Place(node, new[0] if new else None, old[0] if old else None)
