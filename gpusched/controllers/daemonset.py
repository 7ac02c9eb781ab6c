"""DaemonSet: one pod on each node that it fits.

Source: kubernetes/kubernetes pkg/controller/daemon/daemon_controller.go, update.go, v1.36.1
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from gpusched.controllers import node_terms
from gpusched.controllers.daemon_nodes import judge, own_tolerations, pods_by_node
from gpusched.controllers.daemon_rolling import next_steps
from gpusched.controllers.daemon_survey import Failures
from gpusched.controllers.interest import PodInterest, of_owners
from gpusched.controllers.pods import is_available
from gpusched.controllers.protocol import (
    SECOND,
    Change,
    Controller,
    CreatePods,
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
from gpusched.controllers.replicaset import delete_all, report_creations
from gpusched.controllers.revisions import LABEL, ensure_revision

BURST = 250


class DaemonSetController:
    """Runs DaemonSets."""

    name: ClassVar[str] = "daemonset-controller"
    watches: ClassVar[tuple[str, ...]] = ("DaemonSet", "Pod", "Node")
    pods: ClassVar[tuple[PodInterest, ...]] = of_owners("DaemonSet", before=False)
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 2
    pace: ClassVar[int] = 1

    def __init__(self) -> None:
        self._failures = Failures()

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return the set itself, a changed pod's owner, or all sets when a node changes."""
        if change.kind == "DaemonSet":
            return (Wake(change.key),)
        if change.kind == "Node":
            if not (sets := reader.objects("DaemonSet")):
                return ()
            if change.verb == "MODIFIED" and _admits(change.old) == _admits(change.new):
                return ()
            return [Wake((obj["metadata"]["namespace"], obj["metadata"]["name"])) for obj in sets]
        pod: PodView = change.new
        owned = pod.owner is not None and pod.owner[0] == "DaemonSet"
        return (Wake((pod.namespace, pod.owner[1])),) if pod.owner and owned else ()

    def sync(self, key: Key, reader: Reader) -> Work:
        """Create and delete pods, roll them, then write the status."""
        found = reader.get("DaemonSet", *key)
        if found is None:
            return None
        _, label = yield from ensure_revision(found, reader)
        outcome: Outcome | None = None
        if not found["metadata"].get("deletionTimestamp"):
            outcome = yield from self._manage(found, label, reader)
        status = _status(found, label, reader)
        if status != (found.get("status") or {}):
            yield UpdateStatus(found, status)
        wait = found["spec"].get("minReadySeconds", 0)
        unripe = wait and status["numberReady"] != status.get("numberAvailable", 0)
        return outcome or (Outcome(requeue_after=wait * SECOND) if unripe else None)

    def _manage(self, found: Json, label: str, reader: Reader) -> Any:
        """Create and delete pods; go on with a rollout once nothing else is to be done."""
        survey = self._failures.survey(found, label, reader)
        missing: Sequence[str] = survey.missing
        doomed: Sequence[PodView] = survey.doomed
        for words in survey.told:
            yield Emit(reference(found), *words)
        strategy = found["spec"].get("updateStrategy") or {}
        if not missing and not doomed and strategy.get("type") != "OnDelete":
            doomed, missing = next_steps(found, label, reader)
        problem = yield from self._create(found, label, missing[:BURST])
        if doomed and problem is None:
            problem = yield from delete_all(found, doomed[:BURST])
        if problem is not None:
            return Outcome(retry=True)
        return None if survey.again is None else Outcome(requeue_after=survey.again)

    def _create(self, found: Json, label: str, nodes: Sequence[str]) -> Any:
        """Create pods in batches of 1, 2, 4, ….

        Stop after a batch with a failure and return the first one.
        """
        batch, left = 1, list(nodes)
        prefix = found["metadata"]["name"] + "-"
        while left:
            now, left = left[:batch], left[batch:]
            answers: list[Any] = []
            for node in now:
                answers += yield CreatePods(found, _template(found, label, node), (prefix,))
            problem = yield from report_creations(found, answers)
            if problem is not None:
                return problem
            batch *= 2
        return None


def _admits(node: Json) -> Any:
    spec = node.get("spec") or {}
    return node["metadata"].get("labels"), spec.get("taints"), spec.get("unschedulable")


def _template(found: Json, label: str, node: str) -> Json:
    template = found["spec"]["template"]
    meta, spec = template.get("metadata") or {}, template["spec"]
    tolerations = list(spec.get("tolerations") or ())
    tolerations += [item for item in own_tolerations(spec) if item not in tolerations]
    labels = {**(meta.get("labels") or {}), LABEL: label, "pod-template-generation": "1"}
    pinned = {
        **spec,
        "affinity": node_terms.pinned(spec.get("affinity") or {}, node),
        "tolerations": tolerations,
    }
    return {**template, "metadata": {**meta, "labels": labels}, "spec": pinned}


def _status(found: Json, label: str, reader: Reader) -> Json:
    pods = pods_by_node(found, reader)
    wait = found["spec"].get("minReadySeconds", 0)
    counts = dict.fromkeys(
        ("desired", "current", "misscheduled", "ready", "available", "updated"), 0
    )
    for node in reader.objects("Node"):
        here = pods.get(node["metadata"]["name"], ())
        if not judge(found, node)[0]:
            counts["misscheduled"] += bool(here)
            continue
        counts["desired"] += 1
        if here:
            counts["current"] += 1
            counts["ready"] += here[0].ready
            counts["available"] += is_available(here[0], wait, reader.now)
            counts["updated"] += here[0].labels.get(LABEL) == label
    optional = {
        "updatedNumberScheduled": counts["updated"],
        "numberAvailable": counts["available"],
        "numberUnavailable": counts["desired"] - counts["available"],
    }
    return {
        "currentNumberScheduled": counts["current"],
        "numberMisscheduled": counts["misscheduled"],
        "desiredNumberScheduled": counts["desired"],
        "numberReady": counts["ready"],
        "observedGeneration": found["metadata"]["generation"],
        **{name: count for name, count in optional.items() if count},
    }


_: Controller = DaemonSetController()
