"""A scheduler plugin of your own: prefer the node where a pod leaves the fewest useless GPUs.

Free GPUs are useless to a pod that wants more of them than its node has left. How bad that is hangs
on what pods usually want, so the plugin is told the usual mix. Its score is how much less (or more)
is useless after the pod has been placed.

Source: Weng et al., Beware of Fragmentation, USENIX ATC 2023, for whole GPUs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from gpusched.api.config import ExtensionPoint
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints
from gpusched.cluster.pod import PodInfo
from gpusched.decide import Settings, answer
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import MAX_NODE_SCORE, Handle
from gpusched.kube.framework.status import Status
from gpusched.kube.plugins import IN_TREE

GPU = "nvidia.com/gpu"


@dataclass(frozen=True, slots=True)
class FragmentationScore:
    """Rates nodes by the change of useless free GPUs.

    Attributes:
        mix: (GPUs per pod, how common such pods are), in any unit.
    """

    name: ClassVar[str] = "FragmentationScore"
    mix: tuple[tuple[int, int], ...]

    @classmethod
    def create(cls, arguments: Any, _handle: Handle) -> Self:
        """Return the plugin of a profile; ``arguments`` is its ``pluginConfig`` as JSON."""
        mix: Mapping[str, int] = (arguments or {}).get("mix") or {"1": 1, "8": 1}
        return cls(tuple((int(gpus), share) for gpus, share in mix.items()))

    def score(
        self, _state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints
    ) -> Ints | Status:
        """See ScorePlugin: useless GPUs before, minus after; shape (K,)."""
        row = snapshot.nodes.resources.find(GPU)
        if row is None:
            return np.zeros(len(rows), np.int64)
        free = (snapshot.nodes.allocatable[row] - snapshot.nodes.requested[row])[rows]
        return self.useless(free) - self.useless(free - pod.shape.requests.amount(row))

    def useless(self, free: Ints) -> Ints:
        """Return how many free GPUs a pod of the mix cannot use, times the mix's total."""
        total: Ints = np.zeros(len(free), np.int64)
        for gpus, share in self.mix:
            total += share * np.where(free < gpus, free, 0)
        return total

    def normalize_score(self, _state: CycleState, _pod: PodInfo, scores: Ints) -> Ints:
        """See NormalizeScorePlugin: the best node gets 100, the worst 0."""
        spread = int(scores.max() - scores.min())
        rated: Ints = MAX_NODE_SCORE * (scores - scores.min()) // max(1, spread)
        return rated


SETTINGS = Settings(
    registry={**IN_TREE, FragmentationScore.name: FragmentationScore.create},
    extension_points={FragmentationScore.name: frozenset({ExtensionPoint.SCORE})},
)
"""What makes the plugin known: its factory, and where it takes part."""

CONFIGURATION = """
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
  - schedulerName: default-scheduler
    plugins:
      multiPoint:
        enabled:
          - name: FragmentationScore
            weight: 10
    pluginConfig:
      - name: FragmentationScore
        args:
          mix: {"1": 70, "8": 30}
"""


def node(name: str, gpus: int) -> dict[str, Any]:
    """Return a node with some GPUs."""
    amounts = {"cpu": "64", "memory": "256Gi", "pods": "110", GPU: str(gpus)}
    status = {"capacity": amounts, "allocatable": amounts}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": status}


def pod(name: str, gpus: int) -> dict[str, Any]:
    """Return a pod that wants some GPUs."""
    container = {"name": "main", "image": "cuda", "resources": {"limits": {GPU: gpus}}}
    meta = {"name": name, "namespace": "default"}
    spec = {"containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def where(config: str) -> str:
    """Return where four small pods and a large one go, under a configuration."""
    case = {
        "config": config,
        "objects": [node("large", 8), node("small", 4)],
        "pending": [*(pod(f"one-{n}", 1) for n in range(4)), pod("eight", 8)],
    }
    decisions = answer(case, SETTINGS).expect["decisions"]
    return ", ".join(f"{each['pod']} on {each.get('chosen', 'no node')}" for each in decisions)


if __name__ == "__main__":
    print("default:  ", where(""))
    print("with ours:", where(CONFIGURATION))
