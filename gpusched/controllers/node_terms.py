"""Which nodes a pod template admits, and how a pod is pinned to one.

Only node selector and required node affinity are looked at.

Source: kubernetes/kubernetes pkg/controller/daemon/util/daemonset_util.go, k8s.io/component-helpers
nodeaffinity, v1.36.1
"""

from collections.abc import Mapping
from typing import Any

from gpusched.controllers.protocol import Json

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def admits(spec: Json, node: Json) -> bool:
    """Return whether node selector and required node affinity let a pod onto a node."""
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED)
    if required is None:
        return True
    fields = {"metadata.name": node["metadata"]["name"]}
    return any(_term_holds(term, labels, fields) for term in required["nodeSelectorTerms"])


def _term_holds(term: Json, labels: Mapping[str, str], fields: Mapping[str, str]) -> bool:
    by_label, by_field = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not by_label and not by_field:
        return False
    on_labels = all(_holds(item, labels) for item in by_label)
    return on_labels and all(_holds(item, fields) for item in by_field)


def _holds(item: Json, values: Mapping[str, str]) -> bool:
    have, operator = values.get(item["key"]), item["operator"]
    wanted: list[str] = item.get("values") or []
    if operator in ("Exists", "DoesNotExist"):
        return bool((have is not None) == (operator == "Exists"))
    if operator in ("In", "NotIn"):
        return bool((have in wanted) == (operator == "In"))
    try:
        number, bound = int(have or ""), int(wanted[0])
    except ValueError:
        return False
    return number > bound if operator == "Gt" else number < bound


def pinned(affinity: Json, node: str) -> Json:
    """Return an affinity that lets a pod onto one node only."""
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    on_nodes = affinity.get("nodeAffinity") or {}
    terms = (on_nodes.get(_REQUIRED) or {}).get("nodeSelectorTerms") or [{}]
    bound: list[Any] = [{**term, "matchFields": [field]} for term in terms]
    return {**affinity, "nodeAffinity": {**on_nodes, _REQUIRED: {"nodeSelectorTerms": bound}}}


def target(spec: Mapping[str, Any]) -> str:
    """Return the node that a pinned pod is for, or an empty string."""
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(_REQUIRED) or {}
    for term in required.get("nodeSelectorTerms") or ():
        for item in term.get("matchFields") or ():
            if item["key"] == "metadata.name":
                return str(item["values"][0])
    return ""
