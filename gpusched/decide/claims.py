"""Claims as decisions change them: allocated before a pod is bound, freed to make room.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/dynamicresources, v1.36.1
"""

from collections.abc import Iterable, Iterator
from typing import Protocol, cast

from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.plugins.dynamic_resources import ClaimWrite


class ClaimWriter(Protocol):
    """A plugin that wants claims changed."""

    def pre_bind(self, state: CycleState, pod: PodInfo, node: str) -> tuple[ClaimWrite, ...]:
        """Return the claims to write before the pod is bound to the node."""
        ...

    def writes_after_post_filter(self, state: CycleState) -> tuple[ClaimWrite, ...]:
        """Return the claims that a failed attempt gives up."""
        ...


def taken(framework: Framework, state: CycleState, pod: PodInfo) -> list[ClaimWrite]:
    """Return the claims that a pod takes with it to its node."""
    return [
        write
        for plugin in _writers(framework)
        for write in plugin.pre_bind(state, pod, pod.node_name)
    ]


def freed(framework: Framework, state: CycleState) -> list[ClaimWrite]:
    """Return the claims that a failed attempt gives up."""
    return [
        write for plugin in _writers(framework) for write in plugin.writes_after_post_filter(state)
    ]


def write(objects: ClusterObjects, writes: Iterable[ClaimWrite]) -> None:
    """Carry out changes of claims; a new claim without a name gets its prefix as name."""
    for change in writes:
        metadata = change.claim.metadata
        key = metadata.namespace, metadata.name or metadata.generate_name
        if change.deleted:
            objects.resource_claims.delete(key)
        else:
            objects.resource_claims.put(key, change.claim)


def _writers(framework: Framework) -> Iterator[ClaimWriter]:
    """Yield the plugins that are asked; looking for one method is quicker than for all."""
    for plugin in framework.plugins.values():
        if hasattr(plugin, "writes_after_post_filter"):
            yield cast("ClaimWriter", plugin)
