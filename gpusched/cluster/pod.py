"""Pods as the scheduler holds them: a shape shared by replicas, and what differs per pod."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from gpusched.api.core import Pod, PodSpec, PodStatus
from gpusched.api.meta import OwnerReference
from gpusched.cluster.requests import Requests, accounted_requests, pod_requests
from gpusched.cluster.resources import ResourceNames

T = TypeVar("T")

NORMAL_PRIORITY = 0

PRESENT: Final = 2**62
"""What preemption takes a pod without a start to start at: later than any time on a wire, so that a
start in the future lies behind it."""


@dataclass(slots=True, eq=False)
class PodShape:
    """All that a scheduler reads of a pod and that replicas of one template share.

    Shapes are compared by identity: pods made from one template share one shape, so whatever
    is worked out for a shape is worked out once (`memo`).

    Attributes:
        namespace: The pods' namespace.
        labels: The pods' labels.
        spec: The pod spec, defaults applied.
        owner: The controlling owner, if any.
        requests: What NodeResourcesFit filters by (spec only); rows of `ResourceNames`.
        priority: ``spec.priority``, 0 where absent.
        kin: The same object for shapes that are known to differ in labels and owner alone.
        scheduler: ``spec.schedulerName``, empty where absent.
        names_host_ports: Whether any container names a host port, of use or not.
    """

    namespace: str
    labels: Mapping[str, str]
    spec: PodSpec
    owner: OwnerReference | None
    requests: Requests
    priority: int
    kin: object = field(default_factory=object, repr=False)
    scheduler: str = field(init=False)
    names_host_ports: bool = field(init=False)
    _memo: dict[object, object] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Read what is asked for with every pod."""
        self.scheduler = self.spec.scheduler_name or ""
        containers = (*self.spec.init_containers, *self.spec.containers)
        self.names_host_ports = any(port.host_port for c in containers for port in c.ports)

    @property
    def has_pod_affinity(self) -> bool:
        """Return whether it has a pod affinity or anti-affinity stanza."""
        affinity = self.spec.affinity
        return affinity is not None and bool(affinity.pod_affinity or affinity.pod_anti_affinity)

    def memo(self, key: object, compile_shape: Callable[["PodShape"], T]) -> T:
        """Return what ``compile_shape`` makes of this shape, made once per ``key``.

        A plugin keeps its own reading of the spec here, so that a new plugin is one file.
        ``key`` is any hashable that no other plugin uses, usually the compile function.
        """
        try:
            return self._memo[key]  # type: ignore[return-value] # the key fixes the type
        except KeyError:
            value = compile_shape(self)
            self._memo[key] = value
            return value


@dataclass(slots=True, eq=False)
class PodInfo:
    """One pod; compared by identity.

    Attributes:
        shape: What it shares with its siblings.
        name: ``metadata.name``.
        uid: ``metadata.uid``.
        accounted: What it takes from its node (as ``shape.requests``, but with in-place
            resize status; `requests.accounted_requests`).
        node_name: Where it is bound or assumed; empty while pending.
        nominated_node: ``status.nominatedNodeName``.
        start_time: ``status.startTime``, microseconds since the epoch; None where absent.
        terminating: ``metadata.deletionTimestamp`` is set.
        preempted: Its first DisruptionTarget condition is True with reason PreemptionByScheduler.
        assumed: It is counted on its node before the API server has told of its binding.
        status: The whole status where somebody gave one (resource claims, conditions).
    """

    shape: PodShape
    name: str
    uid: str
    accounted: Requests
    node_name: str = ""
    nominated_node: str = ""
    start_time: int | None = None
    terminating: bool = False
    preempted: bool = False
    assumed: bool = False
    status: PodStatus | None = None

    @property
    def namespace(self) -> str:
        """Return the namespace, from the shape."""
        return self.shape.namespace

    @property
    def key(self) -> str:
        """Return ``namespace/name``."""
        return f"{self.shape.namespace}/{self.name}"

    @property
    def priority(self) -> int:
        """Return the priority, from the shape."""
        return self.shape.priority


def compile_shape(pod: Pod, resources: ResourceNames) -> PodShape:
    """Return the shape of a defaulted pod; owners other than the controller are not read."""
    return PodShape(
        namespace=pod.metadata.namespace or "default",
        labels=pod.metadata.labels,
        spec=pod.spec,
        owner=pod.metadata.controller,
        requests=pod_requests(pod.spec, resources),
        priority=pod.spec.priority or NORMAL_PRIORITY,
    )


def compile_pod(pod: Pod, resources: ResourceNames, shape: PodShape | None = None) -> PodInfo:
    """Return a defaulted pod as the scheduler holds it.

    Args:
        pod: The pod, as the API server stores it.
        resources: Names to rows; grows with names not met before.
        shape: The shape of its template, where it is known; compiled from the pod otherwise.
    """
    shape = shape or compile_shape(pod, resources)
    status = pod.status
    return PodInfo(
        shape=shape,
        name=pod.metadata.name,
        uid=pod.metadata.uid,
        accounted=accounted_requests(pod, shape.requests, resources),
        node_name=pod.spec.node_name or "",
        nominated_node=status.nominated_node_name or "",
        start_time=status.start_time,
        terminating=pod.metadata.deletion_timestamp is not None,
        preempted=_is_preempted(status),
        status=status,
    )


def _is_preempted(status: PodStatus) -> bool:
    """Only the first condition of the type counts, as upstream's GetPodCondition finds it."""
    for condition in status.conditions:
        if condition.type == "DisruptionTarget":
            return condition.status == "True" and condition.reason == "PreemptionByScheduler"
    return False
