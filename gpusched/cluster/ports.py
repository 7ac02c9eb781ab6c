"""Host ports: who uses which, and what conflicts."""

from collections.abc import Collection, Iterable
from typing import TypeAlias

from gpusched.cluster.pod import PodShape

HostPort: TypeAlias = tuple[str, str, int]
"""(host IP, protocol, port), defaults filled in."""

WILDCARD = "0.0.0.0"  # noqa: S104 - Kubernetes' word for "any address of the node"; nothing is bound


def _compile(shape: PodShape) -> tuple[HostPort, ...]:
    sidecars = [c for c in shape.spec.init_containers if c.restart_policy == "Always"]
    return tuple(
        (port.host_ip or WILDCARD, port.protocol or "TCP", port.host_port)
        for container in [*sidecars, *shape.spec.containers]
        for port in container.ports
        if port.host_port
    )


def host_ports(shape: PodShape) -> tuple[HostPort, ...]:
    """Return the host ports of main containers and sidecars, in order.

    Source: kubernetes/kubernetes pkg/scheduler/util/utils.go (GetHostPorts), v1.36.1.
    """
    return shape.memo(_compile, _compile)


def any_conflict(wanted: Iterable[HostPort], used: Collection[HostPort]) -> bool:
    """Return whether one of ``wanted`` is taken: on the same address, or on all of a node's.

    Source: kubernetes/kube-scheduler framework/types.go (HostPortInfo.CheckConflict), v0.36.1.

    >>> any_conflict([("0.0.0.0", "TCP", 80)], {("10.0.0.1", "TCP", 80)})
    True
    """
    return any(
        (protocol, port) == (other_protocol, other_port)
        and (ip == other_ip or WILDCARD in (ip, other_ip))
        for ip, protocol, port in wanted
        for other_ip, other_protocol, other_port in used
    )
