"""Crowded fleets, where preemption and ties draw lots all the time, as scenarios.

Many pods of few shapes never fit, so failures are remembered; others push several equally good
candidates aside, so each draw decides who goes; the fleet changes in between.
"""

from typing import Any

import numpy as np

Json = dict[str, Any]

CLASSES = {"low": 0, "usual": 10, "high": 100}
_GPU = "nvidia.com/gpu"


def crowd(seed: int, steps: int = 40) -> Json:
    """Return a scenario document; equal seeds give equal ones."""
    dice = np.random.default_rng(seed)
    fleet = [_node(f"n{number}", 4) for number in range(int(dice.integers(4, 10)))]
    setup = [_class(name, value) for name, value in CLASSES.items()]
    setup += [_pod(f"old{number}", "low", 1) for number in range(4 * len(fleet))]
    events: list[Json] = []
    for number in range(steps):
        at = f"{float(dice.integers(0, 200)) / 2:.1f}s"
        events.append({"at": at, **_event(dice, number, len(fleet))})
    return {
        "apiVersion": "gpusched.dev/v1alpha1",
        "kind": "Scenario",
        "metadata": {"name": f"crowd-{seed}"},
        "spec": {"fleet": fleet, "setup": setup, "steps": events, "until": "5m"},
    }


def _event(dice: np.random.Generator, number: int, nodes: int) -> Json:
    what = int(dice.integers(10))
    if what < 4:
        name = str(dice.choice(["usual", "high"]))
        return {"create": _pod(f"urgent{number}", name, int(dice.integers(1, 4)))}
    if what < 7:
        name = str(dice.choice(sorted(CLASSES)))
        wants = int(dice.choice([3, 9]))
        return {"create": [_pod(f"large{number}-{nth}", name, wants) for nth in range(3)]}
    if what < 9:
        gone = {"kind": "Pod", "name": f"old{int(dice.integers(4 * nodes))}"}
        return {"delete": gone}
    return {"create": _node(f"late{number}", 2)}


def _node(name: str, gpus: int) -> Json:
    room = {"cpu": "32", "memory": "64Gi", "pods": "110", _GPU: str(gpus)}
    status = {"capacity": room, "allocatable": room}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": status}


def _class(name: str, value: int) -> Json:
    head = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    return {**head, "metadata": {"name": name}, "value": value}


def _pod(name: str, priority: str, gpus: int) -> Json:
    container = {"name": "main", "image": "x", "resources": {"limits": {_GPU: str(gpus)}}}
    spec = {"containers": [container], "priorityClassName": priority}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
