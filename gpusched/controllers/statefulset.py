"""StatefulSet: pods with ordinals, created and deleted in order or side by side.

Source: kubernetes/kubernetes pkg/controller/statefulset/stateful_set_control.go,
stateful_set_utils.go, v1.36.1
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from gpusched.controllers.claiming import Claims
from gpusched.controllers.interest import PodInterest
from gpusched.controllers.pods import is_available
from gpusched.controllers.protocol import (
    SECOND,
    ApiError,
    Change,
    Controller,
    CreatePods,
    Delete,
    Emit,
    Json,
    Key,
    Outcome,
    PodView,
    Reader,
    UpdateStatus,
    Wake,
    Work,
    reference,
)
from gpusched.controllers.revisions import LABEL, ensure_revision
from gpusched.controllers.set_claims import provide_claims, with_claims

_ENDED = ("Succeeded", "Failed")


class StatefulSetController:
    """Runs StatefulSets."""

    name: ClassVar[str] = "statefulset-controller"
    watches: ClassVar[tuple[str, ...]] = ("StatefulSet", "Pod")
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 5
    pace: ClassVar[int] = 1

    def __init__(self) -> None:
        self._claims = Claims("StatefulSet", _is_member)
        self.pods: tuple[PodInterest, ...] = self._claims.interests

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return the set itself, or those whom a changed pod concerns."""
        if change.kind == "StatefulSet":
            self._claims.owner_changed(change, reader)
            return (Wake(change.key),)
        pod: PodView = change.new
        wakes = [Wake(key) for key in self._claims.pod_changed(change, reader)]
        owned = pod.owner is not None and pod.owner[0] == "StatefulSet"
        return [*wakes, Wake((pod.namespace, pod.owner[1]))] if pod.owner and owned else wakes

    def sync(self, key: Key, reader: Reader) -> Work:
        """Create, delete or replace what comes next, then write the status."""
        found = reader.get("StatefulSet", *key)
        if found is None:
            return None
        name, _ = yield from ensure_revision(found, reader)
        yield from self._claims.settle(found, reader)
        pods = reader.pods_of(found["metadata"]["uid"])
        status = _status(found, pods, name, reader)
        failed = False
        if not found["metadata"].get("deletionTimestamp"):
            failed = yield from self._step(found, pods, status, reader)
        _complete_update(found, status)
        if status != (found.get("status") or {}):
            yield UpdateStatus(found, status)
        if failed:
            return Outcome(retry=True)
        wait = found["spec"].get("minReadySeconds", 0)
        unripe = wait and status.get("readyReplicas", 0) != status["availableReplicas"]
        return Outcome(requeue_after=wait * SECOND) if unripe else None

    def _step(self, found: Json, pods: Sequence[PodView], status: Json, reader: Reader) -> Any:
        """Go through the ordinals from the first; in order, stop at the first that is not well.

        Return whether a creation failed.
        """
        ordered = found["spec"].get("podManagementPolicy", "OrderedReady") == "OrderedReady"
        start = (found["spec"].get("ordinals") or {}).get("start", 0)
        present = {ordinal_of(pod): pod for pod in pods}
        wanted = range(start, start + found["spec"]["replicas"])
        for ordinal in wanted:
            pod = present.get(ordinal)
            if pod is not None and pod.phase in _ENDED and pod.deletion is None:
                yield from self._delete(found, pod)
                return False
            if pod is None:
                failed = yield from self._create(found, ordinal, status, reader)
                if failed or ordered:
                    return failed
                continue
            if pod.phase == "Pending" and (yield from provide_claims(found, ordinal, reader)):
                return True
            if ordered and (pod.deletion is not None or not pod.ready):
                return False
        surplus = [
            pod for ordinal, pod in sorted(present.items(), reverse=True) if ordinal not in wanted
        ]
        if surplus:
            yield from self._shrink(found, surplus, ordered=ordered)
        else:
            kept = [present[ordinal] for ordinal in wanted if ordinal in present]
            yield from self._roll(found, kept, status)
        return False

    def _shrink(self, found: Json, surplus: Sequence[PodView], *, ordered: bool) -> Any:
        """Delete what is too much, the highest ordinal first."""
        for pod in surplus:
            if pod.deletion is None:
                yield from self._delete(found, pod)
            if ordered:
                return

    def _roll(self, found: Json, pods: Sequence[PodView], status: Json) -> Any:
        """Delete the highest pod of an old revision, unless one is not well."""
        strategy = found["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return
        start = (found["spec"].get("ordinals") or {}).get("start", 0)
        partition = start + ((strategy.get("rollingUpdate") or {}).get("partition") or 0)
        label = status["updateRevision"]
        for pod in reversed(pods):
            if ordinal_of(pod) < partition:
                return
            if pod.labels.get(LABEL) != label and pod.deletion is None:
                yield from self._delete(found, pod)
                return
            if pod.deletion is not None or not pod.ready:
                return

    def _create(self, found: Json, ordinal: int, status: Json, reader: Reader) -> Any:
        """Create a pod, its claims first; return whether that failed."""
        name = f"{found['metadata']['name']}-{ordinal}"
        refused = yield from provide_claims(found, ordinal, reader)
        if not refused:
            (answer,) = yield CreatePods(found, _template(found, ordinal, status), (name,))
            if not isinstance(answer, ApiError):
                text = f"Create Pod {name} in StatefulSet {{}} successful"
                yield self._event(found, "Normal", "SuccessfulCreate", text)
                return False
            if "NamespaceTerminating" in answer.causes:
                return True
            refused = answer.message
        text = f"Create Pod {name} in StatefulSet {{}} failed error: {refused}"
        yield self._event(found, "Warning", "FailedCreate", text)
        return True

    def _delete(self, found: Json, pod: PodView) -> Any:
        yield Delete("Pod", [(pod.namespace, pod.name)])
        yield self._event(
            found,
            "Normal",
            "SuccessfulDelete",
            f"Delete Pod {pod.name} in StatefulSet {{}} successful",
        )

    def _event(self, found: Json, kind: str, reason: str, text: str) -> Emit:
        return Emit(reference(found), kind, reason, text.format(found["metadata"]["name"]))


def ordinal_of(pod: PodView) -> int:
    """Return a pod's ordinal: the number at the end of its name."""
    return int(pod.name.rpartition("-")[2])


def _template(found: Json, ordinal: int, status: Json) -> Json:
    template = found["spec"]["template"]
    meta, name = template.get("metadata") or {}, f"{found['metadata']['name']}-{ordinal}"
    partition = ((found["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}).get(
        "partition"
    ) or 0
    revision = status["updateRevision"] if ordinal >= partition else status["currentRevision"]
    labels = {
        **(meta.get("labels") or {}),
        LABEL: revision,
        "apps.kubernetes.io/pod-index": str(ordinal),
        "statefulset.kubernetes.io/pod-name": name,
    }
    service = found["spec"].get("serviceName")
    spec = with_claims(found, template["spec"], ordinal)
    spec = {**spec, "hostname": name, **({"subdomain": service} if service else {})}
    return {**template, "metadata": {**meta, "labels": labels}, "spec": spec}


def _status(found: Json, pods: Sequence[PodView], update: str, reader: Reader) -> Json:
    old = found.get("status") or {}
    current = old.get("currentRevision") or update
    wait = found["spec"].get("minReadySeconds", 0)
    alive = [pod for pod in pods if pod.deletion is None]
    counts = {
        "readyReplicas": sum(pod.ready for pod in pods),
        "currentReplicas": sum(pod.labels.get(LABEL) == current for pod in alive),
        "updatedReplicas": sum(pod.labels.get(LABEL) == update for pod in alive),
    }
    return {
        "observedGeneration": found["metadata"]["generation"],
        "replicas": len(pods),
        **{name: count for name, count in counts.items() if count},
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": old.get("collisionCount", 0),
        "availableReplicas": sum(is_available(pod, wait, reader.now) for pod in pods),
    }


def _complete_update(found: Json, status: Json) -> None:
    """Let the update revision become the current one when every pod has it."""
    wanted = found["spec"]["replicas"]
    if (
        status.get("updatedReplicas", 0)
        == wanted
        == status["replicas"]
        == status.get("readyReplicas", 0)
    ):
        status["currentRevision"] = status["updateRevision"]
        if wanted:
            status["currentReplicas"] = wanted


def _is_member(found: Json, pod: PodView) -> bool:
    """Return whether a pod bears a set's name and an ordinal."""
    name, _, ordinal = pod.name.rpartition("-")
    return name == found["metadata"]["name"] and ordinal.isdigit()


_: Controller = StatefulSetController()
