"""What a DaemonSet lacks on its nodes, and what is there too much.

Source: kubernetes/kubernetes pkg/controller/daemon/daemon_controller.go (podsShouldBeOnNode),
v1.36.1
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gpusched.controllers.daemon_nodes import judge, pods_by_node
from gpusched.controllers.daemon_rolling import allows_surge
from gpusched.controllers.pods import is_available
from gpusched.controllers.protocol import SECOND, Json, PodView, Reader
from gpusched.controllers.revisions import LABEL

_FIRST, _LONGEST = SECOND, 900 * SECOND


@dataclass(slots=True)
class Survey:
    """What is to be done.

    Attributes:
        missing: Nodes that need a pod.
        doomed: Pods to delete.
        told: Types, reasons and messages of events.
        again: In how many microseconds to look again, or None.
    """

    missing: list[str] = field(default_factory=list)
    doomed: list[PodView] = field(default_factory=list)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    again: int | None = None


@dataclass(slots=True)
class Failures:
    """Remembers where pods have failed, so that they are replaced less and less often."""

    _seen: dict[Any, tuple[int, int]] = field(default_factory=dict)

    def survey(self, found: Json, label: str, reader: Reader) -> Survey:
        """Look at each node."""
        result = Survey()
        pods = pods_by_node(found, reader)
        surges = allows_surge(found)
        names = set()
        for node in reader.objects("Node"):
            name = node["metadata"]["name"]
            names.add(name)
            should_run, may_stay = judge(found, node)
            here = [pod for pod in pods.get(name, ()) if pod.deletion is None]
            if should_run and not pods.get(name):
                result.missing.append(name)
            elif not may_stay:
                result.doomed += here
            else:
                running = self._running(found, name, here, reader.now, result)
                if surges and should_run and not running:
                    result.missing.append(name)
                result.doomed += _excess(found, label, running, reader.now, surges=surges)
        for name, strays in pods.items():
            if name not in names:
                result.doomed += [pod for pod in strays if not pod.node and pod.deletion is None]
        return result

    def _running(
        self, found: Json, node: str, here: Sequence[PodView], now: int, result: Survey
    ) -> list[PodView]:
        """Return the pods that have not ended; those that have must go, if not too often."""
        running = []
        for pod in here:
            which = f"daemon pod {pod.namespace}/{pod.name} on node {node}, will try to"
            if pod.phase == "Failed":
                left = self._backoff(found, node, now)
                if left:
                    result.again = left
                    continue
                result.told.append(("Warning", "FailedDaemonPod", f"Found failed {which} kill it"))
                result.doomed.append(pod)
            elif pod.phase == "Succeeded":
                words = f"Found succeeded {which} delete it"
                result.told.append(("Normal", "SucceededDaemonPod", words))
                result.doomed.append(pod)
            else:
                running.append(pod)
        return running

    def _backoff(self, found: Json, node: str, now: int) -> int:
        """Return how long a failed pod has to stay yet; count it if it may go."""
        observed = (found.get("status") or {}).get("observedGeneration", 0)
        key = (found["metadata"]["uid"], observed, node)
        pause, since = self._seen.get(key, (0, now))
        if pause and now - since < pause:
            return pause
        forgotten = not pause or now - since > 2 * _LONGEST
        self._seen[key] = (_FIRST if forgotten else min(2 * pause, _LONGEST), now)
        return 0


def _excess(
    found: Json, label: str, running: Sequence[PodView], now: int, *, surges: bool
) -> Sequence[PodView]:
    """Return the pods of a node that are too many: all but the oldest, or but one of each kind."""
    if not surges or len(running) < 2:  # noqa: PLR2004 - one pod is never too many
        return running[1:]
    new = [pod for pod in running if pod.labels.get(LABEL) == label]
    old = [pod for pod in running if pod.labels.get(LABEL) != label]
    wait = found["spec"].get("minReadySeconds", 0)
    over = new and old and (not old[0].ready or is_available(new[0], wait, now))
    return [*new[1:], *old[1:], *(old[:1] if over else ())]
