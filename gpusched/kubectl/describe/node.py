"""Nodes: what they have, what runs there, and how much of it is spoken for.

Source: kubernetes/kubectl pkg/describe/describe.go describeNode, describeNodeResource, v0.36.1
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from gpusched.api.quantity import Quantity
from gpusched.kubectl.ages import age, rfc1123
from gpusched.kubectl.describe.metadata import labels_and_annotations, taints
from gpusched.kubectl.describe.writer import Writer
from gpusched.kubectl.fields import JsonObject, dig, mapping, name_of, namespace_of, rows, text
from gpusched.kubectl.go_format import quote
from gpusched.kubectl.pod_resources import Amounts, pod_amounts, total_amounts
from gpusched.kubectl.printers.core import node_roles
from gpusched.kubectl.view import View, listing, lookup

_ZERO: Final = Quantity.parse("0")
_NOT_A_NUMBER: Final = -(2**63)
"""What Go prints for the percentage of nothing."""
_SYSTEM_INFO: Final = (
    ("Machine ID", "machineID"), ("System UUID", "systemUUID"), ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"), ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"), ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"), ("Kubelet Version", "kubeletVersion"),
)  # fmt: skip
_STANDARD: Final = ("cpu", "memory", "ephemeral-storage")
_LEASES: Final = "kube-node-lease"
_POOLS_SHOWN: Final = 10


def describe_node(writer: Writer, view: View, node: JsonObject) -> None:
    """Write everything about a node but its events."""
    writer.pair("Name", name_of(node))
    writer.pair("Roles", node_roles(node))
    labels_and_annotations(writer, node)
    writer.pair("CreationTimestamp", rfc1123(dig(node, "metadata", "creationTimestamp")))
    taints(writer, rows(node, "spec", "taints"))
    writer.pair("Unschedulable", "true" if dig(node, "spec", "unschedulable") else "false")
    _lease(writer, view, name_of(node))
    _conditions(writer, node)
    writer.line("Addresses:")
    for address in rows(node, "status", "addresses"):
        writer.pair(address["type"], address["address"], 1)
    for label in ("Capacity", "Allocatable"):
        _amounts(writer, label, mapping(node, "status", label.lower()))
    _resource_slices(writer, view, name_of(node))
    writer.line("System Info:")
    for label, field in _SYSTEM_INFO:
        writer.pair(label, text(node, "status", "nodeInfo", field), 1)
    _network(writer, node)
    _pods(writer, view, node)


def _lease(writer: Writer, view: View, name: str) -> None:
    lease = lookup(view, "Lease", _LEASES, name)
    if lease is None:
        missing = f"leases.coordination.k8s.io {quote(name)} not found"
        writer.pair("Lease", f"Failed to get lease: {missing}")
        return
    spec = mapping(lease, "spec")
    writer.line("Lease:")
    holder = spec.get("holderIdentity")
    writer.pair("HolderIdentity", "<unset>" if holder is None else holder, 1)
    for label, field in (("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")):
        writer.pair(label, rfc1123(spec[field]) if spec.get(field) else "<unset>", 1)


def _conditions(writer: Writer, node: JsonObject) -> None:
    conditions = rows(node, "status", "conditions")
    if not conditions:
        return
    titles = ("Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message")
    writer.line("Conditions:")
    writer.line("\t".join(titles), 1)
    writer.line("\t".join("-" * len(title) for title in titles), 1)
    for condition in conditions:
        cells = (
            condition["type"],
            text(condition, "status"),
            rfc1123(condition.get("lastHeartbeatTime")),
            rfc1123(condition.get("lastTransitionTime")),
            text(condition, "reason"),
            text(condition, "message"),
        )
        writer.line(" \t".join(cells), 1)


def _amounts(writer: Writer, label: str, amounts: JsonObject) -> None:
    if amounts:
        writer.line(f"{label}:")
    for name in sorted(amounts):
        writer.pair(name, Quantity.parse(amounts[name]), 1)


def _resource_slices(writer: Writer, view: View, name: str) -> None:
    """Write the pools of devices that only this node has."""
    slices, devices = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for one in listing(view, "ResourceSlice"):
        if text(one, "spec", "nodeName") == name:
            pool = text(one, "spec", "driver"), text(one, "spec", "pool", "name")
            slices[pool] += 1
            devices[pool] += len(rows(one, "spec", "devices"))
    if not slices:
        return
    writer.line("Node-Local ResourceSlices:")
    writer.line("Driver\tPool\tSlices\tDevices", 1)
    writer.line("------\t----\t------\t-------", 1)
    pools = sorted(slices, key="/".join)
    for pool in pools[:_POOLS_SHOWN]:
        writer.line("\t".join((*pool, str(slices[pool]), str(devices[pool]))), 1)
    if len(pools) > _POOLS_SHOWN:
        writer.line(f"...and {len(pools) - _POOLS_SHOWN} more pools", 1)


def _network(writer: Writer, node: JsonObject) -> None:
    spec = mapping(node, "spec")
    for label, value in (
        ("PodCIDR", spec.get("podCIDR")),
        ("PodCIDRs", ",".join(spec.get("podCIDRs") or [])),
        ("ProviderID", spec.get("providerID")),
    ):
        if value:
            writer.pair(label, value)


def _pods(writer: Writer, view: View, node: JsonObject) -> None:
    """Write the node's pods and the sums of what they request and may use."""
    pods = [
        pod
        for pod in listing(view, "Pod")
        if text(pod, "spec", "nodeName") == name_of(node)
        and text(pod, "status", "phase") not in ("Succeeded", "Failed")
    ]
    status = mapping(node, "status")
    raw = status.get("allocatable") or status.get("capacity") or {}
    allocatable = {name: Quantity.parse(amount) for name, amount in raw.items()}
    titles = ("CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age")
    dashes = ("-" * len(title) for title in titles)
    writer.pair("Non-terminated Pods", f"({len(pods)} in total)")
    writer.line("\t".join(("Namespace", "Name", "", *titles)), 1)
    writer.line("\t".join(("---------", "----", "", *dashes)), 1)
    for pod in pods:
        writer.line("\t".join(_pod_cells(pod, allocatable, view.now)), 1)
    _totals(writer, pods, allocatable)


