"""The tables of nodes, namespaces, events, services and leases.

Source: kubernetes/kubernetes pkg/printers/internalversion/printers.go, v1.36.1
"""

from typing import Final

from gpusched.kubectl.ages import age
from gpusched.kubectl.fields import JsonObject, dig, labels_of, mapping, name_of, rows, text, texts
from gpusched.kubectl.printers.cells import AGE, NAME, SELECTOR
from gpusched.kubectl.selectors import labels_text
from gpusched.kubectl.table import Cells, Column, TableDefinition

_ROLE_PREFIX: Final = "node-role.kubernetes.io/"
_ROLE_LABEL: Final = "kubernetes.io/role"


def node_roles(node: JsonObject) -> str:
    """Return a node's roles by its labels, sorted and joined, or ``<none>``."""
    labels = labels_of(node)
    roles = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    roles.add(labels.get(_ROLE_LABEL, ""))
    return ",".join(sorted(roles - {""})) or "<none>"


def _node_cells(node: JsonObject, now: int) -> Cells:
    info = mapping(node, "status", "nodeInfo")
    kernel = info.get("kernelVersion") or "<unknown>"
    if info.get("architecture"):
        kernel += f" ({info['architecture']})"
    return [
        name_of(node),
        _node_status(node),
        node_roles(node),
        age(dig(node, "metadata", "creationTimestamp"), now),
        info.get("kubeletVersion", ""),
        _address(node, "InternalIP"),
        _address(node, "ExternalIP"),
        info.get("osImage") or "<unknown>",
        kernel,
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


def _node_status(node: JsonObject) -> str:
    conditions = {c["type"]: c.get("status") for c in rows(node, "status", "conditions")}
    status = "Unknown"
    if "Ready" in conditions:
        status = "Ready" if conditions["Ready"] == "True" else "NotReady"
    return status + (",SchedulingDisabled" if dig(node, "spec", "unschedulable") else "")


def _address(node: JsonObject, kind: str) -> str:
    addresses = rows(node, "status", "addresses")
    return next((entry["address"] for entry in addresses if entry["type"] == kind), "<none>")


def _namespace_cells(namespace: JsonObject, now: int) -> Cells:
    return [
        name_of(namespace),
        text(namespace, "status", "phase"),
        age(dig(namespace, "metadata", "creationTimestamp"), now),
    ]


def _event_cells(event: JsonObject, now: int) -> Cells:
    first = age(event.get("firstTimestamp") or event.get("eventTime"), now)
    last = age(event["lastTimestamp"], now) if event.get("lastTimestamp") else first
    count = event.get("count") or 1
    if event.get("series"):
        last = age(event["series"].get("lastObservedTime"), now)
        count = event["series"].get("count", 0)
    involved = mapping(event, "involvedObject")
    kind, name = involved.get("kind", "").lower(), involved.get("name")
    return [
        last,
        text(event, "type"),
        text(event, "reason"),
        f"{kind}/{name}" if name else kind,
        involved.get("fieldPath", ""),
        _event_source(event),
        text(event, "message").strip(),
        first,
        count,
        name_of(event),
    ]


def _event_source(event: JsonObject) -> str:
    component = text(event, "source", "component") or text(event, "reportingComponent")
    instance = text(event, "source", "host") or text(event, "reportingInstance")
    return f"{component}, {instance}" if instance else component


def _service_cells(service: JsonObject, now: int) -> Cells:
    spec = mapping(service, "spec")
    ports = ",".join(_port(port) for port in rows(spec, "ports"))
    return [
        name_of(service),
        text(spec, "type"),
        next(iter(texts(spec, "clusterIPs")), "<none>"),
        _external_address(service),
        ports or "<none>",
        age(dig(service, "metadata", "creationTimestamp"), now),
        labels_text(mapping(spec, "selector")),
    ]


def _port(port: JsonObject) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port.get('protocol', '')}"


def _external_address(service: JsonObject) -> str:
    external = ",".join(texts(service, "spec", "externalIPs"))
    match text(service, "spec", "type"):
        case "ClusterIP" | "NodePort":
            return external or "<none>"
        case "LoadBalancer":
            ingress = rows(service, "status", "loadBalancer", "ingress")
            given = {entry.get("ip") or entry.get("hostname", "") for entry in ingress} - {""}
            return ",".join([*sorted(given), *([external] if external else [])]) or "<pending>"
        case "ExternalName":
            return text(service, "spec", "externalName")
        case _:
            return "<unknown>"


def _lease_cells(lease: JsonObject, now: int) -> Cells:
    return [
        name_of(lease),
        text(lease, "spec", "holderIdentity"),
        age(dig(lease, "metadata", "creationTimestamp"), now),
    ]


NODE = TableDefinition(
    (
        NAME, Column("Status"), Column("Roles"), AGE, Column("Version"),
        *(Column(name, wide=True) for name in (
            "Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime",
        )),
    ),
    _node_cells,
)  # fmt: skip
NAMESPACE = TableDefinition((NAME, Column("Status"), AGE), _namespace_cells)
EVENT = TableDefinition(
    (
        Column("Last Seen"), Column("Type"), Column("Reason"), Column("Object"),
        Column("Subobject", wide=True), Column("Source", wide=True), Column("Message"),
        Column("First Seen", wide=True), Column("Count", wide=True),
        Column("Name", wide=True, is_name=True),
    ),
    _event_cells,
)  # fmt: skip
SERVICE = TableDefinition(
    (
        NAME, Column("Type"), Column("Cluster-IP"), Column("External-IP"), Column("Port(s)"), AGE,
        SELECTOR,
    ),
    _service_cells,
)  # fmt: skip
LEASE = TableDefinition((NAME, Column("Holder"), AGE), _lease_cells)
