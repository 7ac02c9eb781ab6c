"""Which pools of devices a node can use, in the order in which the allocator tries them.

Source: kubernetes/dynamic-resource-allocation structured/internal/incubating/
pools_incubating.go, v0.36.1
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from typing_extensions import override

from gpusched.api import placement
from gpusched.api.resource import CounterSet, Device, ResourceSlice, ResourceSliceSpec
from gpusched.cluster.node import NodeInfo
from gpusched.cluster.selectors import NodeSelector
from gpusched.kube.plugins.dynamic_resources.cel import compile_selector
from gpusched.kube.plugins.dynamic_resources.cel_values import CelError

PoolID: TypeAlias = tuple[str, str]
"""Driver and pool name."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """A pool as one node sees it.

    Attributes:
        driver: Whose it is.
        name: Its name.
        slices: The slices with devices for the node, by name.
        slices_elsewhere: The other slices of the same generation, where they were looked at.
        counter_sets: Counters that the pool's devices share.
        incomplete: Slices are missing; nothing is allocated from it.
        invalid: It contradicts itself; nothing is allocated from it.
    """

    driver: str
    name: str
    slices: tuple[ResourceSlice, ...] = ()
    slices_elsewhere: tuple[ResourceSlice, ...] = ()
    counter_sets: tuple[CounterSet, ...] = ()
    incomplete: bool = False
    invalid: bool = False

    @override
    def __str__(self) -> str:
        """Return the pool as messages name it."""
        return f"{self.driver}/{self.name}"

    @property
    def binds_late(self) -> bool:
        """Return whether a device is ready only after binding; such pools come last."""
        return any(device.binding_conditions for s in self.slices for device in s.spec.devices)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A device that may be allocated to claims on a node.

    Attributes:
        id: Driver, pool and device.
        device: What the driver says of it.
        slice: Where it says so.
        pool: The pool, as the node sees it.
    """

    id: tuple[str, str, str]
    device: Device
    slice: ResourceSlice
    pool: Pool

    @property
    def is_shared(self) -> bool:
        """Return whether several claims may have a part of it."""
        return bool(self.device.allow_multiple_allocations)

    @property
    def place(self) -> Device | ResourceSliceSpec:
        """Return where it is said which nodes can use it."""
        return self.device if self.slice.spec.per_device_node_selection else self.slice.spec


@dataclass(frozen=True, slots=True, eq=False)
class NodePools:
    """All pools of a node.

    Attributes:
        pools: In the allocator's order.
        candidates: The devices of all pools that are complete and valid, in order.
    """

    pools: tuple[Pool, ...]
    candidates: tuple[Candidate, ...]


class PoolIndex:
    """All slices of the cluster, and what was worked out of them; valid until a slice changes.

    Attributes:
        slices: The slices, out-of-date ones included.
    """

    def __init__(self, slices: Iterable[ResourceSlice]) -> None:
        self.slices = tuple(slices)
        self._by_node: dict[str, list[ResourceSlice]] = {}
        self._shared: list[ResourceSlice] = []
        self._pools: dict[str, tuple[NodeInfo, NodePools]] = {}
        self._selected: dict[tuple[str, int], bool | str] = {}
        for slice_ in self.slices:
            if slice_.spec.node_name and not slice_.spec.shared_counters:
                self._by_node.setdefault(slice_.spec.node_name, []).append(slice_)
            else:
                self._shared.append(slice_)

    def pools_of(self, node: NodeInfo) -> NodePools:
        """Return the pools of a node; worked out once per version of its object."""
        known = self._pools.get(node.name)
        if known is None or known[0] is not node:
            known = self._pools[node.name] = (node, self._gather(node))
        return known[1]

    def selects(self, expression: str, driver: str, device: Device) -> bool:
        """Return whether a CEL selector takes a device; evaluated once per device.

        Raises:
            CelError: The selector fails.
        """
        key = (expression, id(device))  # slices, and so their devices, live as long
        found = self._selected.get(key)
        if found is None:
            try:
                found = compile_selector(expression).matches(driver, device)
            except CelError as error:
                found = str(error)
            self._selected[key] = found
        if isinstance(found, str):
            raise CelError(found)
        return found

    def _gather(self, node: NodeInfo) -> NodePools:
        relevant: dict[PoolID, list[ResourceSlice]] = {}
        for slice_ in (*self._by_node.get(node.name, ()), *self._shared):
            if _is_relevant(slice_, node):
                _add_newest(
                    relevant.setdefault((slice_.spec.driver, slice_.spec.pool.name), []), slice_
                )
        found = [self._pool(pool_id, slices) for pool_id, slices in relevant.items()]
        pools = sorted(
            (pool for pool in found if pool is not None),
            key=lambda pool: (pool.binds_late, pool.driver.encode(), pool.name.encode()),
        )
        return NodePools(tuple(pools), tuple(_candidates(pools)))

    def _pool(self, pool_id: PoolID, slices: list[ResourceSlice]) -> Pool | None:
        """Return a pool made of the newest relevant slices; None if newer ones lie elsewhere."""
        driver, name = pool_id
        slices.sort(key=lambda each: each.metadata.name.encode())
        wanted, generation = (
            slices[0].spec.pool.resource_slice_count,
            slices[0].spec.pool.generation,
        )
        if len(slices) == wanted:
            return _build(driver, name, slices, ())
        of_pool = [s for s in self.slices if (s.spec.driver, s.spec.pool.name) == pool_id]
        if any(s.spec.pool.generation > generation for s in of_pool):
            return None
        same = [s for s in of_pool if s.spec.pool.generation == generation]
        if len(same) != wanted:
            return Pool(driver, name, incomplete=True)
        here = {s.metadata.name for s in slices}
        return _build(driver, name, slices, [s for s in same if s.metadata.name not in here])


