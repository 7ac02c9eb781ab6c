"""Deployments, ReplicaSets, StatefulSets, DaemonSets and Jobs.

Source: kubernetes/kubectl pkg/describe/describe.go, v0.36.1
"""

from collections import Counter
from typing import Final

from gpusched.api.quantity import Quantity
from gpusched.kubectl.ages import human_duration, parse_time, rfc1123
from gpusched.kubectl.describe.metadata import (
    controlled_by,
    heading,
    labels_and_annotations,
)
from gpusched.kubectl.describe.pod import describe_template
from gpusched.kubectl.describe.rollout import replica_sets_of
from gpusched.kubectl.describe.writer import Writer
from gpusched.kubectl.fields import (
    JsonObject,
    controller_of,
    dig,
    labels_of,
    mapping,
    name_of,
    namespace_of,
    number,
    rows,
    text,
    texts,
)
from gpusched.kubectl.selectors import label_selector_text, labels_text, of_object
from gpusched.kubectl.view import View, listing

_NODE_COUNTS: Final = (
    ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
    ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
    ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
    ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
    ("Number of Nodes Misscheduled", "numberMisscheduled"),
)
_INDEXES_SHOWN: Final = 50


def describe_deployment(writer: Writer, view: View, obj: JsonObject) -> None:
    """Write everything about a Deployment but its events."""
    heading(writer, obj)
    writer.pair("CreationTimestamp", rfc1123(dig(obj, "metadata", "creationTimestamp")))
    labels_and_annotations(writer, obj)
    writer.pair("Selector", of_object(dig(obj, "spec", "selector")))
    counts = (
        f"{number(obj, 'spec', 'replicas')} desired",
        f"{number(obj, 'status', 'updatedReplicas')} updated",
        f"{number(obj, 'status', 'replicas')} total",
        f"{number(obj, 'status', 'availableReplicas')} available",
        f"{number(obj, 'status', 'unavailableReplicas')} unavailable",
    )
    writer.pair("Replicas", " | ".join(counts))
    writer.pair("StrategyType", text(obj, "spec", "strategy", "type"))
    writer.pair("MinReadySeconds", number(obj, "spec", "minReadySeconds"))
    rolling = dig(obj, "spec", "strategy", "rollingUpdate")
    if rolling is not None:
        bounds = f"{rolling['maxUnavailable']} max unavailable, {rolling['maxSurge']} max surge"
        writer.pair("RollingUpdateStrategy", bounds)
    describe_template(writer, mapping(obj, "spec", "template"))
    _conditions(writer, obj)
    old, new = replica_sets_of(view, obj)
    if old or new:
        writer.pair("OldReplicaSets", _replica_sets_text(old))
        writer.pair("NewReplicaSet", _replica_sets_text(new))


def _replica_sets_text(replica_sets: list[JsonObject]) -> str:
    parts = (
        f"{name_of(one)} ({number(one, 'status', 'replicas')}/{number(one, 'spec', 'replicas')} "
        "replicas created)"
        for one in replica_sets
    )
    return ", ".join(parts) or "<none>"


def _conditions(writer: Writer, obj: JsonObject) -> None:
    conditions = rows(obj, "status", "conditions")
    if not conditions:
        return
    writer.line("Conditions:")
    writer.line("Type\tStatus\tReason", 1)
    writer.line("----\t------\t------", 1)
    for condition in conditions:
        cells = (f"{condition['type']} ", text(condition, "status"), text(condition, "reason"))
        writer.line("\t".join(cells), 1)


def _pods_status(writer: Writer, view: View, obj: JsonObject) -> None:
    """Write how many of a controller's pods are in which phase."""
    selector, uid = of_object(dig(obj, "spec", "selector")), text(obj, "metadata", "uid")
    phases = Counter(
        text(pod, "status", "phase")
        for pod in listing(view, "Pod", namespace_of(obj))
        if selector.matches(labels_of(pod)) and text(controller_of(pod), "uid") == uid
    )
    writer.pair(
        "Pods Status",
        f"{phases['Running']} Running / {phases['Pending']} Waiting / "
        f"{phases['Succeeded']} Succeeded / {phases['Failed']} Failed",
    )


def describe_replica_set(writer: Writer, view: View, obj: JsonObject) -> None:
    """Write everything about a ReplicaSet but its events."""
    heading(writer, obj)
    writer.pair("Selector", label_selector_text(dig(obj, "spec", "selector")))
    labels_and_annotations(writer, obj)
    controlled_by(writer, obj)
    current, desired = number(obj, "status", "replicas"), number(obj, "spec", "replicas")
    writer.pair("Replicas", f"{current} current / {desired} desired")
    _pods_status(writer, view, obj)
    describe_template(writer, mapping(obj, "spec", "template"))
    _conditions(writer, obj)


