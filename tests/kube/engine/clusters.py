"""Clusters that change between attempts, for engines to disagree about."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpusched.api.config import Profile, load_configuration
from gpusched.api.core import Pod
from gpusched.api.scheme import kind_of, model_of
from gpusched.cluster.cache import Cache
from gpusched.cluster.node import compile_node
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo, PodShape, compile_pod
from gpusched.cluster.resources import ResourceNames
from gpusched.decide import claims
from gpusched.decide.accepting import accept
from gpusched.kube.cycle import Attempt, Result, Search, TieBreak, heap_tie_break
from gpusched.kube.engine import Engine
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.nominator import Nominator
from gpusched.kube.plugins import IN_TREE

Json = dict[str, Any]

ZONE = "topology.kubernetes.io/zone"
HOSTNAME = "kubernetes.io/hostname"
_LISTERS = {
    "DeviceClass": "device_classes",
    "Namespace": "namespaces",
    "PersistentVolume": "volumes",
    "PersistentVolumeClaim": "claims",
    "PodDisruptionBudget": "disruption_budgets",
    "ReplicaSet": "replica_sets",
    "ReplicationController": "replication_controllers",
    "ResourceClaim": "resource_claims",
    "ResourceSlice": "resource_slices",
    "Service": "services",
    "StatefulSet": "stateful_sets",
    "StorageClass": "storage_classes",
}


def stored(obj: Json) -> Any:
    """Return an object's model as the API server would have stored it."""
    accepted = accept(obj)
    assert not accepted.errors, accepted.errors
    return model_of(accepted.stored)


def profile_of(written: Json) -> Profile:
    """Return a profile as a user writes it, with all defaults."""
    head = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}
    return load_configuration(json.dumps({**head, "profiles": [written]})).profiles[0]


class Cluster:
    """A cache, one profile and an engine; replicas of one template share their shape."""

    def __init__(
        self,
        make_engine: Callable[[Cache], Engine],
        profile: Json | None = None,
        lots: Callable[[int], int] = lambda _bound: 0,
    ) -> None:
        self.cache = Cache(ResourceNames(), ClusterObjects())
        self.nominator = Nominator()
        self.framework = Framework(profile_of(profile or {}), IN_TREE, self.nominator, lots)
        self.engine = make_engine(self.cache)
        self.next_start = 0
        self.percentage = 100
        self.tie_break: TieBreak = heap_tie_break
        self.pods: dict[str, PodInfo] = {}
        self._shapes: dict[str, PodShape] = {}
        self._kin: dict[str, object] = {}
        self._count = 0

    def put(self, obj: Json) -> None:
        """Add or replace any object but nodes and pods."""
        lister, key = self._place(obj)
        lister.put(key, stored(obj))

    def drop(self, obj: Json) -> None:
        """Delete any object but nodes and pods, if it is there."""
        lister, key = self._place(obj)
        lister.delete(key)

    def _place(self, obj: Json) -> tuple[Any, Any]:
        kind, metadata = kind_of(obj), obj["metadata"]
        assert kind is not None
        key = (metadata.get("namespace", "default"), metadata["name"])
        lister = getattr(self.cache.objects, _LISTERS[obj["kind"]])
        return lister, key if kind.namespaced else metadata["name"]

    def put_node(
        self,
        name: str,
        *,
        labels: Mapping[str, str | None] | None = None,
        allocatable: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> None:
        """Add or replace a node; a label that is None is left out."""
        labels = {HOSTNAME: name, **(labels or {})}
        room = {"cpu": "4", "memory": "8Gi", "pods": "6", **(allocatable or {})}
        obj = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": {key: value for key, value in labels.items() if value is not None},
            },
            "spec": spec,
            "status": {"allocatable": room, "capacity": room},
        }
        info = compile_node(stored(obj), self.cache.resources)
        known = self.cache.state(name)
        there = known is not None and known.info is not None
        (self.cache.update_node if there else self.cache.add_node)(info)

    def pod(self, template: str, obj: Json, *, alone: bool = False) -> PodInfo:
        """Return a new pod of a template; one that is alone has a label of its own."""
        self._count += 1
        name = f"p{self._count}"
        metadata = {"namespace": "default", **obj.get("metadata", {}), "name": name, "uid": name}
        if alone:
            metadata["labels"] = {**metadata.get("labels", {}), "index": name}
        model = stored(
            {"apiVersion": "v1", "kind": "Pod", "spec": obj["spec"], "metadata": metadata}
        )
        assert isinstance(model, Pod)
        shape = None if alone else self._shapes.get(template)
        info = compile_pod(model, self.cache.resources, shape)
        content = json.dumps([metadata["namespace"], obj["spec"]], sort_keys=True)
        info.shape.kin = self._kin.setdefault(content, info.shape.kin)
        if not alone:
            self._shapes[template] = info.shape
        info.start_time = self._count
        return info

    def attempt(self, pod: PodInfo) -> Attempt:
        """Try a pod and put it where it goes; nothing happens to others if it goes nowhere."""
        search = Search(self.next_start, self.percentage, self.tie_break)
        attempt = self.engine.attempt(self.framework, pod, search)
        self.next_start = attempt.next_start
        if attempt.result is Result.SCHEDULED:
            self._bind(pod, attempt)
        else:
            claims.write(self.cache.objects, claims.freed(self.framework, attempt.state))
        return attempt

    def _bind(self, pod: PodInfo, attempt: Attempt) -> None:
        snapshot = self.cache.snapshot()
        node = snapshot.nodes.info(attempt.row).name
        self.nominator.remove(pod.uid)
        pod.nominated_node = ""
        status = self.framework.reserve(attempt.state, pod, snapshot, node)
        assert status.is_success, status.message
        self.cache.add_pod(pod, node)
        self.pods[pod.uid] = pod
        claims.write(self.cache.objects, claims.taken(self.framework, attempt.state, pod))

    def preempt(self, pod: PodInfo, attempt: Attempt) -> bool:
        """Carry out the first outcome of preemption; return whether there is one."""
        result = attempt.post_filter
        if result is None or not result.candidates:
            return False
        chosen = result.candidates[0]
        for victim in chosen.pods:
            self.remove(victim)
        pod.nominated_node = chosen.node
        self.nominator.add(pod, chosen.node)
        return True

    def forget(self, pod: PodInfo) -> None:
        """Delete a pod that waits."""
        self.nominator.remove(pod.uid)

    def remove(self, pod: PodInfo) -> None:
        """Delete a pod from its node."""
        self.cache.remove_pod(pod)
        del self.pods[pod.uid]

    def replace(self, old: PodInfo, new: PodInfo) -> None:
        """Let a placed pod have a new version."""
        self.cache.update_pod(old, new)
        self.pods[new.uid] = new

    def attempts(self, template: str, obj: Json, count: int) -> Sequence[Attempt]:
        """Try several replicas in a row."""
        return [self.attempt(self.pod(template, obj)) for _ in range(count)]
