"""What is written into a claim's status for the devices that it got.

Source: kubernetes/dynamic-resource-allocation structured/internal/incubating/
allocator_incubating.go (Allocate, createNodeSelector), v0.36.1
"""

from collections.abc import Iterable, Iterator
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from gpusched.api.placement import NodeSelector, NodeSelectorRequirement, NodeSelectorTerm
from gpusched.api.resource import (
    AllocationResult,
    DeviceAllocationConfiguration,
    DeviceAllocationResult,
    DeviceClaimConfiguration,
    DeviceClassConfiguration,
    DeviceRequestAllocationResult,
    ResourceClaim,
)
from gpusched.kube.plugins.dynamic_resources.allocator import ClaimAllocation
from gpusched.kube.plugins.dynamic_resources.search import Alternative, Placed

_NAME_FIELD: Final = "metadata.name"


def allocation_result(allocation: ClaimAllocation, node: str) -> AllocationResult:
    """Return the status that an allocation on a node gives its claim; share IDs are derived."""
    results = tuple(
        _result(allocation.claim, at, placed) for at, placed in enumerate(allocation.placed)
    )
    return AllocationResult(
        devices=DeviceAllocationResult(results=results, config=tuple(_configs(allocation))),
        node_selector=_node_selector(allocation.placed, node),
    )


def _result(claim: ResourceClaim, at: int, placed: Placed) -> DeviceRequestAllocationResult:
    driver, pool, device = placed.candidate.id
    wanted = placed.alternative.wanted
    share = f"{claim.metadata.uid}/{at}/{driver}/{pool}/{device}"
    return DeviceRequestAllocationResult(
        request=wanted.reference,
        driver=driver,
        pool=pool,
        device=device,
        admin_access=True if wanted.admin_access else None,
        tolerations=wanted.tolerations,
        binding_conditions=placed.candidate.device.binding_conditions,
        binding_failure_conditions=placed.candidate.device.binding_failure_conditions,
        share_id=str(uuid5(NAMESPACE_OID, share)) if placed.candidate.is_shared else None,
        consumed_capacity=placed.consumed,
    )


def _configs(allocation: ClaimAllocation) -> Iterator[DeviceAllocationConfiguration]:
    """Yield the classes' configurations, each class once, and then the claim's."""
    by_class: dict[str, list[Alternative]] = {}
    for alternative in allocation.chosen:
        by_class.setdefault(alternative.device_class.metadata.name, []).append(alternative)
    for alternatives in by_class.values():
        requests = tuple(alternative.wanted.reference for alternative in alternatives)
        for config in alternatives[0].device_class.spec.config:
            yield _configuration("FromClass", requests, config)
    for config in allocation.claim.spec.devices.config:
        matching = (
            alternative for alternative in allocation.chosen if _is_for(config, alternative)
        )
        for _ in matching if config.requests else range(1):
            yield _configuration("FromClaim", config.requests, config)


def _is_for(config: DeviceClaimConfiguration, alternative: Alternative) -> bool:
    wanted = alternative.wanted
    return wanted.request in config.requests or wanted.reference in config.requests


def _configuration(
    source: str, requests: tuple[str, ...], config: DeviceClassConfiguration
) -> DeviceAllocationConfiguration:
    return DeviceAllocationConfiguration(source=source, requests=requests, opaque=config.opaque)


def _node_selector(devices: Iterable[Placed], node: str) -> NodeSelector | None:
    """Return which nodes can use all devices; None if all can."""
    fields: list[NodeSelectorRequirement] = []
    labels: list[NodeSelectorRequirement] = []
    for placed in devices:
        place = placed.candidate.place
        if place.node_name is not None or placed.candidate.device.binds_to_node:
            only = NodeSelectorRequirement(key=_NAME_FIELD, operator="In", values=(node,))
            return NodeSelector(node_selector_terms=(NodeSelectorTerm(match_fields=(only,)),))
        if place.node_selector is not None and place.node_selector.node_selector_terms:
            term = place.node_selector.node_selector_terms[0]
            _add_new(term.match_fields, fields)
            _add_new(term.match_expressions, labels)
    if not fields and not labels:
        return None
    term = NodeSelectorTerm(match_fields=tuple(fields), match_expressions=tuple(labels))
    return NodeSelector(node_selector_terms=(term,))


def _add_new(
    requirements: Iterable[NodeSelectorRequirement], known: list[NodeSelectorRequirement]
) -> None:
    for one in requirements:
        if not any(
            (one.key, one.operator, set(one.values)) == (k.key, k.operator, set(k.values))
            for k in known
        ):
            known.append(one)
