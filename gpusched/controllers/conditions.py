"""Conditions in the status of a workload: a list of JSON objects, one per type.

Source: kubernetes/kubernetes pkg/controller/deployment/util/deployment_util.go,
pkg/controller/replicaset/replica_set_utils.go
"""

from collections.abc import Iterable, Sequence
from typing import Any

from gpusched.controllers.protocol import Json


def find(conditions: Iterable[Json], kind: str) -> Json | None:
    """Return the condition of a type, or None."""
    return next((item for item in conditions if item["type"] == kind), None)


def without(conditions: Iterable[Json], kind: str) -> list[Json]:
    """Return the conditions but one."""
    return [item for item in conditions if item["type"] != kind]


def with_condition(conditions: Sequence[Json], new: Json) -> list[Json]:
    """Return the conditions with one set.

    The same status and reason change nothing, the same status keeps its time.
    """
    old = find(conditions, new["type"])
    if old is not None and (old["status"], old["reason"]) == (new["status"], new["reason"]):
        return list(conditions)
    if old is not None and old["status"] == new["status"]:
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    return [*without(conditions, new["type"]), new]


def condition(kind: str, status: str, reason: str, message: str, **times: Any) -> Json:
    """Return a condition."""
    return {"type": kind, "status": status, **times, "reason": reason, "message": message}
