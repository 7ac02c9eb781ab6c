"""The recorded lesson, made into a scenario: its own manifests, at its own times."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import gpusched
from gpusched import Run
from tests.kubectl.recordings import load, masked

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
ORDER: Final = (
    "gpu-demo",
    "cuda-batch-small",
    "cuda-train-16gpu",
    "cuda-needs-b200",
    "queue-pressure",
)
TIMES: Final = {"lesson-age-12s": (0, 16), "lesson-age-50m": (604, 3639)}
"""Seconds after the start of the control plane: when the lesson was applied, and looked at."""
POD: Final = re.compile(r"\bqueue-pressure-[0-9a-f]{8,10}-[a-z0-9]{5}\b")
REPLICA_SET: Final = re.compile(r"\bqueue-pressure-[0-9a-f]{8,10}\b")
EVENT_NAME: Final = re.compile(r"\.[0-9a-f]{16}\b")
_REPLACED: Final = (
    (POD, "<pod>"),
    (REPLICA_SET, "<replica-set>"),
    (EVENT_NAME, ".<event>"),
    (re.compile("<host>"), "host"),
)


@cache
def simulated(lesson: str, folder: Path) -> Run:
    """Play the recorded manifests on the recorded nodes."""
    objects = load(lesson)["objects"]
    applied_at, seen_at = TIMES[lesson]
    applied = [
        json.loads(obj["metadata"]["annotations"][LAST_APPLIED])
        for obj in objects
        if obj["metadata"]["name"] in ORDER and obj["kind"] != "ReplicaSet"
    ]
    applied.sort(key=lambda obj: ORDER.index(obj["metadata"]["name"]))
    spec = {
        "fleet": [_given(obj) for obj in objects if obj["kind"] == "Node"],
        "steps": [{"at": f"{applied_at}s", "apply": applied}],
        "until": f"{seen_at}s",
    }
    document = {"apiVersion": "gpusched.dev/v1alpha1", "kind": "Scenario"}
    file = folder / f"{lesson}.json"
    named = {"metadata": {"name": lesson}, "spec": spec}
    file.write_text(json.dumps(document | named), encoding="utf-8")
    return gpusched.simulate(file)


def _given(node: dict[str, Any]) -> dict[str, Any]:
    """Return a node as its user wrote it: without what the control plane added."""
    meta, status = node["metadata"], node["status"]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {key: meta[key] for key in ("name", "labels", "annotations") if key in meta},
        "spec": {key: value for key, value in node["spec"].items() if key == "taints"},
        "status": {key: status[key] for key in ("capacity", "allocatable", "nodeInfo")},
    }


def comparable(text: str, *, either_a100: bool = False) -> list[str]:
    """Return a text's lines without ages, generated names, addresses and UIDs, sorted.

    Generated names put the pods of a table in a random order, so the order of lines says nothing.

    Args:
        text: What kubectl printed.
        either_a100: Whether the two A100 nodes may change places.
    """
    for pattern, replacement in _REPLACED:
        text = pattern.sub(replacement, text)
    if either_a100:
        text = re.sub(r"a100-[01]\b", "a100-N", text)
    return sorted(masked(text).split("\n"))
