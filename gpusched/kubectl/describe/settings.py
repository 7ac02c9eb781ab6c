"""Namespaces, quotas, limit ranges, disruption budgets, priority classes.

Source: kubernetes/kubectl pkg/describe/describe.go, v0.36.1
"""

from collections.abc import Iterator
from typing import Final

from gpusched.api.quantity import Quantity
from gpusched.kubectl.ages import rfc1123
from gpusched.kubectl.describe.metadata import heading, labels_and_annotations
from gpusched.kubectl.describe.writer import Writer
from gpusched.kubectl.fields import JsonObject, dig, mapping, name_of, number, rows, text, texts
from gpusched.kubectl.selectors import label_selector_text, labels_text
from gpusched.kubectl.view import View, listing

_LIMIT_TITLES: Final = (
    "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio"
)
_LIMIT_DASHES: Final = "----\t--------\t---\t---\t---------------\t-------------\t" + "-" * 23
_LIMITS: Final = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")
_SCOPES: Final = {
    "Terminating": "Matches all pods that have an active deadline. These pods have a limited "
    "lifespan on a node before being actively terminated by the system.",
    "NotTerminating": "Matches all pods that do not have an active deadline. These pods usually "
    "include long running pods whose container command is not expected to terminate.",
    "BestEffort": "Matches all pods that do not have resource requirements set. These pods have a "
    "best effort quality of service.",
    "NotBestEffort": "Matches all pods that have at least one resource requirement set. These pods "
    "have a burstable or guaranteed quality of service.",
}


def describe_namespace(writer: Writer, view: View, obj: JsonObject) -> None:
    """Write a namespace with the quotas and limit ranges in it."""
    writer.pair("Name", name_of(obj))
    labels_and_annotations(writer, obj)
    writer.pair("Status", text(obj, "status", "phase"))
    _conditions(writer, obj)
    writer.line("")
    _quotas(writer, listing(view, "ResourceQuota", name_of(obj)))
    writer.line("")
    _limit_ranges(writer, listing(view, "LimitRange", name_of(obj)))


def _conditions(writer: Writer, obj: JsonObject) -> None:
    conditions = rows(obj, "status", "conditions")
    if not conditions:
        return
    writer.line("Conditions:")
    writer.line("Type\tStatus\tLastTransitionTime\tReason\tMessage", 1)
    writer.line("----\t------\t------------------\t------\t-------", 1)
    for condition in conditions:
        time = rfc1123(condition.get("lastTransitionTime"))
        details = (text(condition, "reason"), text(condition, "message"))
        writer.line("\t".join((condition["type"], text(condition, "status"), time, *details)), 1)


def _quotas(writer: Writer, quotas: list[JsonObject]) -> None:
    if not quotas:
        writer.line("No resource quota.")
        return
    writer.line("Resource Quotas")
    for quota in quotas:
        writer.pair("Name", name_of(quota), 1)
        _scopes(writer.nested(1), quota, "* ")
        writer.line("Resource\tUsed\tHard", 1)
        writer.line("--------\t---\t---", 1)
        for name, used, hard in _usage(quota):
            writer.line(f"{name}\t{used}\t{hard}", 1)


def _scopes(writer: Writer, quota: JsonObject, bullet: str) -> None:
    scopes = sorted(texts(quota, "spec", "scopes"))
    if scopes:
        writer.pair("Scopes", ", ".join(scopes))
    for scope in scopes:
        if scope in _SCOPES:
            writer.line(f"{bullet}{_SCOPES[scope]}")


def _usage(quota: JsonObject) -> Iterator[tuple[str, Quantity, Quantity]]:
    hard, used = mapping(quota, "status", "hard"), mapping(quota, "status", "used")
    for name in sorted(hard):
        yield name, Quantity.parse(used.get(name, "0")), Quantity.parse(hard[name])


def _limit_ranges(writer: Writer, limit_ranges: list[JsonObject]) -> None:
    if not limit_ranges:
        writer.line("No LimitRange resource.")
        return
    writer.line("Resource Limits")
    writer.line(f" {_LIMIT_TITLES}")
    writer.line(f" {_LIMIT_DASHES}")
    for limit_range in limit_ranges:
        _limits(writer, limit_range, " ")


def _limits(writer: Writer, limit_range: JsonObject, prefix: str) -> None:
    """Write one row per type and resource; upstream's order of resources is random, ours sorted."""
    for item in rows(limit_range, "spec", "limits"):
        for name in sorted({name for field in _LIMITS for name in mapping(item, field)}):
            values = (dig(item, field, name) for field in _LIMITS)
            shown = ("-" if value is None else str(Quantity.parse(value)) for value in values)
            writer.line("\t".join((f"{prefix}{item['type']}", name, *shown)))


def describe_limit_range(writer: Writer, view: View, obj: JsonObject) -> None:
    """Write a limit range."""
    del view
    heading(writer, obj)
    writer.line(_LIMIT_TITLES)
    writer.line(_LIMIT_DASHES)
    _limits(writer, obj, "")


def describe_quota(writer: Writer, view: View, obj: JsonObject) -> None:
    """Write a quota and how much of it is used."""
    del view
    heading(writer, obj)
    _scopes(writer, obj, " * ")
    writer.line("Resource\tUsed\tHard")
    writer.line("--------\t----\t----")
    for name, used, hard in _usage(obj):
        alike = used if used.format == hard.format else Quantity.from_int(used.value(), hard.format)
        writer.line(f"{name}\t{alike}\t{hard}")


def describe_budget(writer: Writer, view: View, obj: JsonObject) -> None:
    """Write everything about a disruption budget but its events."""
    del view
    heading(writer, obj)
    spec = mapping(obj, "spec")
    if spec.get("minAvailable") is not None:
        writer.pair("Min available", spec["minAvailable"])
    elif spec.get("maxUnavailable") is not None:
        writer.pair("Max unavailable", spec["maxUnavailable"])
    selector = spec.get("selector")
    writer.pair("Selector", "<unset>" if selector is None else label_selector_text(selector))
    writer.line("Status:")
    for label, field in (
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ):
        writer.pair(label, number(obj, "status", field), 2)


def describe_priority_class(writer: Writer, view: View, obj: JsonObject) -> None:
    """Write everything about a priority class but its events."""
    del view
    writer.pair("Name", name_of(obj))
    writer.pair("Value", number(obj, "value"))
    writer.pair("GlobalDefault", "true" if obj.get("globalDefault") else "false")
    writer.pair("PreemptionPolicy", text(obj, "preemptionPolicy"))
    writer.pair("Description", text(obj, "description"))
    writer.pair("Annotations", labels_text(mapping(obj, "metadata", "annotations")))