def describe_stateful_set(writer: Writer, view: View, obj: JsonObject) -> None:
    """Write everything about a StatefulSet but its events."""
    heading(writer, obj)
    writer.pair("CreationTimestamp", rfc1123(dig(obj, "metadata", "creationTimestamp")))
    writer.pair("Selector", of_object(dig(obj, "spec", "selector")))
    labels_and_annotations(writer, obj)
    desired, total = number(obj, "spec", "replicas"), number(obj, "status", "replicas")
    writer.pair("Replicas", f"{desired} desired | {total} total")
    strategy = mapping(obj, "spec", "updateStrategy")
    writer.pair("Update Strategy", text(strategy, "type"))
    rolling = mapping(strategy, "rollingUpdate")
    if rolling.get("partition") is not None:
        writer.pair("Partition", rolling["partition"], 1)
        if rolling.get("maxUnavailable") is not None:
            writer.pair("MaxUnavailable", rolling["maxUnavailable"], 1)
    _pods_status(writer, view, obj)
    describe_template(writer, mapping(obj, "spec", "template"))
    _volume_claims(writer, rows(obj, "spec", "volumeClaimTemplates"))


def _volume_claims(writer: Writer, claims: list[JsonObject]) -> None:
    if not claims:
        writer.pair("Volume Claims", "<none>")
        return
    writer.line("Volume Claims:")
    inner = writer.nested(1)
    for claim in claims:
        inner.pair("Name", name_of(claim))
        inner.pair("StorageClass", text(claim, "spec", "storageClassName"))
        for label in ("Labels", "Annotations"):
            values = mapping(claim, "metadata", label.lower())
            first, *others = [f"{key}={values[key]}" for key in sorted(values)] or ["<none>"]
            inner.pair(label, first)
            for line in others:
                inner.line(f"\t{line}")
        storage = dig(claim, "spec", "resources", "requests", "storage")
        inner.pair("Capacity", "<default>" if storage is None else Quantity.parse(storage))
        inner.pair("Access Modes", f"[{' '.join(texts(claim, 'spec', 'accessModes'))}]")


def describe_daemon_set(writer: Writer, view: View, obj: JsonObject) -> None:
    """Write everything about a DaemonSet but its events."""
    heading(writer, obj)
    writer.pair("Selector", of_object(dig(obj, "spec", "selector")))
    node_selector = mapping(obj, "spec", "template", "spec", "nodeSelector")
    writer.pair("Node-Selector", labels_text(node_selector))
    labels_and_annotations(writer, obj)
    for label, field in _NODE_COUNTS:
        writer.line(f"{label}: {number(obj, 'status', field)}")
    _pods_status(writer, view, obj)
    describe_template(writer, mapping(obj, "spec", "template"))


def describe_job(writer: Writer, view: View, obj: JsonObject) -> None:
    """Write everything about a Job but its events."""
    del view
    heading(writer, obj)
    writer.pair("Selector", of_object(dig(obj, "spec", "selector")))
    labels_and_annotations(writer, obj)
    controlled_by(writer, obj)
    _job_settings(writer, mapping(obj, "spec"))
    _job_times(writer, mapping(obj, "status"))
    deadline = dig(obj, "spec", "activeDeadlineSeconds")
    if deadline is not None:
        writer.pair("Active Deadline Seconds", f"{deadline}s")
    status = mapping(obj, "status")
    ready = "" if status.get("ready") is None else f" ({status['ready']} Ready)"
    writer.pair(
        "Pods Statuses",
        f"{number(status, 'active')} Active{ready} / {number(status, 'succeeded')} Succeeded / "
        f"{number(status, 'failed')} Failed",
    )
    if text(obj, "spec", "completionMode") == "Indexed":
        writer.pair("Completed Indexes", _indexes_text(text(status, "completedIndexes")))
    describe_template(writer, mapping(obj, "spec", "template"))


def _job_settings(writer: Writer, spec: JsonObject) -> None:
    if spec.get("parallelism") is not None:
        writer.pair("Parallelism", spec["parallelism"])
    completions = spec.get("completions")
    writer.pair("Completions", "<unset>" if completions is None else completions)
    if spec.get("completionMode") is not None:
        writer.pair("Completion Mode", spec["completionMode"])
    if spec.get("suspend") is not None:
        writer.pair("Suspend", "true" if spec["suspend"] else "false")
    for label, field in (
        ("Backoff Limit", "backoffLimit"),
        ("TTL Seconds After Finished", "ttlSecondsAfterFinished"),
    ):
        if spec.get(field) is not None:
            writer.pair(label, spec[field])


def _job_times(writer: Writer, status: JsonObject) -> None:
    start, end = status.get("startTime"), status.get("completionTime")
    if start:
        writer.pair("Start Time", rfc1123(start))
    if end:
        writer.pair("Completed At", rfc1123(end))
    if start and end:
        writer.pair("Duration", human_duration(parse_time(end) - parse_time(start)))


def _indexes_text(indexes: str) -> str:
    """Return completed indexes, cut at the first comma after a while."""
    comma = indexes.find(",", _INDEXES_SHOWN)
    if not indexes:
        return "<none>"
    return indexes if comma < 0 else f"{indexes[: comma + 1]}..."
