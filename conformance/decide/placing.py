"""Random rules about where a pod may go: tolerations, selectors, affinities, spreading."""

from typing import Any

from conformance.decide.draw import Draw
from conformance.decide.nodes import (
    EFFECTS,
    HOSTNAME,
    LABELS,
    RACK,
    REGION,
    TAINT_KEYS,
    TAINT_VALUES,
    ZONE,
)

Json = dict[str, Any]

APPS = ("web", "db", "train", "infer")
NAMESPACES = ("default", "team-a", "team-b")
TOPOLOGIES = (HOSTNAME, HOSTNAME, ZONE, ZONE, REGION, RACK, "disk", "pool", "absent")


def tolerations(draw: Draw) -> list[Json]:
    """Return tolerations of every form."""
    return draw.many(lambda: _toleration(draw), 0, 4)


def _toleration(draw: Draw) -> Json:
    if draw.often(0.06):
        return {"operator": "Exists"}
    toleration: Json = {"key": draw.one(TAINT_KEYS)}
    operator = draw.one(("Exists", "Equal", None))
    if operator:
        toleration["operator"] = operator
    if operator != "Exists" and draw.often(0.9):
        toleration["value"] = draw.one(TAINT_VALUES)
    if draw.often(0.75):
        toleration["effect"] = draw.one(EFFECTS)
    if toleration.get("effect") == "NoExecute" and draw.often(0.3):
        toleration["tolerationSeconds"] = draw.one((-1, 0, 300))
    if draw.often(0.02):
        toleration["operator"] = draw.one(("Lt", "Bogus"))
    return toleration


def node_selector(draw: Draw) -> Json:
    """Return a nodeSelector."""
    key = draw.one((*LABELS, ZONE))
    return {key: draw.one(LABELS.get(key, ("z1", "z2")))}


def node_affinity(draw: Draw, count: int) -> Json:
    """Return a node affinity; ``count`` is the number of nodes."""
    affinity: Json = {}
    if draw.often(0.65):
        affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {
            "nodeSelectorTerms": draw.many(lambda: _node_term(draw, count), 1, 3)
        }
    if draw.often(0.5):
        affinity["preferredDuringSchedulingIgnoredDuringExecution"] = draw.many(
            lambda: {
                "weight": draw.one((1, 2, 10, 50, 100)),
                "preference": _node_term(draw, count),
            },
            1,
            3,
        )
    return affinity


def _node_term(draw: Draw, count: int) -> Json:
    term: Json = {}
    if draw.often(0.85):
        term["matchExpressions"] = draw.many(lambda: _node_expression(draw, count), 1, 2)
    if draw.often(0.15) or not term:
        term["matchFields"] = [
            {
                "key": "metadata.name",
                "operator": draw.one(("In", "In", "NotIn")),
                "values": [f"node-{draw.number(0, count):02d}"],
            }
        ]
    return {} if draw.often(0.03) else term


def _node_expression(draw: Draw, count: int) -> Json:
    key = draw.one((*LABELS, ZONE, HOSTNAME, "absent"))
    operator = draw.one(("In", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"))
    expression: Json = {"key": key, "operator": operator}
    if operator in {"In", "NotIn"}:
        hosts = tuple(f"node-{i:02d}" for i in range(count))
        values = {ZONE: ("z1", "z2", "z3"), HOSTNAME: hosts or ("x",), "absent": ("q",)}
        expression["values"] = draw.some(LABELS.get(key) or values[key], 1, 2)
    elif operator in {"Gt", "Lt"}:
        expression |= {"key": "gen", "values": [draw.one(("0", "2", "5", "-1", "x"))]}
    return expression


def label_selector(draw: Draw) -> Json:
    """Return a label selector about pods."""
    if draw.often(0.08):
        return {}
    if draw.often(0.75):
        return {"matchLabels": {"app": draw.one(APPS)}}
    operator = draw.one(("In", "NotIn", "Exists", "DoesNotExist"))
    expression: Json = {"key": draw.one(("app", "ver")), "operator": operator}
    if operator in {"In", "NotIn"}:
        pool = APPS if expression["key"] == "app" else ("v1", "v2")
        expression["values"] = draw.some(pool, 1, 2)
    selector: Json = {"matchExpressions": [expression]}
    if draw.often(0.2):
        selector["matchLabels"] = {"app": draw.one(APPS)}
    return selector


def pod_affinity(draw: Draw) -> Json:
    """Return podAffinity and podAntiAffinity, one or both."""
    affinity: Json = {}
    for kind in ("podAffinity", "podAntiAffinity"):
        if draw.often(0.55):
            affinity[kind] = _terms(draw)
    return affinity


def _terms(draw: Draw) -> Json:
    terms: Json = {}
    if draw.often(0.5):
        terms["requiredDuringSchedulingIgnoredDuringExecution"] = draw.many(
            lambda: _term(draw), 1, 2
        )
    if draw.often(0.6):
        terms["preferredDuringSchedulingIgnoredDuringExecution"] = draw.many(
            lambda: {"weight": draw.one((1, 10, 50, 100)), "podAffinityTerm": _term(draw)}, 1, 2
        )
    return terms


def _term(draw: Draw) -> Json:
    term: Json = {"topologyKey": draw.one(TOPOLOGIES)}
    if draw.often(0.95):
        term["labelSelector"] = label_selector(draw)
    if draw.often(0.25):
        term["namespaces"] = draw.some(NAMESPACES, 1, 2)
    if draw.often(0.25):
        term["namespaceSelector"] = _namespace_selector(draw)
    if draw.often(0.06):
        term["matchLabelKeys"] = draw.some(("ver", "job"), 1, 2)
    if draw.often(0.06):
        term["mismatchLabelKeys"] = ["ver"]
    return term


def _namespace_selector(draw: Draw) -> Json:
    return draw.one(
        (
            {},
            {"matchLabels": {"team": "a"}},
            {"matchLabels": {"tier": "gold"}},
            {"matchLabels": {"kubernetes.io/metadata.name": "team-b"}},
            {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
            {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]},
            {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]},
        )
    )


def spread(draw: Draw) -> list[Json]:
    """Return topology spread constraints, no two about the same."""
    found = draw.many(lambda: _constraint(draw), 1, 3)
    return list({(c["topologyKey"], c["whenUnsatisfiable"]): c for c in found}.values())


def _constraint(draw: Draw) -> Json:
    constraint: Json = {
        "maxSkew": draw.one((1, 1, 2, 3)),
        "topologyKey": draw.one(TOPOLOGIES),
        "whenUnsatisfiable": draw.one(("DoNotSchedule", "ScheduleAnyway")),
    }
    if draw.often(0.95):
        constraint["labelSelector"] = label_selector(draw)
    if draw.often(0.2):
        constraint["nodeAffinityPolicy"] = draw.one(("Honor", "Ignore"))
    if draw.often(0.2):
        constraint["nodeTaintsPolicy"] = draw.one(("Honor", "Ignore"))
    if constraint["whenUnsatisfiable"] == "DoNotSchedule" and draw.often(0.2):
        constraint["minDomains"] = draw.one((1, 2, 3, 5))
    if draw.often(0.1) and "labelSelector" in constraint:
        constraint["matchLabelKeys"] = draw.some(("ver", "job"), 1, 2)
    return constraint
