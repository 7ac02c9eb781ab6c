"""Services, as far as scheduling looks at them (selectors, ports), and leases.

Source: kubernetes/kubernetes pkg/apis/{core,coordination}/validation/validation.go, v1.36.1
"""

from typing import Final

from gpusched.api.names import dns_label, dns_subdomain, label_key, port_number
from gpusched.api.validation.errors import (
    Errors,
    checked,
    duplicate,
    each,
    forbidden,
    invalid,
    not_negative,
    one_of,
    required,
)
from gpusched.api.validation.meta import validate_any_metadata, validate_labels, validate_metadata
from gpusched.api.validation.probes import validate_port
from gpusched.api.wire import Json

_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_AFFINITIES: Final = ("ClientIP", "None")


def validate_service(obj: Json) -> Errors:
    """Check a Service; addresses, traffic policies and load balancers are not looked at."""
    spec = obj["spec"]
    ports, headless = spec.get("ports") or [], spec.get("clusterIP") == "None"
    yield from validate_metadata(obj["metadata"], dns_label, namespaced=True)
    if not ports and not headless and spec["type"] != "ExternalName":
        yield required("spec.ports")
    names: set[str] = set()
    for index, port in enumerate(ports):
        path, name = f"spec.ports[{index}]", port.get("name", "")
        if not name and len(ports) > 1:
            yield required(f"{path}.name")
        elif name:
            yield from checked(dns_label, f"{path}.name", name)
            if name in names:
                yield duplicate(f"{path}.name", name)
            names.add(name)
        yield from _validate_port(port, path)
        if spec["type"] == "ClusterIP" and port.get("nodePort"):
            yield forbidden(f"{path}.nodePort", "may not be used when `type` is 'ClusterIP'")
    yield from validate_labels(spec.get("selector"), "spec.selector")
    yield from one_of("spec.sessionAffinity", spec["sessionAffinity"], _AFFINITIES)
    yield from one_of("spec.type", spec["type"], _TYPES)


def _validate_port(port: Json, path: str) -> Errors:
    number = port.get("port", 0)
    yield from each(f"{path}.port", number, port_number(number))
    yield from one_of(f"{path}.protocol", port["protocol"], _PROTOCOLS)
    yield from validate_port(port["targetPort"], f"{path}.targetPort")
    if "appProtocol" in port:
        yield from checked(label_key, f"{path}.appProtocol", port["appProtocol"])


def validate_lease(obj: Json) -> Errors:
    """Check a Lease."""
    yield from validate_any_metadata(obj["metadata"], dns_subdomain, namespaced=True)
    spec = obj.get("spec") or {}
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        yield invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    yield from not_negative("spec.leaseTransitions", spec.get("leaseTransitions"))
