"""A Deployment's status: counts, Available, Progressing, ReplicaFailure.

Source: kubernetes/kubernetes pkg/controller/deployment/progress.go, sync.go (calculateStatus),
v1.36.1
"""

from gpusched.controllers import conditions
from gpusched.controllers.protocol import SECOND, Json, Outcome, Reader
from gpusched.controllers.rollout import View, bounds

_NO_DEADLINE = 2**31 - 1


def deadline_of(deployment: Json) -> int | None:
    """Return ``progressDeadlineSeconds``, or None where it stands for no deadline."""
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return None if seconds is None or seconds == _NO_DEADLINE else int(seconds)


def is_complete(deployment: Json, status: Json) -> bool:
    """Return whether every pod is of the new template and available."""
    wanted = deployment["spec"]["replicas"]
    counts = [status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas")]
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return seen and counts == [wanted] * len(counts)


def status_of(view: View, reader: Reader) -> Json:
    """Return the status without its rollout part."""
    deployment = view.deployment
    old = deployment.get("status") or {}
    available = _total(view, "availableReplicas")
    unavailable = sum(item["spec"]["replicas"] for item in view.all) - available
    counts = {
        "replicas": _total(view, "replicas"),
        "updatedReplicas": (view.new or {}).get("status", {}).get("replicas", 0),
        "readyReplicas": _total(view, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, unavailable),
    }
    status: Json = {"observedGeneration": deployment["metadata"]["generation"]}
    status |= {name: count for name, count in counts.items() if count}
    status["terminatingReplicas"] = _total(view, "terminatingReplicas")
    if "collisionCount" in old:
        status["collisionCount"] = old["collisionCount"]
    enough = available >= deployment["spec"]["replicas"] - bounds(deployment)[1]
    word = "has" if enough else "does not have"
    new = _timed(
        "Available",
        "True" if enough else "False",
        "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        f"Deployment {word} minimum availability.",
        reader,
    )
    status["conditions"] = conditions.with_condition(old.get("conditions") or (), new)
    return status


def _total(view: View, field: str) -> int:
    return sum((item.get("status") or {}).get(field, 0) for item in view.all)


def _timed(kind: str, status: str, reason: str, message: str, reader: Reader) -> Json:
    stamp = reader.stamp()
    return conditions.condition(
        kind, status, reason, message, lastUpdateTime=stamp, lastTransitionTime=stamp
    )


def with_progress(
    status: Json, value: str, reason: str, message: str, reader: Reader
) -> list[Json]:
    """Return the conditions with Progressing set."""
    return conditions.with_condition(
        status.get("conditions") or (), _timed("Progressing", value, reason, message, reader)
    )


def when_paused(deployment: Json, reader: Reader) -> Json | None:
    """Return the status that tells of a pause or of its end, or None if there is nothing to tell.

    Source: kubernetes/kubernetes pkg/controller/deployment/sync.go (checkPausedConditions), v1.36.1
    """
    status = deployment.get("status") or {}
    held = conditions.find(status.get("conditions") or (), "Progressing") or {}
    paused, told = bool(deployment["spec"].get("paused")), held.get("reason") == "DeploymentPaused"
    if (
        deadline_of(deployment) is None
        or held.get("reason") == "ProgressDeadlineExceeded"
        or paused == told
    ):
        return None
    word = "paused" if paused else "resumed"
    reason, text = f"Deployment{word.capitalize()}", f"Deployment is {word}"
    return {**status, "conditions": with_progress(status, "Unknown", reason, text, reader)}


def with_rollout(view: View, status: Json, reader: Reader) -> Json:
    """Return the status with Progressing and ReplicaFailure brought up to date."""
    held: list[Json] = status["conditions"]
    if deadline_of(view.deployment) is None:
        held = conditions.without(held, "Progressing")
    else:
        held = _progressed(view, {**status, "conditions": held}, reader)
    failure = _failure(view)
    held = (
        conditions.with_condition(held, failure)
        if failure
        else conditions.without(held, "ReplicaFailure")
    )
    return {**status, "conditions": held}


def _progressed(view: View, status: Json, reader: Reader) -> list[Json]:
    deployment, held = view.deployment, status["conditions"]
    current = conditions.find(
        (deployment.get("status") or {}).get("conditions") or (), "Progressing"
    )
    settled = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    if settled and current is not None and current["reason"] == "NewReplicaSetAvailable":
        return list(held)
    subject = (
        f'ReplicaSet "{view.new["metadata"]["name"]}"'
        if view.new
        else f'Deployment "{deployment["metadata"]["name"]}"'
    )
    if is_complete(deployment, status):
        return with_progress(
            status,
            "True",
            "NewReplicaSetAvailable",
            f"{subject} has successfully progressed.",
            reader,
        )
    if _moved(deployment.get("status") or {}, status):
        new = _timed(
            "Progressing", "True", "ReplicaSetUpdated", f"{subject} is progressing.", reader
        )
        if current is not None and current["status"] == "True":
            new["lastTransitionTime"] = current["lastTransitionTime"]
        return [*conditions.without(held, "Progressing"), new]
    if _timed_out(deployment, status, reader):
        return with_progress(
            status,
            "False",
            "ProgressDeadlineExceeded",
            f"{subject} has timed out progressing.",
            reader,
        )
    return list(held)


def _moved(old: Json, new: Json) -> bool:
    """Return whether more pods are new, ready or available, or fewer old, than before."""

    def count(status: Json, name: str) -> int:
        return int(status.get(name, 0))

    def left(status: Json) -> int:
        return count(status, "replicas") - count(status, "updatedReplicas")

    grown = (
        count(new, name) > count(old, name)
        for name in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return left(new) < left(old) or any(grown)


def _timed_out(deployment: Json, status: Json, reader: Reader) -> bool:
    condition = conditions.find(status["conditions"], "Progressing")
    seconds = deadline_of(deployment)
    if condition is None or seconds is None or condition["reason"] == "NewReplicaSetAvailable":
        return False
    if condition["reason"] == "ProgressDeadlineExceeded":
        return True
    return reader.micros(condition["lastUpdateTime"]) + seconds * SECOND < reader.now


def _failure(view: View) -> Json | None:
    """Return the ReplicaFailure of the new ReplicaSet, else of any other."""
    for item in ([view.new] if view.new else []) + view.old:
        found = conditions.find(
            (item.get("status") or {}).get("conditions") or (), "ReplicaFailure"
        )
        if found is not None:
            stamp = found["lastTransitionTime"]
            return conditions.condition(
                "ReplicaFailure",
                found["status"],
                found["reason"],
                found["message"],
                lastUpdateTime=stamp,
                lastTransitionTime=stamp,
            )
    return None


def next_check(deployment: Json, status: Json, reader: Reader) -> Outcome | None:
    """Return when a rollout that does not move must be looked at for its deadline."""
    condition = conditions.find(status.get("conditions") or (), "Progressing")
    seconds = deadline_of(deployment)
    if condition is None or seconds is None or is_complete(deployment, status):
        return None
    if condition["reason"] == "ProgressDeadlineExceeded":
        return None
    left = reader.micros(condition["lastUpdateTime"]) + seconds * SECOND - reader.now
    return Outcome(retry=True) if left < SECOND else Outcome(requeue_after=left + SECOND)
