"""Who is nominated to run where.

Source: kubernetes/kubernetes pkg/scheduler/backend/queue/nominator.go, v1.36.1.
"""

from collections.abc import Collection, Sequence

from gpusched.cluster.news import News
from gpusched.cluster.pod import PodInfo


class Nominator:
    """Nominated pods by node, in the order of their nomination.

    Attributes:
        news: The nodes to which pods were nominated, or are not any more, in order.
    """

    def __init__(self) -> None:
        self.news: News[str] = News()
        self._by_node: dict[str, list[PodInfo]] = {}
        self._node_of: dict[str, str] = {}

    @property
    def is_empty(self) -> bool:
        """Return True if nobody is nominated."""
        return not self._node_of

    def nodes(self) -> Collection[str]:
        """Return the nodes to which somebody is nominated."""
        return self._by_node.keys()

    def on(self, node: str) -> Sequence[PodInfo]:
        """Return the pods nominated to ``node``."""
        return self._by_node.get(node, ())

    def rivals(self, pod: PodInfo, node: str) -> Sequence[PodInfo]:
        """Return the pods nominated to ``node`` that ``pod`` may not push aside."""
        return [
            other
            for other in self._by_node.get(node, ())
            if other.priority >= pod.priority and other.uid != pod.uid
        ]

    def node_of(self, uid: str) -> str:
        """Return where a pod is nominated, or an empty string."""
        return self._node_of.get(uid, "")

    def add(self, pod: PodInfo, node: str) -> None:
        """Nominate a pod; an earlier nomination of it is forgotten."""
        self.remove(pod.uid)
        self.news.add(node)
        self._node_of[pod.uid] = node
        self._by_node.setdefault(node, []).append(pod)

    def remove(self, uid: str) -> None:
        """Forget a pod's nomination, if it has one."""
        node = self._node_of.pop(uid, None)
        if node is None:
            return
        self.news.add(node)
        left = [pod for pod in self._by_node[node] if pod.uid != uid]
        if left:
            self._by_node[node] = left
        else:
            del self._by_node[node]
