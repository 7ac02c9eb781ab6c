"""Services; the simulation has no endpoints, so none are shown.

Source: kubernetes/kubectl pkg/describe/describe.go describeService, v0.36.1
"""

from typing import Final

from gpusched.kubectl.describe.metadata import heading, labels_and_annotations
from gpusched.kubectl.describe.writer import Writer
from gpusched.kubectl.fields import JsonObject, mapping, rows, text, texts
from gpusched.kubectl.selectors import labels_text
from gpusched.kubectl.view import View

_OPTIONAL: Final = (
    ("External IPs", "externalIPs"),
    ("Desired LoadBalancer IP", "loadBalancerIP"),
    ("External Name", "externalName"),
)
_POLICIES: Final = (
    ("External Traffic Policy", "externalTrafficPolicy"),
    ("Internal Traffic Policy", "internalTrafficPolicy"),
    ("HealthCheck NodePort", "healthCheckNodePort"),
    ("LoadBalancer Source Ranges", "loadBalancerSourceRanges"),
    ("Traffic Distribution", "trafficDistribution"),
)


def describe_service(writer: Writer, view: View, obj: JsonObject) -> None:
    """Write everything about a service but its events."""
    del view
    spec = mapping(obj, "spec")
    heading(writer, obj)
    labels_and_annotations(writer, obj)
    writer.pair("Selector", labels_text(mapping(spec, "selector")))
    writer.pair("Type", text(spec, "type"))
    if spec.get("ipFamilyPolicy"):
        writer.pair("IP Family Policy", spec["ipFamilyPolicy"])
    writer.pair("IP Families", ",".join(texts(spec, "ipFamilies")) or "<none>")
    writer.pair("IP", text(spec, "clusterIP"))
    writer.pair("IPs", ",".join(texts(spec, "clusterIPs")) or "<none>")
    _given(writer, spec, _OPTIONAL)
    ingress = rows(obj, "status", "loadBalancer", "ingress")
    if ingress:
        writer.pair("LoadBalancer Ingress", ", ".join(_ingress_text(entry) for entry in ingress))
    for port in rows(spec, "ports"):
        _port(writer, port)
    writer.pair("Session Affinity", text(spec, "sessionAffinity"))
    _given(writer, spec, _POLICIES)


def _given(writer: Writer, spec: JsonObject, fields: tuple[tuple[str, str], ...]) -> None:
    for label, field in fields:
        value = spec.get(field)
        if value:
            writer.pair(label, ",".join(value) if isinstance(value, list) else value)


def _ingress_text(entry: JsonObject) -> str:
    if not entry.get("ip"):
        return text(entry, "hostname")
    return f"{entry['ip']} ({entry['ipMode']})" if entry.get("ipMode") else str(entry["ip"])


def _port(writer: Writer, port: JsonObject) -> None:
    name, protocol = port.get("name") or "<unset>", port.get("protocol", "")
    writer.pair("Port", f"{name}\t{port['port']}/{protocol}")
    writer.pair("TargetPort", f"{port.get('targetPort', 0)}/{protocol}")
    if port.get("appProtocol"):
        writer.pair("AppProtocol", port["appProtocol"])
    if port.get("nodePort"):
        writer.pair("NodePort", f"{name}\t{port['nodePort']}/{protocol}")
    writer.pair("Endpoints", "<none>")
