"""DaemonSet: one pod on each node that it fits.

Source: kubernetes/kubernetes pkg/controller/daemon/daemon_controller.go, update.go, v1.36.1
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from gpusched.controllers import node_terms
from gpusched.controllers.interest import PodInterest, of_owners
from gpusched.controllers.pods import is_available
from gpusched.controllers.protocol import (
    SECOND,
    ApiError,
    Change,
    Controller,
    CreatePods,
    Json,
    Key,
    Outcome,
    PodView,
    Reader,
    UpdateStatus,
    Wake,
    Work,
)
from gpusched.controllers.replicaset import delete_all, report_creations
from gpusched.controllers.revisions import LABEL, ensure_revision
from gpusched.controllers.rollout import scaled
from gpusched.controllers.taints import taints_of, tolerates

_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
BURST = 250


class DaemonSetController:
    """Runs DaemonSets."""

    name: ClassVar[str] = "daemonset-controller"
    watches: ClassVar[tuple[str, ...]] = ("DaemonSet", "Pod", "Node")
    pods: ClassVar[tuple[PodInterest, ...]] = of_owners("DaemonSet", before=False)
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 2
    pace: ClassVar[int] = 1

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
        problem: ApiError | None = None
        if not found["metadata"].get("deletionTimestamp"):
            problem = yield from self._manage(found, label, reader)
            if problem is None:
                problem = yield from self._roll(found, label, reader)
        status = _status(found, label, reader)
        if status != (found.get("status") or {}):
            yield UpdateStatus(found, status)
        if problem is not None:
            return Outcome(retry=True)
        wait = found["spec"].get("minReadySeconds", 0)
        unripe = wait and status["numberReady"] != status.get("numberAvailable", 0)
        return Outcome(requeue_after=wait * SECOND) if unripe else None

    def _manage(self, found: Json, label: str, reader: Reader) -> Any:
        """Create pods where they are missing, delete those that must not be there or have ended."""
        pods = pods_by_node(found, reader)
        missing: list[str] = []
        doomed: list[PodView] = []
        for node in reader.objects("Node"):
            name = node["metadata"]["name"]
            should_run, may_stay = judge(found, node)
            here = [pod for pod in pods.get(name, ()) if pod.deletion is None]
            if should_run and not pods.get(name):
                missing.append(name)
            elif may_stay:
                ended = [pod for pod in here if not pod.active]
                doomed += ended + [pod for pod in here if pod.active][1:]
            else:
                doomed += here
        problem = yield from self._create(found, label, missing[:BURST])
        if doomed and problem is None:
            problem = yield from delete_all(found, doomed[:BURST])
        return problem

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

    def _roll(self, found: Json, label: str, reader: Reader) -> Any:
        """Delete pods of an old revision, as many as may be unavailable."""
        strategy = found["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return None
        pods = [pod for pod in reader.pods_of(found["metadata"]["uid"]) if pod.active]
        old = [pod for pod in pods if pod.labels.get(LABEL) != label]
        if not old:
            return None
        wanted = sum(judge(found, node)[0] for node in reader.objects("Node"))
        limit = scaled(
            (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1), wanted, up=True
        )
        room = max(0, limit - (wanted - sum(pod.ready for pod in pods)))
        doomed = [pod for pod in old if not pod.ready] + [pod for pod in old if pod.ready][:room]
        return (yield from delete_all(found, doomed)) if doomed else None


def _admits(node: Json) -> Any:
    spec = node.get("spec") or {}
    return node["metadata"].get("labels"), spec.get("taints"), spec.get("unschedulable")


def judge(found: Json, node: Json) -> tuple[bool, bool]:
    """Return whether a node should get a pod, and whether one that is there may stay."""
    spec = found["spec"]["template"]["spec"]
    if spec.get("nodeName") not in (None, "", node["metadata"]["name"]) or not node_terms.admits(
        spec, node
    ):
        return False, False
    tolerations = [*(spec.get("tolerations") or ()), *_own_tolerations(spec)]
    repelled = [
        item["effect"]
        for item in taints_of(node)
        if not any(tolerates(given, item) for given in tolerations)
    ]
    return not {"NoSchedule", "NoExecute"} & set(repelled), "NoExecute" not in repelled


def _own_tolerations(spec: Json) -> list[Json]:
    own = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in _TOLERATED]
    if spec.get("hostNetwork"):
        own.append(
            {
                "key": "node.kubernetes.io/network-unavailable",
                "operator": "Exists",
                "effect": "NoSchedule",
            }
        )
    return own


def _template(found: Json, label: str, node: str) -> Json:
    template = found["spec"]["template"]
    meta, spec = template.get("metadata") or {}, template["spec"]
    tolerations = list(spec.get("tolerations") or ())
    tolerations += [item for item in _own_tolerations(spec) if item not in tolerations]
    labels = {**(meta.get("labels") or {}), LABEL: label, "pod-template-generation": "1"}
    pinned = {
        **spec,
        "affinity": node_terms.pinned(spec.get("affinity") or {}, node),
        "tolerations": tolerations,
    }
    return {**template, "metadata": {**meta, "labels": labels}, "spec": pinned}


def pods_by_node(found: Json, reader: Reader) -> Mapping[str, Sequence[PodView]]:
    """Return a DaemonSet's pods by the node that each is for, bound or not."""
    pods: defaultdict[str, list[PodView]] = defaultdict(list)
    for pod in reader.pods_of(found["metadata"]["uid"]):
        pods[pod.node or node_terms.target(pod.spec)].append(pod)
    return pods


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
