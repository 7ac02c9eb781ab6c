"""What pods ask for, as the scheduler counts it.

Source: kubernetes/component-helpers resource/helpers.go (PodRequests), v0.36.1, and
kubernetes/kubernetes pkg/scheduler/framework/types.go (calculateResource), v1.36.1.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gpusched.api.pods import Container, ContainerStatus, Pod, PodSpec
from gpusched.api.quantity import ZERO, Quantity
from gpusched.cluster.resources import STANDARD, ResourceNames, is_counted

Amounts: TypeAlias = Mapping[str, Quantity]
ReadContainer: TypeAlias = Callable[[Container], Amounts]
"""What a container asks for."""

DEFAULT_CPU: Final = Quantity.from_milli(100)
DEFAULT_MEMORY: Final = Quantity.from_int(200 * 1024 * 1024)
_DEFAULTS: Final = {"cpu": DEFAULT_CPU, "memory": DEFAULT_MEMORY}


@dataclass(frozen=True, slots=True)
class Requests:
    """A pod's requests, compiled.

    Attributes:
        rows: Rows of `ResourceNames`, ascending, of every resource named (amount 0 included).
        amounts: The amounts, parallel to ``rows``: cpu in milli, others whole, rounded up.
        nonzero_cpu: cpu with 100m for silent containers, pod-level resources honoured; what
            counts as the node's NonZeroRequested.
        nonzero_memory: memory with 200Mi for silent containers, likewise.
        scored: (row, amount) pairs by which NodeResourcesFit scores an incoming pod: silent
            containers count, pod-level resources do not.
        columns: What they add to a node's column, by the number of resources; filled by
            `Columns.account`.
    """

    rows: tuple[int, ...] = ()
    amounts: tuple[int, ...] = ()
    nonzero_cpu: int = 0
    nonzero_memory: int = 0
    scored: tuple[tuple[int, int], ...] = ()
    columns: dict[int, npt.NDArray[np.int64]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def amount(self, row: int) -> int:
        """Return the amount asked of one resource; 0 where it is not named."""
        for known, amount in zip(self.rows, self.amounts, strict=True):
            if known == row:
                return amount
        return 0

    @property
    def has_scalars(self) -> bool:
        """Return whether some scalar resource is named, even with 0."""
        return bool(self.rows) and self.rows[-1] >= len(STANDARD)


def resource_amounts(quantities: Amounts, resources: ResourceNames) -> tuple[tuple[int, int], ...]:
    """Return (row, amount) of every resource that the scheduler counts, rows ascending."""
    return tuple(
        sorted(
            (resources.row(name), _integer(name, quantity))
            for name, quantity in quantities.items()
            if is_counted(name)
        )
    )


def _integer(name: str, quantity: Quantity) -> int:
    return quantity.wrapped_milli_value() if name == "cpu" else quantity.wrapped_value()


def pod_requests(spec: PodSpec, resources: ResourceNames) -> Requests:
    """Return what NodeResourcesFit filters an incoming pod by: the spec alone."""
    compiled = _compile(spec, _from_spec, _pod_level(spec), resources)
    defaulted = _with_defaults(_from_spec, _DEFAULTS)
    scored = resource_amounts(_total(spec, defaulted, {}), resources)
    return replace(compiled, scored=scored)


def accounted_requests(pod: Pod, requests: Requests, resources: ResourceNames) -> Requests:
    """Return what a pod takes from its node: the spec, or more while it is resized in place.

    Args:
        pod: The pod.
        requests: What its spec alone comes to; returned as it is where no status matters.
        resources: Names to rows.
    """
    status = pod.status
    resized = _resized(pod)
    if not resized and status.resources is None:
        return requests
    infeasible = any(
        condition.type == "PodResizePending" and condition.reason == "Infeasible"
        for condition in status.conditions
    )

    def read(container: Container) -> Amounts:
        own, found = container.resources.requests, resized.get(container.name)
        return own if found is None else _largest(_candidates(own, found, infeasible))

    pod_level = _pod_level(pod.spec)
    if pod_level and status.resources is not None:
        given = (status.resources.requests, status.allocated_resources or {})
        pod_level = _supported(_largest(given if infeasible else (pod_level, *given)))
    return _compile(pod.spec, read, pod_level, resources)


def _resized(pod: Pod) -> dict[str, ContainerStatus]:
    """Return the statuses that tell of resources, of containers that run on, by name."""
    spec, status = pod.spec, pod.status
    running = {container.name for container in (*spec.containers, *_sidecars(spec))}
    statuses = (*status.container_statuses, *status.init_container_statuses)
    return {s.name: s for s in statuses if s.resources is not None and s.name in running}


def _sidecars(spec: PodSpec) -> Iterator[Container]:
    return (each for each in spec.init_containers if each.restart_policy == "Always")


def _candidates(own: Amounts, found: ContainerStatus, infeasible: bool) -> Sequence[Amounts]:
    actuated = found.resources.requests if found.resources is not None else {}
    given = (actuated, found.allocated_resources or {})
    return given if infeasible else (own, *given)


def _largest(lists: Sequence[Amounts]) -> Amounts:
    """Return the largest amount of each name."""
    largest: dict[str, Quantity] = {}
    for amounts in lists:
        _raise_to(largest, amounts)
    return largest


def _compile(
    spec: PodSpec, read: ReadContainer, pod_level: Amounts, resources: ResourceNames
) -> Requests:
    """Return everything but ``scored``.

    A container that says nothing of cpu or memory counts with a default on its node. Once there
    are pod-level requests it does so only for a resource that nothing in the pod names.
    """
    real = _total(spec, read, pod_level)
    missing = _DEFAULTS
    if pod_level:
        missing = {name: amount for name, amount in _DEFAULTS.items() if name not in real}
    nonzero = _total(spec, _with_defaults(read, missing), pod_level) if missing else real
    amounts = resource_amounts(real, resources)
    return Requests(
        rows=tuple(row for row, _ in amounts),
        amounts=tuple(amount for _, amount in amounts),
        nonzero_cpu=nonzero.get("cpu", ZERO).wrapped_milli_value(),
        nonzero_memory=nonzero.get("memory", ZERO).wrapped_value(),
    )


def _from_spec(container: Container) -> Amounts:
    return container.resources.requests


def _with_defaults(read: ReadContainer, defaults: Amounts) -> ReadContainer:
    return lambda container: {**defaults, **read(container)}


def _pod_level(spec: PodSpec) -> Amounts:
    return _supported(spec.resources.requests) if spec.resources is not None else {}


def _supported(amounts: Amounts) -> Amounts:
    """Return the resources that may be asked for by a pod as a whole."""
    return {
        name: amount
        for name, amount in amounts.items()
        if name in STANDARD[:2] or name.startswith("hugepages-")
    }


def _total(spec: PodSpec, read: ReadContainer, pod_level: Amounts) -> dict[str, Quantity]:
    total = _containers(spec, read)
    total.update(pod_level)
    _add(total, spec.overhead)
    return total


def _containers(spec: PodSpec, read: ReadContainer) -> dict[str, Quantity]:
    """Return the sum of the long-running containers, or more if an init container needs more.

    Sidecars run beside all containers that start after them, init containers one by one.
    """
    total: dict[str, Quantity] = {}
    for container in spec.containers:
        _add(total, read(container))
    sidecars: dict[str, Quantity] = {}
    peak: dict[str, Quantity] = {}
    for container in spec.init_containers:
        if container.restart_policy == "Always":
            amounts = read(container)
            _add(total, amounts)
            _add(sidecars, amounts)
        else:
            starting = dict(read(container))
            _add(starting, sidecars)
            _raise_to(peak, starting)
    _raise_to(total, peak)
    return total


def _add(into: dict[str, Quantity], amounts: Amounts) -> None:
    for name, amount in amounts.items():
        into[name] = into[name] + amount if name in into else amount


def _raise_to(into: dict[str, Quantity], amounts: Amounts) -> None:
    for name, amount in amounts.items():
        if name not in into or amount > into[name]:
            into[name] = amount
