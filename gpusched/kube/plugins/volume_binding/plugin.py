"""VolumeBinding: a pod's claims must be bound to volumes that the node reaches, or can be there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np

from gpusched.api.storage import ClaimReference, PersistentVolume, PersistentVolumeClaim
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.objects import ClusterObjects, NamespacedName
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.volume_claims import (
    BIND_COMPLETED,
    WAIT_FOR_FIRST_CONSUMER,
    ClaimUse,
    binding_mode_not_set,
    claim_uses,
    class_of_claim,
    class_of_volume,
    not_found,
    not_owner,
)
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import EventHint
from gpusched.kube.framework.interface import PreFilterResult
from gpusched.kube.framework.status import (
    SKIP,
    SUCCESS,
    Code,
    Rejection,
    Status,
    error,
    unresolvable,
)
from gpusched.kube.plugins.volume_binding.assumed import AssumedObjects
from gpusched.kube.plugins.volume_binding.hints import registrations
from gpusched.kube.plugins.volume_binding.matching import (
    can_be_made,
    has_room,
    matching_volume,
    reaches,
    requested,
)

NODE_CONFLICT: Final = "node(s) didn't match PersistentVolume's node affinity"
BIND_CONFLICT: Final = "node(s) didn't find available persistent volumes to bind"
NOT_ENOUGH_SPACE: Final = "node(s) did not have enough free storage"
VOLUME_MISSING: Final = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
IMMEDIATE: Final = "pod has unbound immediate PersistentVolumeClaims"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
BOUND_BY_CONTROLLER: Final = "pv.kubernetes.io/bound-by-controller"
_NOT_FOUND: Final = "not found"


@dataclass(frozen=True, slots=True, eq=False)
class NodeBinding:
    """What a pod's claims would get on a node.

    Attributes:
        matched: Volumes for claims.
        to_make: Claims for which a volume is to be made.
    """

    matched: tuple[tuple[PersistentVolume, PersistentVolumeClaim], ...] = ()
    to_make: tuple[PersistentVolumeClaim, ...] = ()


@dataclass(slots=True, eq=False)
class PodClaims:
    """The data of one attempt; shared by its dry runs, as upstream.

    Attributes:
        bound: Claims that are bound for good.
        delayed: Claims that are to be bound where the pod goes, smallest first.
        volumes: The volumes of the delayed claims' classes, by class and name.
        bindings: What Filter found, by node.
    """

    bound: Sequence[PersistentVolumeClaim] = ()
    delayed: Sequence[PersistentVolumeClaim] = ()
    volumes: dict[str, list[PersistentVolume]] = field(default_factory=dict)
    bindings: dict[str, NodeBinding] = field(default_factory=dict)

    def clone(self) -> "PodClaims":
        """Return the same data."""
        return self


class VolumeBinding:
    """Turn away nodes where a pod's claims have no volume; remember who takes which.

    What a reserved pod takes is kept in memory, in the plugin, as upstream keeps it: the claims
    stay unbound until the volume controller binds them. `pre_bind` returns what is to be written.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/volumebinding/
    {volume_binding,binder}.go, v1.36.1.
    """

    name: ClassVar[str] = "VolumeBinding"

    def __init__(self) -> None:
        self._objects = ClusterObjects()
        self._volumes: AssumedObjects[str, PersistentVolume] = AssumedObjects()
        self._claims: AssumedObjects[NamespacedName, PersistentVolumeClaim] = AssumedObjects()

    def pre_filter(self, state: CycleState, pod: PodInfo, snapshot: Snapshot) -> PreFilterResult:
        """See PreFilterPlugin."""
        self._objects = snapshot.objects
        uses = claim_uses(pod)
        if not uses:
            state.write(self.name, PodClaims())
            return PreFilterResult(SKIP)
        for use in uses:
            if problem := _problem(pod, use, snapshot.objects):
                return PreFilterResult(unresolvable(problem))
        data = self._sorted_claims(pod, uses)
        if isinstance(data, Status):
            return PreFilterResult(data)
        data.volumes = self._volumes_by_class({class_of_claim(claim) for claim in data.delayed})
        state.write(self.name, data)
        return PreFilterResult()

    def _sorted_claims(self, pod: PodInfo, uses: Sequence[ClaimUse]) -> PodClaims | Status:
        """Return bound and delayed claims, or why the pod cannot run yet."""
        bound, delayed, immediate = [], [], False
        for use in uses:
            claim = self._claim(pod, use)
            if _is_bound(claim):
                bound.append(claim)
                continue
            binds_late = _binds_late(claim, self._objects)
            if isinstance(binds_late, Status):
                return binds_late
            if binds_late and not claim.spec.volume_name:
                delayed.append(claim)
            else:
                immediate = True
        return unresolvable(IMMEDIATE) if immediate else PodClaims(bound, delayed)

    def _claim(self, pod: PodInfo, use: ClaimUse) -> PersistentVolumeClaim:
        claim = self._claims.get((pod.namespace, use.name), self._objects.claims)
        assert claim is not None, "looked up before"
        return claim

    def _volumes_by_class(self, classes: set[str]) -> dict[str, list[PersistentVolume]]:
        """Upstream's order is random; here the first by name is taken among equals."""
        found: dict[str, list[PersistentVolume]] = {}
        if not classes:
            return found
        for original in self._objects.volumes:
            volume = self._volumes.get(original.metadata.name, self._objects.volumes)
            if volume is not None and (name := class_of_volume(volume)) in classes:
                found.setdefault(name, []).append(volume)
        for volumes in found.values():
            volumes.sort(key=lambda volume: volume.metadata.name.encode())
        return found

    def filter(self, state: CycleState, pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:  # noqa: ARG002 - the interface's
        """See FilterPlugin; a node may have several reasons."""
        data = state.read(self.name)
        if not isinstance(data, PodClaims):
            return (Rejection(_NOT_FOUND, np.ones(len(nodes), np.bool_), Code.ERROR),)
        found: dict[str, Mask] = {}
        for row in range(len(nodes)):
            for reason in self._conflicts(data, nodes.info(row)):
                found.setdefault(reason, np.zeros(len(nodes), np.bool_))[row] = True
        return [
            Rejection(reason, found[reason], Code.UNSCHEDULABLE_AND_UNRESOLVABLE)
            for reason in (NODE_CONFLICT, BIND_CONFLICT, NOT_ENOUGH_SPACE, VOLUME_MISSING)
            if reason in found
        ]

    def _conflicts(self, data: PodClaims, node: NodeInfo) -> list[str]:
        """Return why a node does not do; what it would get is kept in ``data`` if it does."""
        reasons = []
        if reason := self._bound_conflict(data.bound, node):
            reasons.append(reason)
        found = self._bind(data, node)
        if isinstance(found, str):
            reasons.append(found)
        elif not reasons:
            data.bindings[node.name] = found
        return reasons

    def _bound_conflict(self, claims: Sequence[PersistentVolumeClaim], node: NodeInfo) -> str:
        for claim in claims:
            volume = self._volumes.get(claim.spec.volume_name, self._objects.volumes)
            if volume is None:
                return VOLUME_MISSING
            if not reaches(volume, node):
                return NODE_CONFLICT
        return ""

    def _bind(self, data: PodClaims, node: NodeInfo) -> NodeBinding | str:
        """Return what the delayed claims would get on a node, or why they get nothing."""
        selected: list[PersistentVolumeClaim] = []
        to_match: list[PersistentVolumeClaim] = []
        for claim in data.delayed:
            wanted = claim.metadata.annotations.get(SELECTED_NODE)
            if wanted not in (None, node.name):
                return BIND_CONFLICT
            (to_match if wanted is None else selected).append(claim)
        matched: dict[str, tuple[PersistentVolume, PersistentVolumeClaim]] = {}
        unmatched = []
        for claim in sorted(to_match, key=requested):
            volumes = data.volumes.get(class_of_claim(claim), ())
            volume = matching_volume(claim, volumes, node, matched)
            if volume is None:
                unmatched.append(claim)
            else:
                matched[volume.metadata.name] = (volume, claim)
        to_make = (*selected, *unmatched)
        conflicts = (self._making_conflict(claim, node) for claim in to_make)
        conflict = next(filter(None, conflicts), "")
        return conflict or NodeBinding(tuple(matched.values()), to_make)

    def _making_conflict(self, claim: PersistentVolumeClaim, node: NodeInfo) -> str:
        storage_class = self._objects.storage_classes.get(class_of_claim(claim))
        assert storage_class is not None, "a delayed claim has a class"
        if not can_be_made(storage_class, node):
            return BIND_CONFLICT
        return "" if has_room(storage_class, claim, node, self._objects) else NOT_ENOUGH_SPACE

    def pre_score(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints) -> Status:  # noqa: ARG002 - the interface's
        """See PreScorePlugin; scoring by capacity is behind a gate that is off."""
        return SKIP

    def score(
        self,
        state: CycleState,  # noqa: ARG002 - the interface's
        pod: PodInfo,  # noqa: ARG002
        snapshot: Snapshot,  # noqa: ARG002
        rows: Ints,
    ) -> Ints | Status:
        """Return 0 for every node."""
        return np.zeros(len(rows), np.int64)

    def reserve(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, node: str) -> Status:
        """See ReservePlugin; nothing is taken if all claims are bound."""
        data = state.read(self.name)
        if not isinstance(data, PodClaims):
            return error(_NOT_FOUND)
        binding = data.bindings.get(node)
        objects = self._objects = snapshot.objects
        if binding is None or all(_is_bound(self._claim(pod, use)) for use in claim_uses(pod)):
            return SUCCESS
        for volume, claim in binding.matched:
            name = volume.metadata.name
            original = objects.volumes.get(name)
            if original is not None:
                self._volumes.assume(name, original, _kept_for(volume, claim))
        for claim in binding.to_make:
            key = (claim.metadata.namespace, claim.metadata.name)
            known = objects.claims.get(key)
            if known is not None:
                self._claims.assume(key, known, _with_selected_node(claim, node))
        return SUCCESS

    def unreserve(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, node: str) -> None:  # noqa: ARG002 - the interface's
        """See ReservePlugin."""
        data = state.read(self.name)
        binding = data.bindings.get(node) if isinstance(data, PodClaims) else None
        if binding is None:
            return
        for volume, _ in binding.matched:
            self._volumes.restore(volume.metadata.name)
        for claim in binding.to_make:
            self._claims.restore((claim.metadata.namespace, claim.metadata.name))

    def is_idle(self, state: CycleState) -> bool:
        """See SparingReserve."""
        data = state.read(self.name)
        return isinstance(data, PodClaims) and not (data.bound or data.delayed)

    def pre_bind(
        self, state: CycleState, node: str
    ) -> tuple[tuple[PersistentVolume, ...], tuple[PersistentVolumeClaim, ...]]:
        """Return the volumes and claims to be written before the pod is bound.

        The volumes are kept for their claims, the claims name the node for which a volume is to
        be made. The pod may be bound once the volume controller has bound all of its claims.
        """
        data = state.read(self.name)
        binding = data.bindings.get(node) if isinstance(data, PodClaims) else None
        if binding is None:
            return (), ()
        volumes = tuple(_kept_for(volume, claim) for volume, claim in binding.matched)
        return volumes, tuple(_with_selected_node(claim, node) for claim in binding.to_make)

    def events_to_register(self) -> Sequence[EventHint]:
        """See EnqueueExtensions."""
        return registrations()


def _problem(pod: PodInfo, use: ClaimUse, objects: ClusterObjects) -> str:
    """Return what is wrong with a claim of the pod, or an empty string."""
    claim = objects.claims.get((pod.namespace, use.name))
    if claim is None:
        if not use.ephemeral:
            return not_found(use.name)
        waiting = "waiting for ephemeral volume controller to create the persistentvolumeclaim"
        return f'{waiting} "{use.name}"'
    if claim.status.phase == "Lost":
        volume = f'non-existent persistentvolume "{claim.spec.volume_name}"'
        return f'persistentvolumeclaim "{use.name}" bound to {volume}'
    if claim.metadata.deletion_timestamp is not None:
        return f'persistentvolumeclaim "{use.name}" is being deleted'
    return not_owner(pod, claim) if use.ephemeral else ""


def _is_bound(claim: PersistentVolumeClaim) -> bool:
    return bool(claim.spec.volume_name) and BIND_COMPLETED in claim.metadata.annotations


def _binds_late(claim: PersistentVolumeClaim, objects: ClusterObjects) -> bool | Status:
    storage_class = objects.storage_classes.get(class_of_claim(claim))
    if storage_class is None:
        return False
    if storage_class.volume_binding_mode is None:
        return error(binding_mode_not_set(storage_class.metadata.name))
    return storage_class.volume_binding_mode == WAIT_FOR_FIRST_CONSUMER


def _kept_for(volume: PersistentVolume, claim: PersistentVolumeClaim) -> PersistentVolume:
    """Source: component-helpers storage/volume/pv_helpers.go (GetBindVolumeToClaim)."""
    reference = ClaimReference(
        api_version="v1",
        kind="PersistentVolumeClaim",
        namespace=claim.metadata.namespace,
        name=claim.metadata.name,
        uid=claim.metadata.uid,
    )
    spec = volume.spec.model_copy(update={"claim_ref": reference})
    annotations = dict(volume.metadata.annotations)
    if volume.spec.claim_ref is None:
        annotations[BOUND_BY_CONTROLLER] = "yes"
    metadata = volume.metadata.model_copy(update={"annotations": annotations})
    return volume.model_copy(update={"spec": spec, "metadata": metadata})


def _with_selected_node(claim: PersistentVolumeClaim, node: str) -> PersistentVolumeClaim:
    annotations = {**claim.metadata.annotations, SELECTED_NODE: node}
    metadata = claim.metadata.model_copy(update={"annotations": annotations})
    return claim.model_copy(update={"metadata": metadata})
