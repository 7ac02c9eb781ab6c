"""Which nodes a pod asks for: its nodeSelector and its required node affinity, as one question.

Source: kubernetes/component-helpers scheduling/corev1/nodeaffinity/nodeaffinity.go
(GetRequiredNodeAffinity), v0.36.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gpusched.cluster.nodes import Mask, Nodes
from gpusched.cluster.pod import PodShape
from gpusched.cluster.requirements import Requirement
from gpusched.cluster.selectors import LabelSelector, NodeSelector, label_mask


@dataclass(frozen=True, slots=True)
class RequiredNodeAffinity:
    """What a node must have for a pod to be allowed there.

    Attributes:
        labels: ``spec.nodeSelector``.
        selector: The required terms of the pod's node affinity; None if there are none.
    """

    labels: tuple[Requirement, ...] = ()
    selector: NodeSelector | None = None

    @property
    def is_open(self) -> bool:
        """Return True if any node will do."""
        return not self.labels and self.selector is None

    def matches(self, nodes: Nodes) -> Mask:
        """Return True where it holds; shape (N,). Kept until a node changes: do not write."""
        return nodes.memo(self, self._matches)

    def _matches(self, nodes: Nodes) -> Mask:
        found = np.ones(len(nodes), np.bool_)
        for requirement in self.labels:
            found &= label_mask(nodes, requirement)
        if self.selector is not None:
            found &= self.selector.matches(nodes)
        return found

    def matches_one(self, labels: Mapping[str, str], name: str) -> bool:
        """Return whether it holds for a node with these labels and this name."""
        return LabelSelector(self.labels).matches(labels) and (
            self.selector is None or self.selector.matches_one(labels, name)
        )


def required_node_affinity(shape: PodShape) -> RequiredNodeAffinity:
    """Return what a pod's shape asks of nodes, compiled once."""
    return shape.memo(required_node_affinity, _compile)


def _compile(shape: PodShape) -> RequiredNodeAffinity:
    spec = shape.spec
    affinity = spec.affinity.node_affinity if spec.affinity is not None else None
    required = affinity and affinity.required_during_scheduling_ignored_during_execution
    return RequiredNodeAffinity(
        LabelSelector.of_labels(spec.node_selector or {}).requirements,
        NodeSelector.compile(required) if required else None,
    )
