"""A node as the scheduler holds it: what its object says, compiled once per version of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import NamedTuple

from gpusched.api.core import Node
from gpusched.cluster.requests import resource_amounts
from gpusched.cluster.resources import ResourceNames


class Taint(NamedTuple):
    """What a node's taint says to the scheduler."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True, eq=False)
class NodeInfo:
    """The static part of a node; replaced whole when its object changes.

    Attributes:
        name: ``metadata.name``.
        labels: ``metadata.labels``.
        taints: ``spec.taints``, in order.
        unschedulable: ``spec.unschedulable``.
        allocatable: (row, amount) pairs of ``status.allocatable`` (cpu in milli).
        allowed_pods: ``status.allocatable.pods``; 0 where absent, so that nothing fits.
        images: Image name to size in bytes, every name of every image of ``status.images``;
            the first of equal names counts.
        features: ``status.declaredFeatures``.
        zone: The key of the node tree (`zone_key`).
        annotations: ``metadata.annotations``.
        conditions: (type, status) of ``status.conditions``.
    """

    name: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    unschedulable: bool
    allocatable: tuple[tuple[int, int], ...]
    allowed_pods: int
    images: Mapping[str, int]
    features: frozenset[str]
    zone: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[tuple[str, str], ...] = ()

    def named(
        self, name: str, labels: Mapping[str, str], annotations: Mapping[str, str]
    ) -> "NodeInfo":
        """Return the node that has other metadata and everything else in common with this one."""
        return NodeInfo(
            name=name,
            labels=labels,
            taints=self.taints,
            unschedulable=self.unschedulable,
            allocatable=self.allocatable,
            allowed_pods=self.allowed_pods,
            images=self.images,
            features=self.features,
            zone=intern(zone_key(labels)),
            annotations=annotations,
            conditions=self.conditions,
        )


BETA_ZONE = "failure-domain.beta.kubernetes.io/zone"
BETA_REGION = "failure-domain.beta.kubernetes.io/region"
ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"


def zone_key(labels: Mapping[str, str]) -> str:
    r"""Return the node tree's key: region and zone, the beta label winning where present at all.

    Source: kubernetes/component-helpers node/topology/helpers.go, v1.36.1.

    >>> zone_key({"topology.kubernetes.io/zone": "a"})
    ':\x00:a'
    """
    zone = labels.get(BETA_ZONE, labels.get(ZONE, ""))
    region = labels.get(BETA_REGION, labels.get(REGION, ""))
    return f"{region}:\x00:{zone}" if zone or region else ""


def compile_node(node: Node, resources: ResourceNames) -> NodeInfo:
    """Return a defaulted node as the scheduler holds it."""
    status = node.status
    allocatable = status.capacity if status.allocatable is None else status.allocatable
    pods = allocatable.get("pods")
    return NodeInfo(
        name=node.metadata.name,
        labels=node.metadata.labels,
        taints=tuple(Taint(t.key, t.value, t.effect) for t in node.spec.taints),
        unschedulable=bool(node.spec.unschedulable),
        allocatable=resource_amounts(allocatable, resources),
        allowed_pods=pods.wrapped_value() if pods is not None else 0,
        images={
            name: image.size_bytes
            for image in reversed(node.status.images)
            for name in reversed(image.names)
        },
        features=frozenset(node.status.declared_features),
        zone=zone_key(node.metadata.labels),
        annotations=node.metadata.annotations,
        conditions=tuple((c.type, c.status) for c in node.status.conditions),
    )
