"""How many devices of a class a node has, for those who score by an extended resource.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/noderesources/resource_allocation.go
(calculateDRAResourceTotals), v1.36.1
"""

from collections.abc import Iterator

from gpusched.api.resource import Device, DeviceClass, ResourceSlice
from gpusched.cluster.node import NodeInfo
from gpusched.kube.plugins.dynamic_resources.cel_values import CelError
from gpusched.kube.plugins.dynamic_resources.claims import DevicesInUse
from gpusched.kube.plugins.dynamic_resources.pools import (
    PoolIndex,
    device_matches,
    node_matches,
)


def count_on(
    node: NodeInfo, device_class: DeviceClass, index: PoolIndex, in_use: DevicesInUse
) -> tuple[int, int]:
    """Return how many devices of a class a node has, and how many of them are allocated.

    As upstream, slices that are out of date count as well, and there are none of either if a
    selector fails.
    """
    total = taken = 0
    try:
        for slice_, device in _devices(node, index):
            if _is_of(device_class, slice_.spec.driver, device, index):
                total += 1
                key = (slice_.spec.driver, slice_.spec.pool.name, device.name)
                taken += key in in_use.devices or key in in_use.shared
    except CelError:
        return 0, 0
    return total, taken


def _devices(node: NodeInfo, index: PoolIndex) -> Iterator[tuple[ResourceSlice, Device]]:
    for slice_ in index.slices:
        spec = slice_.spec
        each_for_itself = bool(spec.per_device_node_selection)
        here = each_for_itself or node_matches(
            node, spec.node_name, spec.all_nodes, spec.node_selector
        )
        for device in spec.devices if here else ():
            if not each_for_itself or device_matches(node, device):
                yield slice_, device


def _is_of(device_class: DeviceClass, driver: str, device: Device, index: PoolIndex) -> bool:
    return all(
        index.selects(selector.cel.expression, driver, device)
        for selector in device_class.spec.selectors
        if selector.cel is not None
    )
