"""Small clusters of plain manifests."""

from collections.abc import Mapping, Sequence
from typing import Any

from gpusched.decide.case import Case

Json = dict[str, Any]


def node(
    name: str,
    gpus: int = 0,
    *,
    labels: Mapping[str, str] | None = None,
    taints: Sequence[str] = (),
    cordoned: bool = False,
) -> Json:
    """Return a node; taints are written ``key=value:Effect``."""
    amounts = {"cpu": "8", "memory": "16Gi", "pods": "110", "nvidia.com/gpu": str(gpus)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": {"unschedulable": cordoned, "taints": [taint(text) for text in taints]},
        "status": {"allocatable": amounts, "capacity": dict(amounts)},
    }


def taint(text: str) -> Json:
    pair, _, effect = text.partition(":")
    key, _, value = pair.partition("=")
    return {"key": key, "value": value, "effect": effect}


def pod(
    name: str, gpus: int = 1, *, on: str = "", selector: Mapping[str, str] | None = None
) -> Json:
    spec: Json = {"containers": [container(gpus)], "nodeSelector": dict(selector or {})}
    if on:
        spec["nodeName"] = on
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def container(gpus: int) -> Json:
    amount = {"nvidia.com/gpu": str(gpus)}
    return {"name": "c", "image": "i", "resources": {"limits": amount, "requests": dict(amount)}}


def case(objects: Sequence[Json], pending: Json) -> Case:
    return Case.read({"name": "t", "objects": list(objects), "pending": [pending]})
