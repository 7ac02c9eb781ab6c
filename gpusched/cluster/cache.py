"""The scheduler's cache: which pods are where, in which order nodes are looked at.

Source: kubernetes/kubernetes pkg/scheduler/backend/cache/{cache,node_tree,snapshot}.go, v1.36.1.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gpusched.cluster.images import ImageStates
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.nodes import Ints, Nodes, NodeState
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.placement import Placement
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.cluster.resources import ResourceNames
from gpusched.cluster.tally import Tallies
from gpusched.errors import InvariantError


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one scheduling attempt sees. A view: nothing is copied, nobody writes to it.

    Attributes:
        list_nodes: Returns the order in which a cycle looks at nodes (`order`).
        nodes: The columns.
        objects: Everything beside pods and nodes.
        images: Which image is on how many nodes.
        placed: For every shape with pods on nodes: how many, by node (ghosts included).
        affine: Those of shapes with a pod affinity or anti-affinity stanza.
        terminating: The terminating ones among them, likewise.
        tallies: Sums of placed pods that follow them as they come and go.
    """

    list_nodes: Callable[[], Ints]
    nodes: Nodes
    objects: ClusterObjects
    images: ImageStates
    placed: dict[PodShape, Placement]
    affine: dict[PodShape, Placement]
    terminating: dict[PodShape, Placement]
    tallies: Tallies

    @property
    def order(self) -> Ints:
        """Return the order in which a cycle looks at nodes; shape (N,), rows."""
        return self.list_nodes()


