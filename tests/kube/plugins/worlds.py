"""Small clusters for plugin tests, written in one line each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gpusched.api.config import default_configuration
from gpusched.api.core import Namespace, Node, Pod
from gpusched.cluster.cache import Cache, Snapshot
from gpusched.cluster.node import NodeInfo, compile_node
from gpusched.cluster.nodes import Ints
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo, compile_pod
from gpusched.cluster.resources import ResourceNames
from gpusched.kube.cycle import Attempt, Search, name_tie_break, schedule
from gpusched.kube.framework.events import Change
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.framework.status import Code, Rejection
from gpusched.kube.nominator import Nominator
from gpusched.kube.plugins import IN_TREE

ZONE = "topology.kubernetes.io/zone"
HOSTNAME = "kubernetes.io/hostname"

Json = dict[str, Any]


class World:
    """A cache with what a test puts into it."""

    def __init__(self) -> None:
        self.resources = ResourceNames()
        self.objects = ClusterObjects()
        self.cache = Cache(self.resources, self.objects)
        self.nominator = Nominator()

    @property
    def snapshot(self) -> Snapshot:
        return self.cache.snapshot()

    def node_info(self, name: str, labels: Mapping[str, str], spec: Json | None = None) -> NodeInfo:
        node: Json = {
            "metadata": {"name": name, "labels": {HOSTNAME: name, **labels}},
            "spec": spec or {},
            "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
        }
        return compile_node(Node.model_validate(node), self.resources)

    def nodes(self, zones: Mapping[str, str | None]) -> None:
        """Add nodes by name with their zones; None for a node without one."""
        for name, zone in zones.items():
            self.cache.add_node(self.node_info(name, {} if zone is None else {ZONE: zone}))

    def namespace(self, name: str, **labels: str) -> None:
        obj = {"metadata": {"name": name, "labels": labels}}
        self.objects.namespaces.put(name, Namespace.model_validate(obj))

    def pod(self, name: str, spec: Json | None = None, **metadata: Any) -> PodInfo:
        """Return a pod that is nowhere yet; ``status`` is one of the keywords."""
        status = metadata.pop("status", {})
        pod: Json = {
            "metadata": {"name": name, "namespace": "default", "uid": name, **metadata},
            "spec": {"containers": [{"name": "c"}], **(spec or {})},
            "status": status,
        }
        return compile_pod(Pod.model_validate(pod), self.resources)

    def placed(self, name: str, node: str, spec: Json | None = None, **metadata: Any) -> PodInfo:
        """Put a pod, started long ago, on a node and return it."""
        status = {"startTime": "2026-01-01T00:00:00Z", **metadata.pop("status", {})}
        pod = self.pod(name, spec, status=status, **metadata)
        self.cache.add_pod(pod, node)
        return pod

    def copy_of(self, node: str) -> int:
        row = self.snapshot.nodes.row_of(node)
        assert row is not None
        return row

    def rows(self, *names: str) -> Ints:
        return np.array([self.copy_of(name) for name in names], np.int64)

    def change(self, old: Any, new: Any) -> Change:
        return Change(old, new, self.snapshot)

    def turned_away(self, rejections: Sequence[Rejection]) -> dict[str, tuple[str, str]]:
        """Return node -> (reason, code) of a plugin's rejections."""
        found: dict[str, tuple[str, str]] = {}
        for rejection in rejections:
            for row in np.flatnonzero(rejection.nodes).tolist():
                name = self.snapshot.nodes.info(row).name
                assert name not in found, "one node, two rejections"
                found[name] = rejection.reason, Code(rejection.code).label
        return found

    def framework(self, *plugins: str, draw: Callable[[int], int] = lambda _: 0) -> Framework:
        """Return the default profile with these plugins only."""
        profile = default_configuration().profiles[0]
        points = {
            point: tuple(name for name in names if name in plugins)
            for point, names in profile.plugins.items()
        }
        return Framework(replace(profile, plugins=points), IN_TREE, self.nominator, draw)

    def attempt(self, framework: Framework, pod: PodInfo) -> Attempt:
        return schedule(framework, self.snapshot, pod, Search(0, 100, name_tie_break))


def cpu(amount: str, **spec: Any) -> Json:
    """Return a pod spec that asks for cpu."""
    container = {"name": "c", "resources": {"requests": {"cpu": amount}}}
    return {"containers": [container], **spec}