def _pod_cells(pod: JsonObject, allocatable: Amounts, now: int) -> list[str]:
    amounts = [pod_amounts(pod, which, from_status=True) for which in ("requests", "limits")]
    shares = (
        _share(side.get(name, _ZERO), allocatable.get(name, _ZERO), name, nothing=_NOT_A_NUMBER)
        for name in ("cpu", "memory")
        for side in amounts
    )
    created = dig(pod, "metadata", "creationTimestamp")
    return [namespace_of(pod), name_of(pod), "", *shares, age(created, now)]


def _share(amount: Quantity, whole: Quantity, name: str, *, nothing: int = 0) -> str:
    """Return an amount and its percentage of ``whole``.

    The percentage is cut off from a binary fraction, as upstream computes it: 29 of 100 are 28%.
    """
    part, total = (
        quantity.milli_value() if name == "cpu" else quantity.value()
        for quantity in (amount, whole)
    )
    percent = int(float(part) / float(total) * 100) if total else nothing
    return f"{amount} ({percent}%)"


def _totals(writer: Writer, pods: list[JsonObject], allocatable: Mapping[str, Quantity]) -> None:
    requests, limits = (total_amounts(pods, which) for which in ("requests", "limits"))
    huge = sorted(name for name in allocatable if name.startswith("hugepages-"))
    extended = sorted(set(allocatable) - {*_STANDARD, *huge, "pods"})
    writer.line("Allocated resources:")
    writer.line("(Total limits may be over 100 percent, i.e., overcommitted.)", 1)
    writer.line("Resource\tRequests\tLimits", 1)
    writer.line("--------\t--------\t------", 1)
    for name in (*_STANDARD, *huge):
        whole = allocatable.get(name, _ZERO)
        shares = [_share(side.get(name, _ZERO), whole, name) for side in (requests, limits)]
        writer.line("\t".join((name, *shares)), 1)
    for name in extended:
        sums = [str(side.get(name, _ZERO)) for side in (requests, limits)]
        writer.line("\t".join((name, *sums)), 1)
