"""Resource claims on the API server: allocated and reserved before a binding, freed again.

What is written was decided by the DynamicResources plugin.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/dynamicresources/
{dynamicresources,extendeddynamicresources}.go (bindClaim, Unreserve, PostFilter), v1.36.1.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from gpusched.api.config import DynamicResourcesArgs
from gpusched.api.resource import AllocationResult
from gpusched.cluster.pod import PodInfo
from gpusched.controllers.protocol import ApiError, Change, Json, Key, Verb
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.plugins.dynamic_resources import ClaimWrite, DynamicResources
from gpusched.kube.plugins.dynamic_resources.extended_resources import ANNOTATION
from gpusched.kube.plugins.dynamic_resources.reserving import FINALIZER
from gpusched.kube.plugins.dynamic_resources.state import DraState
from gpusched.kube.queue.backoff import SECOND
from gpusched.sim.scheduler.binding import Binding, PreBindError, Wait
from gpusched.sim.scheduler.device_readiness import are_ready, wait_for_conditions
from gpusched.sim.scheduler.informers import Informers
from gpusched.sim.scheduler.port import SchedulerPort

NAME: Final = "DynamicResources"
MOST_CONSUMERS: Final = 256
_KIND: Final = "ResourceClaim"
_POLL: Final = 5 * SECOND


class ClaimWrites:
    """Writes the claims of pods.

    Args:
        port: The API server.
        informers: Hear of a written claim at once, as upstream's assume cache does, so that the
            next attempt finds its devices taken.
        frameworks: Profiles by scheduler name.
    """

    def __init__(
        self, port: SchedulerPort, informers: Informers, frameworks: Mapping[str, Framework]
    ) -> None:
        self._port = port
        self._informers = informers
        self._ahead = port.writer.wall_time() - port.now
        found = (framework.plugins.get(NAME) for framework in frameworks.values())
        self._plugins = tuple(p for p in found if isinstance(p, DynamicResources))

    def tell_time(self) -> None:
        """Tell the plugins what time it is."""
        for plugin in self._plugins:
            plugin.now = self._port.now + self._ahead

    def has_work(self, binding: Binding) -> bool:
        """Return whether a pod has claims at all."""
        data = binding.state.read(NAME)
        return isinstance(data, DraState) and bool(data.claims)

    def write(self, binding: Binding) -> Wait | None:
        """Write a pod's claims; return what is to be waited for, if devices are not ready yet.

        Raises:
            PreBindError: A claim could not be written.
        """
        plugin, data = binding.framework.plugins.get(NAME), binding.state.read(NAME)
        if not isinstance(plugin, DynamicResources) or not isinstance(data, DraState):
            return None
        unallocated = {claim.metadata.uid for claim in data.to_allocate()}
        for change in plugin.pre_bind(binding.state, binding.info, binding.node):
            allocates = change.created or change.claim.metadata.uid in unallocated
            self._bind_claim(binding, change, allocates=allocates)
        return self._wait(binding) if data.claims else None

    # One claim.

    def _bind_claim(self, binding: Binding, change: ClaimWrite, *, allocates: bool) -> None:
        claim = self._create(change) if change.created else self._present(change)
        shown = _shown(claim)
        if claim["metadata"].get("deletionTimestamp"):
            raise PreBindError(NAME, f"claim {shown} got deleted in the meantime")
        allocated = (claim.get("status") or {}).get("allocation")
        if allocates and allocated:
            raise PreBindError(NAME, f"claim {shown} got allocated elsewhere in the meantime")
        if not allocates and not allocated:
            raise PreBindError(NAME, f"claim {shown} got deallocated elsewhere in the meantime")
        if allocates:
            claim = self._protect(claim)
        claim = self._reserve(claim, change, binding.info, what=_WHAT[allocates])
        self._tell("MODIFIED", claim)
        if change.created:
            self._note_in_pod(binding, change, claim)

    def _create(self, change: ClaimWrite) -> Json:
        manifest = change.claim.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        manifest.pop("status", None)
        manifest["metadata"].pop("finalizers", None)
        try:
            return self._port.writer.create(manifest)
        except ApiError as refusal:
            where = f"{change.claim.metadata.namespace}/"
            text = f"create claim for extended resources {where}: {refusal.message}"
            raise PreBindError(NAME, text) from None

    def _present(self, change: ClaimWrite) -> Json:
        metadata = change.claim.metadata
        key = (metadata.namespace, metadata.name)
        try:
            return self._port.writer.read(_KIND, key)
        except ApiError as refusal:
            shown = "/".join(key)
            text = f"add finalizer to claim {shown}: {refusal.message}"
            raise PreBindError(NAME, text) from None

    def _protect(self, claim: Json) -> Json:
        finalizers = claim["metadata"].get("finalizers") or []
        if FINALIZER in finalizers:
            return claim
        return self._port.writer.replace(_with_finalizers(claim, [*finalizers, FINALIZER]))

    def _reserve(self, claim: Json, change: ClaimWrite, pod: PodInfo, *, what: str) -> Json:
        status = claim.get("status") or {}
        consumers = [*(status.get("reservedFor") or ()), _consumer(pod)]
        if len(consumers) > MOST_CONSUMERS:
            name = claim["metadata"]["name"]
            why = (
                f'{_KIND}.resource.k8s.io "{name}" is invalid: status.reservedFor: Too many:'
                f" {len(consumers)}: must have at most {MOST_CONSUMERS} items"
            )
            raise PreBindError(NAME, f"add {what} to claim {_shown(claim)}: {why}")
        allocation = change.claim.status.allocation
        assert allocation is not None, "only an allocated claim is reserved"
        decided = {"allocation": _as_json(allocation), "reservedFor": consumers}
        return self._port.writer.replace_status(claim, {**status, **decided})

    def _note_in_pod(self, binding: Binding, change: ClaimWrite, claim: Json) -> None:
        mappings = [
            {
                "containerName": mapping.container,
                "resourceName": mapping.resource,
                "requestName": mapping.request,
            }
            for mapping in change.mappings
        ]
        note = {"requestMappings": mappings, "resourceClaimName": claim["metadata"]["name"]}
        status = {"extendedResourceClaimStatus": note}
        self._port.writer.patch_status("Pod", binding.pod.key, status)

    def _tell(self, verb: Verb, claim: Json) -> None:
        metadata = claim["metadata"]
        key = (metadata["namespace"], metadata["name"])
        self._informers.other_changed(Change(_KIND, verb, key, None, claim))

    # Devices that become ready late.

    def _wait(self, binding: Binding) -> Wait | None:
        claims = [(claim["metadata"]["namespace"], claim["metadata"]["name"])
                  for claim in self._claims_of(binding)]  # fmt: skip
        if not any(wait_for_conditions(self._port.writer.read(_KIND, key)) for key in claims):
            return None
        note = f"waiting for binding conditions for device on node {binding.node}"
        self._port.record(binding.pod, "Normal", "BindingConditionsPending", "Scheduling", note)
        args = binding.framework.profile.args.get(NAME)
        limit = args.binding_timeout_us if isinstance(args, DynamicResourcesArgs) else 0
        return Wait(
            plugin=NAME,
            is_over=lambda: self._are_ready(claims),
            first=0,
            period=_POLL,
            limit=limit or DynamicResourcesArgs().binding_timeout_us,
            too_late="device binding timeout: context deadline exceeded",
        )

    def _are_ready(self, claims: list[Key]) -> bool:
        try:
            return all(are_ready(self._port.writer.read(_KIND, key)) for key in claims)
        except ApiError as refusal:
            raise PreBindError(NAME, refusal.message) from None

    # Giving up.

    def undo(self, binding: Binding) -> None:
        """Take back what was written for a pod that is not bound after all."""
        for claim in list(self._claims_of(binding)):
            if _is_extended(claim, binding.info):
                self._delete(claim)
                continue
            status = claim.get("status") or {}
            consumers = status.get("reservedFor") or ()
            left = [each for each in consumers if each["uid"] != binding.info.uid]
            if len(left) < len(consumers):
                rest = {name: value for name, value in status.items() if name != "reservedFor"}
                status = {**rest, "reservedFor": left} if left else rest
                self._tell("MODIFIED", self._port.writer.replace_status(claim, status))

    def release(self, framework: Framework, state: CycleState) -> None:
        """Write what a failed attempt gives up, so that the pod may fit next time."""
        plugin = framework.plugins.get(NAME)
        if not isinstance(plugin, DynamicResources):
            return
        for change in plugin.writes_after_post_filter(state):
            metadata = change.claim.metadata
            try:
                claim = self._port.writer.read(_KIND, (metadata.namespace, metadata.name))
            except ApiError:
                continue  # it is gone, which frees its devices as well
            if change.deleted:
                self._delete(claim)
            else:
                self._port.writer.replace_status(claim, {})

    def _delete(self, claim: Json) -> None:
        writer, metadata = self._port.writer, claim["metadata"]
        claim = writer.replace_status(claim, {})
        kept = [name for name in metadata.get("finalizers") or () if name != FINALIZER]
        writer.replace(_with_finalizers(claim, kept))
        writer.delete(_KIND, (metadata["namespace"], metadata["name"]))

    def _claims_of(self, binding: Binding) -> Iterator[Json]:
        """Yield the claims of a pod that is being bound, as they are stored now."""
        data = binding.state.read(NAME)
        if not isinstance(data, DraState) or not data.claims:
            return
        uids = {claim.metadata.uid for claim in data.claims}
        for claim in self._port.objects(_KIND, binding.info.namespace):
            if claim["metadata"]["uid"] in uids or _is_extended(claim, binding.info):
                yield claim


_WHAT: Final = {True: "allocation and reservation", False: "reservation"}


def _shown(claim: Json) -> str:
    return f"{claim['metadata']['namespace']}/{claim['metadata']['name']}"


def _consumer(pod: PodInfo) -> Json:
    return {"resource": "pods", "name": pod.name, "uid": pod.uid}


def _as_json(allocation: AllocationResult) -> Json:
    return allocation.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _with_finalizers(claim: Json, finalizers: list[str]) -> Json:
    rest = {name: value for name, value in claim["metadata"].items() if name != "finalizers"}
    return {**claim, "metadata": {**rest, "finalizers": finalizers} if finalizers else rest}


def _is_extended(claim: Json, pod: PodInfo) -> bool:
    """Return whether the scheduler made a claim for a pod's extended resources."""
    metadata = claim["metadata"]
    if (metadata.get("annotations") or {}).get(ANNOTATION) != "true":
        return False
    owners = metadata.get("ownerReferences") or ()
    return any(owner.get("controller") and owner["uid"] == pod.uid for owner in owners)
