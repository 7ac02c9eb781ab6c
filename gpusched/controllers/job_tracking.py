"""Counting a Job's finished pods exactly once.

First their uids into the status, then their finalizers off, then the counters.

Source: kubernetes/kubernetes pkg/controller/job/job_controller.go
(trackJobStatusAndRemoveFinalizers), v1.36.1
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gpusched.controllers import conditions
from gpusched.controllers.job_indexes import format_indexes, index_of, parse_indexes
from gpusched.controllers.job_rules import has_failed, is_counted
from gpusched.controllers.protocol import Json, PatchPods, PodView, Reader, UpdateStatus

TRACKED = "batch.kubernetes.io/job-tracking"
MAX_UNCOUNTED = 500
_ENDED = ("Succeeded", "Failed")


@dataclass(slots=True)
class Count:
    """A Job and its pods during one sync.

    Attributes:
        job: The Job as last read or written.
        pods: Its pods, without those that ended and need nothing more.
        pods_active: Those that neither ended nor terminate.
        newly_succeeded: Those that succeeded and are counted nowhere yet.
        newly_failed: Those that failed and are counted nowhere yet.
        status: The status that is being made.
        active: How many pods are active after this sync's requests.
        ready: How many of them are ready.
        terminating: How many pods terminate.
        succeeded: How many have succeeded, counted or not.
        failed: How many have failed, counted or not.
        succeeded_indexes: The indexes that have succeeded (Indexed Jobs).
        verdict: The condition that ends the Job, or None.
        changed: Whether the status must be written whatever else changed.
    """

    job: Json
    pods: Sequence[PodView]
    pods_active: Sequence[PodView]
    newly_succeeded: Sequence[PodView]
    newly_failed: Sequence[PodView]
    status: Json
    active: int
    ready: int
    terminating: int
    succeeded: int
    failed: int
    succeeded_indexes: list[int] = field(default_factory=list)
    verdict: Json | None = None
    changed: bool = False


def count_pods(job: Json, reader: Reader) -> Count:
    """Return what there is to know of a Job's pods."""
    pods = reader.open_pods_of(job["metadata"]["uid"])
    status: Json = dict(job.get("status") or {})
    uncounted = status.get("uncountedTerminatedPods") or {}
    known_good, known_bad = (
        set(uncounted.get("succeeded") or ()),
        set(uncounted.get("failed") or ()),
    )
    tracked = [pod for pod in pods if TRACKED in pod.finalizers]
    good = [pod for pod in tracked if pod.phase == "Succeeded" and pod.uid not in known_good]
    bad = [pod for pod in tracked if has_failed(pod, job) and pod.uid not in known_bad]
    counted = sum(is_counted(pod, job) for pod in bad)
    active = [pod for pod in pods if pod.active]
    count = Count(
        job=job,
        pods=pods,
        pods_active=active,
        newly_succeeded=good,
        newly_failed=bad,
        status=status,
        active=len(active),
        ready=sum(pod.ready for pod in active),
        terminating=sum(pod.deletion is not None and pod.phase not in _ENDED for pod in pods),
        succeeded=status.get("succeeded", 0) + len(good) + len(known_good),
        failed=status.get("failed", 0) + counted + len(known_bad),
    )
    if job["spec"].get("completionMode") == "Indexed":
        done = [index for index in map(index_of, good) if index is not None]
        before = parse_indexes(status.get("completedIndexes", ""))
        count.succeeded_indexes = sorted(
            {*before, *(index for index in done if index < job["spec"]["completions"])}
        )
        count.succeeded = len(count.succeeded_indexes)
    return count


def track(count: Count, reader: Reader) -> Any:
    """Write finished pods' uids into the status, take their finalizers off, count them."""
    flush = count.changed or _write_counts(count)
    uncounted = dict(count.status.get("uncountedTerminatedPods") or {})
    doomed = _collect(count, uncounted)
    flush |= (
        uncounted != (count.status.get("uncountedTerminatedPods") or {})
        or "uncountedTerminatedPods" not in count.status
    )
    count.status["uncountedTerminatedPods"] = uncounted
    flush |= _write_indexes(count)
    flush |= _write_target(count, reader)
    if flush:
        count.job = yield UpdateStatus(count.job, dict(count.status))
    if doomed:
        yield PatchPods([(pod.namespace, pod.name) for pod in doomed], drop_finalizer=TRACKED)
    ended = finish_status(count, reader)
    if _count_uncounted(count) or ended:
        count.job = yield UpdateStatus(count.job, dict(count.status))


