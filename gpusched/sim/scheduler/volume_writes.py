"""Volumes and their claims on the API server before a pod is bound, and the wait for both.

What is written was decided by the VolumeBinding plugin; the PersistentVolume controller and the
provisioner do the rest.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/volumebinding/binder.go
(BindPodVolumes, checkBindings), v1.36.1.
"""

from typing import Final

from gpusched.api import scheme
from gpusched.api.config import VolumeBindingArgs
from gpusched.api.storage import PersistentVolume, PersistentVolumeClaim
from gpusched.cluster.selectors import NodeSelector
from gpusched.cluster.volume_claims import BIND_COMPLETED
from gpusched.controllers.protocol import ApiError, Json
from gpusched.kube.plugins.volume_binding.plugin import SELECTED_NODE, NodeBinding, PodClaims
from gpusched.kube.plugins.volume_binding.plugin import VolumeBinding as Plugin
from gpusched.kube.queue.backoff import SECOND
from gpusched.sim.scheduler.binding import Binding, PreBindError, Wait
from gpusched.sim.scheduler.port import SchedulerPort

NAME: Final = "VolumeBinding"
_VOLUME: Final = "PersistentVolume"
_CLAIM: Final = "PersistentVolumeClaim"


class VolumeWrites:
    """Keeps volumes for the claims of pods, and asks for the ones that are to be made.

    Args:
        port: The API server.
    """

    def __init__(self, port: SchedulerPort) -> None:
        self._port = port

    def has_work(self, binding: Binding) -> bool:
        """Return whether a pod has claims that are to be bound where it goes."""
        return _decided(binding) is not None

    def write(self, binding: Binding) -> Wait | None:
        """Write what the chosen node means for a pod's volumes; return what to wait for.

        Raises:
            PreBindError: A volume or a claim was written by somebody else meanwhile.
        """
        plugin = binding.framework.plugins.get(NAME)
        decided = _decided(binding)
        if decided is None or not isinstance(plugin, Plugin):
            return None
        volumes, claims = plugin.pre_bind(binding.state, binding.node)
        try:
            for volume in volumes:
                self._keep(volume)
            for claim in claims:
                self._ask_for(claim)
        except ApiError as refusal:
            raise PreBindError(NAME, refusal.message) from None
        args = binding.framework.profile.args.get(NAME)
        args = args if isinstance(args, VolumeBindingArgs) else VolumeBindingArgs()
        return Wait(
            plugin=NAME,
            is_over=lambda: self._are_bound(binding, decided),
            first=SECOND,
            period=SECOND,
            limit=args.bind_timeout_seconds * SECOND,
            too_late="binding volumes: context deadline exceeded",
        )

    def _keep(self, volume: PersistentVolume) -> None:
        """PUT a volume with its claim, unless it was written since the plugin saw it."""
        old = self._port.writer.read(_VOLUME, ("", volume.metadata.name))
        reference = volume.spec.claim_ref
        assert reference is not None, "a matched volume is kept for its claim"
        kept = reference.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        claim = self._port.writer.read(_CLAIM, (reference.namespace, reference.name))
        kept["resourceVersion"] = claim["metadata"]["resourceVersion"]
        spec = {**old["spec"], "claimRef": {**kept, **(old["spec"].get("claimRef") or {})}}
        spec["claimRef"]["uid"] = reference.uid
        self._replace({**old, "spec": spec}, volume)

    def _ask_for(self, claim: PersistentVolumeClaim) -> None:
        """PUT a claim with the node for which its volume is to be made."""
        metadata = claim.metadata
        self._replace(self._port.writer.read(_CLAIM, (metadata.namespace, metadata.name)), claim)

    def _replace(self, obj: Json, decided: PersistentVolume | PersistentVolumeClaim) -> None:
        metadata = {
            **obj["metadata"],
            "annotations": dict(decided.metadata.annotations),
            "resourceVersion": decided.metadata.resource_version,
        }
        self._port.writer.replace({**obj, "metadata": metadata}, unchanged=True)

    # The wait.

    def _are_bound(self, binding: Binding, decided: NodeBinding) -> bool:
        node = self._node_labels(binding.node)
        pairs = ((volume.metadata.name, claim) for volume, claim in decided.matched)
        return all(self._is_matched(name, claim, node) for name, claim in pairs) and all(
            self._is_made(claim, node) for claim in decided.to_make
        )

    def _node_labels(self, name: str) -> tuple[str, dict[str, str]]:
        try:
            node = self._port.writer.read("Node", ("", name))
        except ApiError:
            raise _failed(f'failed to get node "{name}": node "{name}" not found') from None
        return name, node["metadata"].get("labels") or {}

    def _is_matched(
        self, name: str, claim: PersistentVolumeClaim, node: tuple[str, dict[str, str]]
    ) -> bool:
        try:
            volume = self._port.writer.read(_VOLUME, ("", name))
        except ApiError as refusal:
            raise _failed(f"failed to check binding: {refusal.message}") from None
        present = self._claim(claim, "failed to check binding")
        _check_reach(volume, node)
        if not (volume["spec"].get("claimRef") or {}).get("uid"):
            raise _failed(f'ClaimRef got reset for pv "{name}"')
        return _is_bound(present)

    def _is_made(self, claim: PersistentVolumeClaim, node: tuple[str, dict[str, str]]) -> bool:
        present = self._claim(claim, "failed to check provisioning pvc")
        if (present["metadata"].get("annotations") or {}).get(SELECTED_NODE) != node[0]:
            raise _failed(f'provisioning failed for PVC "{claim.metadata.name}"')
        if present["spec"].get("volumeName"):
            try:
                volume = self._port.writer.read(_VOLUME, ("", present["spec"]["volumeName"]))
            except ApiError:
                return False  # it may only not have been seen yet
            _check_reach(volume, node)
        return _is_bound(present)

    def _claim(self, claim: PersistentVolumeClaim, what: str) -> Json:
        try:
            return self._port.writer.read(_CLAIM, (claim.metadata.namespace, claim.metadata.name))
        except ApiError as refusal:
            raise _failed(f"{what}: {refusal.message}") from None


def _decided(binding: Binding) -> NodeBinding | None:
    """Return what a pod's open claims get on its node; None if none is open."""
    data = binding.state.read(NAME)
    found = data.bindings.get(binding.node) if isinstance(data, PodClaims) else None
    return found if found is not None and (found.matched or found.to_make) else None


def _failed(why: str) -> PreBindError:
    return PreBindError(NAME, f"binding volumes: {why}")


def _is_bound(claim: Json) -> bool:
    annotations = claim["metadata"].get("annotations") or {}
    return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in annotations


def _check_reach(volume: Json, node: tuple[str, dict[str, str]]) -> None:
    """Raise if a node, given by name and labels, cannot use a volume."""
    model = scheme.model_of(volume)
    assert isinstance(model, PersistentVolume), "read as such"
    affinity = model.spec.node_affinity
    if affinity is None or affinity.required is None:
        return
    if not NodeSelector.compile(affinity.required).matches_one(node[1], ""):
        where = f'pv "{model.metadata.name}" node affinity doesn\'t match node "{node[0]}"'
        raise _failed(f"{where}: no matching NodeSelectorTerms")