class Cache:
    """Pods on nodes, bound or assumed, kept up to date change by change."""

    def __init__(self, resources: ResourceNames, objects: ClusterObjects) -> None:
        self.resources = resources
        self.objects = objects
        self.nodes = Nodes(resources)
        self.images = ImageStates()
        self.placed: dict[PodShape, Placement] = {}
        self.affine: dict[PodShape, Placement] = {}
        self.terminating: dict[PodShape, Placement] = {}
        self._affine_version = 0
        self._priorities: Counter[int] = Counter()
        self._states: dict[str, NodeState] = {}
        self._tree: dict[str, dict[str, NodeState]] = {}
        self._listed: list[str] = []
        self._order: Ints | None = None
        self._tallies = Tallies(self.nodes, self.placed, self.terminating)
        self._snapshot = Snapshot(
            self.order,
            self.nodes,
            objects,
            self.images,
            self.placed,
            self.affine,
            self.terminating,
            self._tallies,
        )

    def snapshot(self) -> Snapshot:
        """Return the present state as one attempt sees it: always the same view."""
        return self._snapshot

    def order(self) -> Ints:
        """Return the node list; for attempts only, each of which must ask for it.

        It is built anew when the names of the nodes are others than at the last attempt. Nodes
        that were deleted and created again in between keep the places that they had.

        Source: kubernetes/kubernetes pkg/scheduler/backend/cache/cache.go, v1.36.1
        (UpdateSnapshot).
        """
        if self._order is None:
            states = {name: state for zone in self._tree.values() for name, state in zone.items()}
            if states.keys() != set(self._listed):
                self._listed = self._list_nodes()
            self._order = np.array([states[name].row for name in self._listed], np.int64)
        return self._order

    @property
    def lowest_priority(self) -> int | None:
        """Return the lowest priority of all pods on nodes, ghosts included; None without pods."""
        return min(self._priorities, default=None)

    def plan_version(self, shape: PodShape) -> tuple[int, int]:
        """Return what, beside node objects and amounts, decides which plugins look at a shape.

        Services and owners select pods for default spread constraints, placed pods with affinity
        terms concern others, device classes may serve an extended resource.
        """
        objects, owner = self.objects, shape.owner
        selection = objects.selection(shape.namespace, owner.kind, owner.name) if owner else 0
        count = objects.services.version + objects.device_classes.version
        count += objects.namespaces.version + self._affine_version
        return count, selection  # none of the versions ever falls: their sum tells as much

    def state(self, node_name: str) -> NodeState | None:
        """Return a node's state, ghost or not, or None if nothing is known of it."""
        return self._states.get(node_name)

    def add_node(self, info: NodeInfo) -> None:
        """Add a node; pods that were waiting on its name count from now on."""
        state = self._states.setdefault(info.name, NodeState(None))
        state.info = info
        self._tree.setdefault(info.zone, {})[info.name] = state
        self.nodes.append(state)
        self.images.add(info)
        self._order = None

    def update_node(self, info: NodeInfo) -> None:
        """Replace a node's object.

        A changed zone moves the node in the tree, but the list is only built anew when a node
        comes or goes.
        """
        state = self._states[info.name]
        old = state.info
        if old is None:
            raise InvariantError(f"node {info.name} is updated before it is added")
        state.info = info
        self.nodes.replace(state)
        self.images.remove(old)
        self.images.add(info)
        if old.zone != info.zone:
            self._remove_from_tree(old)
            self._tree.setdefault(info.zone, {})[info.name] = state

    def remove_node(self, node_name: str) -> None:
        """Remove a node's object; its pods stay, as on a ghost."""
        state = self._states[node_name]
        if state.info is None:
            raise InvariantError(f"node {node_name} is removed twice")
        self._remove_from_tree(state.info)
        self.images.remove(state.info)
        self.nodes.delete(state)
        state.info = None
        if not state.pods:
            del self._states[node_name]
        self._order = None

    def add_pod(self, pod: PodInfo, node_name: str) -> None:
        """Put a pod on a node (bound, or assumed before binding)."""
        state = self._states.get(node_name)
        if state is None:
            state = self._states[node_name] = NodeState(None)
        pod.node_name = node_name
        self.nodes.add_pod(state, pod)
        self._place(pod.shape, state, 1, terminating=pod.terminating)
        if self._tallies.are_kept:
            self._tallies.move(pod.shape, state, 1, terminating=pod.terminating)

    def remove_pod(self, pod: PodInfo) -> None:
        """Take a pod from its node (deleted, finished, or forgotten)."""
        state = self._states[pod.node_name]
        self.nodes.remove_pod(state, pod)
        self._place(pod.shape, state, -1, terminating=pod.terminating)
        if self._tallies.are_kept:
            self._tallies.move(pod.shape, state, -1, terminating=pod.terminating)
        if state.info is None and not state.pods:
            del self._states[pod.node_name]

    def update_pod(self, old: PodInfo, new: PodInfo) -> None:
        """Replace a placed pod by its new version: as upstream, removed and added again."""
        node_name = old.node_name
        if self._swapped(old, new):
            return
        self.remove_pod(old)
        self.add_pod(new, node_name)

    def touch_pod(self, pod: PodInfo, *, anew: bool) -> None:
        """Update a placed pod whose own fields were written: it goes to the end of its node's list.

        Args:
            pod: The pod; it is as terminating as it was.
            anew: Whether any of its fields says something new. If none does and the pod is the
                last of its node already, nothing has changed.
        """
        state = self._states[pod.node_name]
        if anew or state.pods[-1] is not pod:
            self.update_pod(pod, pod)

    def _swapped(self, old: PodInfo, new: PodInfo) -> bool:
        """Put ``new`` where ``old`` is, if removing and adding would come to the same.

        So it does for a pod that asks for the same and uses no host ports: only the order of its
        node's pods changes, as it does upstream.
        """
        same = old.accounted is new.accounted or old.accounted == new.accounted
        if not same or old.terminating or new.terminating:
            return False
        if old.shape.names_host_ports or new.shape.names_host_ports:
            return False
        state = self._states[old.node_name]
        pods = state.pods
        if pods[-1] is not old:
            pods[pods.index(old)] = pods[-1]
        pods[-1] = new
        state.stamp += 1
        new.node_name = old.node_name
        self.nodes.generation += 1
        if self.nodes.news.has_readers and state.row >= 0:
            self.nodes.news.add(state.row)
        if old.shape is not new.shape:
            self._place(old.shape, state, -1, terminating=False)
            self._place(new.shape, state, 1, terminating=False)
            if self._tallies.are_kept:
                self._tallies.swap(old.shape, new.shape, state)
        return True

    def _place(self, shape: PodShape, state: NodeState, change: int, *, terminating: bool) -> None:
        placement = self.placed.get(shape)
        if placement is not None and len(placement) > 1:
            placement.change(state, change)  # neither the first of its shape nor the last
        elif _count(self.placed, shape, state, change):
            if shape.has_pod_affinity:
                self._note_affine(shape)
            self._priorities[shape.priority] += change
            if not self._priorities[shape.priority]:
                del self._priorities[shape.priority]
        if terminating:
            _count(self.terminating, shape, state, change)

    def _note_affine(self, shape: PodShape) -> None:
        """Take note that the first pod of a shape with affinity has come, or the last one gone."""
        self._affine_version += 1
        placement = self.placed.get(shape)
        if placement is None:
            del self.affine[shape]
        else:
            self.affine[shape] = placement

    def _remove_from_tree(self, info: NodeInfo) -> None:
        zone = self._tree[info.zone]
        del zone[info.name]
        if not zone:
            del self._tree[info.zone]

    def _list_nodes(self) -> list[str]:
        """Round robin over zones: the first node of each, the second of each, and so on."""
        zones = [list(zone) for zone in self._tree.values()]
        depth = max(map(len, zones), default=0)
        return [zone[i] for i in range(depth) for zone in zones if i < len(zone)]


def _count(
    counts: dict[PodShape, Placement], shape: PodShape, state: NodeState, change: int
) -> bool:
    """Count pods of a shape; return whether its first one came or its last one went."""
    placement = counts.get(shape)
    if placement is None:
        placement = counts[shape] = Placement()
        placement.change(state, change)
        return True
    placement.change(state, change)
    if placement:
        return False
    del counts[shape]
    return True