def _write_counts(count: Count) -> bool:
    old = count.job.get("status") or {}
    count.status["ready"], count.status["terminating"] = count.ready, count.terminating
    if count.active:
        count.status["active"] = count.active
    else:
        count.status.pop("active", None)
    names = ("active", "ready", "terminating", "startTime")
    return any(old.get(name) != count.status.get(name) for name in names)


def _collect(count: Count, uncounted: Json) -> list[PodView]:
    """Add finished pods to the uncounted ones; return the pods whose finalizers go."""
    doomed = []
    indexed = count.job["spec"].get("completionMode") == "Indexed"
    ends_badly = count.verdict is not None and count.verdict["type"] not in (
        "SuccessCriteriaMet",
        "Complete",
    )
    deleted = count.job["metadata"].get("deletionTimestamp")
    for pod in count.pods:
        failed = has_failed(pod, count.job)
        over = pod.phase == "Succeeded" or failed
        if TRACKED not in pod.finalizers or not (over or deleted or count.verdict is not None):
            continue
        doomed.append(pod)
        which = (
            "succeeded"
            if pod.phase == "Succeeded"
            else "failed"
            if (failed or ends_badly) and is_counted(pod, count.job)
            else ""
        )
        if (
            which
            and not (indexed and which == "succeeded")
            and pod.uid not in uncounted.get(which, ())
        ):
            uncounted[which] = [*uncounted.get(which, ()), pod.uid]
        if sum(map(len, uncounted.values())) >= MAX_UNCOUNTED:
            break
    return doomed


def _write_indexes(count: Count) -> bool:
    if count.job["spec"].get("completionMode") != "Indexed":
        return False
    before = (count.status.get("succeeded", 0), count.status.get("completedIndexes", ""))
    after = (len(count.succeeded_indexes), format_indexes(count.succeeded_indexes))
    if before == after:
        return False
    count.status["succeeded"], count.status["completedIndexes"] = after
    return True


def _write_target(count: Count, reader: Reader) -> bool:
    """Write the interim condition, and turn the verdict into the final one."""
    verdict = count.verdict
    finals = {"FailureTarget": "Failed", "SuccessCriteriaMet": "Complete"}
    if verdict is None or verdict["type"] not in finals:
        return False
    held = list(count.status.get("conditions") or ())
    written = conditions.find(held, verdict["type"]) is None
    if written:
        count.status["conditions"] = [*held, verdict]
    count.verdict = {
        **verdict,
        "type": finals[verdict["type"]],
        "lastTransitionTime": reader.stamp(),
    }
    return written


def _count_uncounted(count: Count) -> bool:
    """Move the uncounted pods, whose finalizers have gone, into the counters."""
    uncounted = count.status["uncountedTerminatedPods"]
    for which, uids in uncounted.items():
        count.status[which] = count.status.get(which, 0) + len(uids)
    count.status["uncountedTerminatedPods"] = {}
    return bool(uncounted)


def finish_status(count: Count, reader: Reader) -> bool:
    """Write the final condition once no pod terminates any more."""
    if count.verdict is None or count.terminating:
        return False
    held = list(count.status.get("conditions") or ())
    if conditions.find(held, count.verdict["type"]) is not None:
        return False
    count.status["conditions"] = [*held, count.verdict]
    if count.verdict["type"] == "Complete":
        count.status["completionTime"] = reader.stamp()
    return True


def finish(count: Count, reader: Reader) -> bool:
    """Return whether the Job has just ended."""
    del reader
    held = (count.job.get("status") or {}).get("conditions") or ()
    return count.verdict is not None and conditions.find(held, count.verdict["type"]) is not None
