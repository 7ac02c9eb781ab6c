"""Host ports: who uses which, and what conflicts."""

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