def _candidates(pools: Sequence[Pool]) -> Iterable[Candidate]:
    for pool in pools:
        for slice_ in pool.slices:
            for device in slice_.spec.devices:
                yield Candidate((pool.driver, pool.name, device.name), device, slice_, pool)


def _add_newest(slices: list[ResourceSlice], slice_: ResourceSlice) -> None:
    """Add a slice unless it is out of date; a newer one replaces all others."""
    generation = slice_.spec.pool.generation
    if slices and generation > slices[0].spec.pool.generation:
        slices.clear()
    if not slices or generation == slices[0].spec.pool.generation:
        slices.append(slice_)


def _is_relevant(slice_: ResourceSlice, node: NodeInfo) -> bool:
    spec = slice_.spec
    if spec.shared_counters:
        return True
    if spec.node_name or spec.all_nodes or spec.node_selector is not None:
        return node_matches(node, spec.node_name, spec.all_nodes, spec.node_selector)
    return bool(spec.per_device_node_selection) and any(
        device_matches(node, device) for device in spec.devices
    )


def device_matches(node: NodeInfo, device: Device) -> bool:
    """Return whether a node can use a device that names its nodes itself."""
    return node_matches(node, device.node_name, device.all_nodes, device.node_selector)


def node_matches(
    node: NodeInfo,
    name: str | None,
    all_nodes: bool | None,
    selector: placement.NodeSelector | None,
) -> bool:
    """Return whether a node is meant; the first of the three that is given decides."""
    if name:
        return node.name == name
    if all_nodes:
        return True
    if selector is None:
        return False
    return NodeSelector.compile(selector).matches_one(node.labels, node.name)


def _build(
    driver: str, name: str, slices: Sequence[ResourceSlice], elsewhere: Sequence[ResourceSlice]
) -> Pool:
    counter_sets = [each for slice_ in slices for each in slice_.spec.shared_counters]
    with_devices = [slice_ for slice_ in slices if not slice_.spec.shared_counters]
    devices = Counter(device.name for s in with_devices for device in s.spec.devices)
    known = {each.name: each.counters for each in counter_sets}
    if (
        any(count > 1 for count in devices.values())
        or len(known) < len(counter_sets)
        or not _counters_exist(known, (*slices, *elsewhere))
    ):
        return Pool(driver, name, invalid=True)
    return Pool(driver, name, tuple(with_devices), tuple(elsewhere), tuple(counter_sets))


def _counters_exist(
    known: Mapping[str, Mapping[str, object]], slices: Iterable[ResourceSlice]
) -> bool:
    return all(
        counter in known.get(consumption.counter_set, {})
        for slice_ in slices
        for device in slice_.spec.devices
        for consumption in device.consumes_counters
        for counter in consumption.counters
    )
