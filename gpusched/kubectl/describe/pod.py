"""Pods and pod templates.

Source: kubernetes/kubectl pkg/describe/describe.go describePod, DescribePodTemplate, v0.36.1
"""

from gpusched.api.gosort import go_sorted
from gpusched.kubectl.ages import age, rfc1123
from gpusched.kubectl.describe.containers import describe_containers, describe_resources
from gpusched.kubectl.describe.metadata import (
    annotations,
    controlled_by,
    heading,
    labels_and_annotations,
    tolerations,
)
from gpusched.kubectl.describe.volumes import describe_volumes
from gpusched.kubectl.describe.writer import Writer
from gpusched.kubectl.fields import JsonObject, dig, mapping, number, rows, text
from gpusched.kubectl.pod_resources import qos_class
from gpusched.kubectl.selectors import label_selector_text
from gpusched.kubectl.view import View


def describe_pod(writer: Writer, view: View, pod: JsonObject) -> None:
    """Write everything about a pod but its events."""
    heading(writer, pod)
    _placement(writer, pod)
    labels_and_annotations(writer, pod)
    _status(writer, pod, view.now)
    _addresses(writer, pod)
    controlled_by(writer, pod)
    if nominated := text(pod, "status", "nominatedNodeName"):
        writer.pair("NominatedNodeName", nominated)
    if dig(pod, "spec", "resources") is not None:
        writer.line("Resources:")
        describe_resources(writer, mapping(pod, "spec", "resources"), 1)
    _containers(writer, pod)
    _conditions(writer, pod)
    describe_volumes(writer, rows(pod, "spec", "volumes"), in_template=False)
    writer.pair("QoS Class", qos_class(pod))
    writer.labels("Node-Selectors", mapping(pod, "spec", "nodeSelector"))
    tolerations(writer, rows(pod, "spec", "tolerations"))
    _spread(writer, rows(pod, "spec", "topologySpreadConstraints"))
    _scheduling_group(writer, mapping(pod, "spec"))


def _placement(writer: Writer, pod: JsonObject) -> None:
    spec = mapping(pod, "spec")
    if spec.get("priority") is not None:
        writer.pair("Priority", spec["priority"])
    for label, field in (
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ):
        if spec.get(field):
            writer.pair(label, spec[field])
    node = spec.get("nodeName")
    writer.pair("Node", f"{node}/{text(pod, 'status', 'hostIP')}" if node else "<none>")
    if start := text(pod, "status", "startTime"):
        writer.pair("Start Time", rfc1123(start))


def _status(writer: Writer, pod: JsonObject, now: int) -> None:
    phase, deleted = text(pod, "status", "phase"), text(pod, "metadata", "deletionTimestamp")
    if deleted and phase not in ("Failed", "Succeeded"):
        writer.pair("Status", f"Terminating (lasts {age(deleted, now)})")
        grace = number(pod, "metadata", "deletionGracePeriodSeconds")
        writer.pair("Termination Grace Period", f"{grace}s")
    else:
        writer.pair("Status", phase)
    for label, field in (("Reason", "reason"), ("Message", "message")):
        if detail := text(pod, "status", field):
            writer.pair(label, detail)
    profile = dig(pod, "spec", "securityContext", "seccompProfile")
    if profile:
        writer.pair("SeccompProfile", text(profile, "type"))
        if profile.get("type") == "Localhost":
            writer.pair("LocalhostProfile", text(profile, "localhostProfile"))


def _addresses(writer: Writer, pod: JsonObject) -> None:
    writer.pair("IP", text(pod, "status", "podIP"))
    addresses = rows(pod, "status", "podIPs")
    if not addresses:
        writer.pair("IPs", "<none>")
        return
    writer.line("IPs:")
    for address in addresses:
        writer.pair("IP", text(address, "ip"), 1)


def _containers(writer: Writer, pod: JsonObject) -> None:
    for label, spec_field, status_field in (
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        ("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses"),
    ):
        containers = rows(pod, "spec", spec_field)
        if containers or label == "Containers":
            statuses = rows(pod, "status", status_field)
            describe_containers(writer, label, containers, pod=pod, statuses=statuses)


def _conditions(writer: Writer, pod: JsonObject) -> None:
    conditions = rows(pod, "status", "conditions")
    statuses = {c["type"]: c.get("status", "") for c in reversed(conditions)}
    gates = [gate["conditionType"] for gate in rows(pod, "spec", "readinessGates")]
    listed = [(gate, statuses.get(gate, "<none>")) for gate in gates]
    shown = [(c["type"], c.get("status", "")) for c in conditions]
    for label, entries in (("Readiness Gates", listed), ("Conditions", shown)):
        if not entries:
            continue
        writer.line(f"{label}:")
        writer.line("Type\tStatus", 1)
        for kind, status in entries:
            writer.line(f"{kind} \t{status} ", 1)


def _spread(writer: Writer, constraints: list[JsonObject]) -> None:
    if not constraints:
        return
    ordered = go_sorted(constraints, lambda a, b: bool(a["topologyKey"] < b["topologyKey"]))
    writer.block("Topology Spread Constraints", [_constraint_text(one) for one in ordered])


def _constraint_text(constraint: JsonObject) -> str:
    line = (
        f"{constraint['topologyKey']}:{constraint['whenUnsatisfiable']} when max skew "
        f"{constraint['maxSkew']} is exceeded"
    )
    selector = constraint.get("labelSelector")
    return line if selector is None else f"{line} for selector {label_selector_text(selector)}"


def _scheduling_group(writer: Writer, spec: JsonObject) -> None:
    group = spec.get("schedulingGroup")
    if group is not None:
        writer.line("SchedulingGroup:")
        writer.pair("PodGroupName", text(group, "podGroupName"), 1)


def describe_template(writer: Writer, template: JsonObject) -> None:
    """Write a pod template, as part of the controller that stamps pods from it."""
    writer.line("Pod Template:")
    inner, spec = writer.nested(1), mapping(template, "spec")
    inner.labels("Labels", mapping(template, "metadata", "labels"))
    if notes := mapping(template, "metadata", "annotations"):
        annotations(inner, "Annotations", notes)
    if spec.get("serviceAccountName"):
        inner.pair("Service Account", spec["serviceAccountName"])
    if init := rows(spec, "initContainers"):
        describe_containers(writer, "  Init Containers", init)
    describe_containers(writer, "  Containers", rows(spec, "containers"))
    describe_volumes(writer, rows(spec, "volumes"), in_template=True)
    _spread(inner, rows(spec, "topologySpreadConstraints"))
    if spec.get("priorityClassName"):
        inner.pair("Priority Class Name", spec["priorityClassName"])
    inner.labels("Node-Selectors", mapping(spec, "nodeSelector"))
    tolerations(inner, rows(spec, "tolerations"))
    _scheduling_group(inner, spec)
