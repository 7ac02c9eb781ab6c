"""Random owners of pods, and services: what default spreading takes its selectors from."""

from collections.abc import Sequence
from typing import Any

from conformance.decide import placing
from conformance.decide.draw import Draw

Json = dict[str, Any]

OWNERS = (
    ("apps/v1", "ReplicaSet", "rs"),
    ("apps/v1", "StatefulSet", "sts"),
    ("v1", "ReplicationController", "rc"),
    ("batch/v1", "Job", "job"),
)


def few_owners(draw: Draw) -> list[Json]:
    """Return a service, a ReplicaSet, or both."""
    selector = {"app": draw.one(placing.APPS)}
    return draw.some((_service("svc", selector), _owner(OWNERS[0], selector)), 1, 2)


def many_owners(draw: Draw) -> list[Json]:
    """Return services and owners of all kinds; some select what others do, too."""
    found = [_service(f"svc-{at}", _selector(draw)) for at in range(draw.number(0, 3))]
    return found + [_owner(kind, _selector(draw)) for kind in OWNERS[:3] if draw.often(0.7)]


def own(draw: Draw, pods: Sequence[Json], chance: float) -> None:
    """Give pods an owner, which may be gone, be of another kind, or not control them."""
    for pod in pods:
        if not draw.often(chance):
            continue
        version, kind, name = draw.one(OWNERS)
        reference = {"apiVersion": version, "kind": kind, "name": name, "uid": name}
        if draw.often(0.95):
            reference |= {"controller": True}
        if draw.often(0.05):
            reference |= {"name": "gone"}
        pod["metadata"]["ownerReferences"] = [reference]


def _selector(draw: Draw) -> Json:
    selector = {"app": draw.one(placing.APPS)}
    if draw.often(0.3):
        selector["ver"] = draw.one(("v1", "v2"))
    return selector


def _service(name: str, selector: Json) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": selector, "ports": [{"port": 80}]},
    }


def _owner(kind: tuple[str, str, str], labels: Json) -> Json:
    version, name_of_kind, name = kind
    template: Json = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "redis"}]},
    }
    selector = labels if name_of_kind == "ReplicationController" else {"matchLabels": labels}
    spec: Json = {"replicas": 1, "selector": selector, "template": template}
    if name_of_kind == "StatefulSet":
        spec["serviceName"] = "svc-0"
    metadata = {"name": name, "namespace": "default", "uid": name}
    return {"apiVersion": version, "kind": name_of_kind, "metadata": metadata, "spec": spec}
