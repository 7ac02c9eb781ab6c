"""Job: pods that run to completion, counted by finalizer.

How finished pods are counted is in `controllers.job_tracking`, what a Job says of failures and
successes in `controllers.job_rules`. Not modelled: backoffLimitPerIndex; `run.unplayed` tells those
who use it.

Source: kubernetes/kubernetes pkg/controller/job/job_controller.go, v1.36.1
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from gpusched.controllers import conditions
from gpusched.controllers.interest import PodInterest, of_owners
from gpusched.controllers.job_backoff import Backoff
from gpusched.controllers.job_indexes import index_of, indexed_template, pending_indexes
from gpusched.controllers.job_rules import failing_message, success_message
from gpusched.controllers.job_tracking import TRACKED, Count, count_pods, finish, track
from gpusched.controllers.pods import deletion_order
from gpusched.controllers.protocol import (
    SECOND,
    ApiError,
    Change,
    Controller,
    CreatePods,
    Emit,
    Json,
    Key,
    Outcome,
    PatchPods,
    PodView,
    Reader,
    Wake,
    Work,
    reference,
)
from gpusched.controllers.replicaset import delete_all, report_creations

BATCH = SECOND
"""Changes of pods are answered together, so long after the first."""
MAX_PER_SYNC = 500
CONTROLLER = "kubernetes.io/job-controller"
"""What stands in ``managedBy`` of a Job that is ours."""
_AGAIN = Outcome(retry=True, backoff=(SECOND, 60 * SECOND))
"""After a refusal: Jobs wait longer than others (DefaultJobApiBackOff, MaxJobApiBackOff)."""


class JobController:
    """Runs Jobs."""

    name: ClassVar[str] = "job-controller"
    watches: ClassVar[tuple[str, ...]] = ("Job", "Pod")
    pods: ClassVar[tuple[PodInterest, ...]] = of_owners("Job", before=False)
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 5
    pace: ClassVar[int] = 1

    def __init__(self) -> None:
        self._backoff: dict[Key, Backoff] = {}
        self._orphans: dict[Key, dict[Key, None]] = {}

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return a new or respecified Job at once; one with other changes after a second."""
        if change.kind == "Job":
            same = (
                change.verb == "MODIFIED"
                and change.old["metadata"]["generation"] == change.new["metadata"]["generation"]
            )
            if change.verb == "DELETED":
                self._note_orphans(change.key, _held_by(change.new, reader))
            return (Wake(change.key, BATCH if same else 0),)
        pod: PodView = change.new
        if pod.owner is None or pod.owner[0] != "Job":
            return ()
        if TRACKED in pod.finalizers and not reader.exists(pod.owner[2]):
            self._note_orphans((pod.namespace, pod.owner[1]), [pod])
        return (Wake((pod.namespace, pod.owner[1]), BATCH),)

    def _note_orphans(self, key: Key, pods: Iterable[PodView]) -> None:
        """Remember pods whose Job has gone: nobody counts them, so nothing may hold them.

        Source: pkg/controller/job/job_controller.go (syncOrphanPod), v1.36.1
        """
        for pod in pods:
            self._orphans.setdefault(key, {})[pod.namespace, pod.name] = None

    def sync(self, key: Key, reader: Reader) -> Work:
        """Take one step, or come back later if it is refused."""
        try:
            return (yield from self._step(key, reader))
        except ApiError:
            return _AGAIN

    def _step(self, key: Key, reader: Reader) -> Work:
        """Judge, create or delete pods, count the finished ones, write the status."""
        if orphans := self._orphans.pop(key, None):
            yield PatchPods(list(orphans), drop_finalizer=TRACKED)
        job = reader.get("Job", *key)
        if job is None or is_finished(job) or is_managed_by_another(job):
            self._backoff.pop(key, None)
            return None
        count = count_pods(job, reader)
        if job["status"].get("startTime") is None and not job["spec"].get("suspend"):
            count.status["startTime"] = reader.stamp()
        backoff = self._backoff.get(key, Backoff()).after(count.newly_succeeded, count.newly_failed)
        count.verdict = _verdict(count, reader)
        outcome = _deadline(count, reader) if count.verdict is None else None
        problem: ApiError | None = None
        if count.verdict is not None:
            problem = yield from _stop(count)
        else:
            waiting, problem = yield from _manage(count, backoff, reader)
            outcome = waiting or outcome
            _settle(count, reader, managed=True)
            yield from _suspension(count, reader)
        self._backoff[key] = backoff
        yield from track(count, reader)
        if finish(count, reader):
            yield from _report_end(count)
        return _AGAIN if problem is not None else outcome


def _held_by(job: Json, reader: Reader) -> list[PodView]:
    """Return the pods that a Job's finalizer holds.

    One that was deleted in the foreground, or has orphaned its pods, may own them no more.
    """
    uid, namespace = job["metadata"]["uid"], job["metadata"]["namespace"]
    released = "deletionTimestamp" in job["metadata"]
    pods = reader.pods(namespace) if released else reader.pods_of(uid)
    label = "batch.kubernetes.io/controller-uid"
    return [pod for pod in pods if TRACKED in pod.finalizers and pod.labels.get(label) == uid]


def is_finished(job: Json) -> bool:
    """Return whether a Job is Complete or Failed."""
    held = (job.get("status") or {}).get("conditions") or ()
    return any(item["type"] in ("Complete", "Failed") and item["status"] == "True" for item in held)


def is_managed_by_another(job: Json) -> bool:
    """Return whether a Job is somebody else's, e.g. a MultiKueue controller's."""
    manager: str = job["spec"].get("managedBy", CONTROLLER)
    return manager != CONTROLLER


# --- judging --------------------------------------------------------------------------------------


def _verdict(count: Count, reader: Reader) -> Json | None:
    """Return the condition that ends the Job, if it has or now gets one."""
    held = count.status.get("conditions") or ()
    met = conditions.find(held, "SuccessCriteriaMet")
    if met is not None and met["status"] == "True":
        return met
    target = conditions.find(held, "FailureTarget")
    if target is not None and target["status"] == "True":
        return {
            **target,
            "type": "Failed",
            "lastTransitionTime": reader.stamp(),
            "lastProbeTime": reader.stamp(),
        }
    return _broken(count, reader) or _succeeded(count, reader)


def _broken(count: Count, reader: Reader) -> Json | None:
    """Return the condition that says why the Job fails now."""
    spec = count.job["spec"]
    if message := failing_message(count.job, count.pods):
        return _condition("FailureTarget", "PodFailurePolicy", message, reader)
    if count.failed > spec["backoffLimit"]:
        return _condition(
            "FailureTarget",
            "BackoffLimitExceeded",
            "Job has reached the specified backoff limit",
            reader,
        )
    limit, start = spec.get("activeDeadlineSeconds"), count.status.get("startTime")
    if (
        limit is not None
        and start
        and not spec.get("suspend")
        and reader.now >= reader.micros(start) + limit * SECOND
    ):
        return _condition(
            "FailureTarget",
            "DeadlineExceeded",
            "Job was active longer than specified deadline",
            reader,
        )
    return None


def _succeeded(count: Count, reader: Reader) -> Json | None:
    """Return the condition that says that enough indexes have succeeded."""
    message = success_message(count.job, count.succeeded_indexes)
    return _condition("SuccessCriteriaMet", "SuccessPolicy", message, reader) if message else None


def _condition(kind: str, reason: str, message: str, reader: Reader, status: str = "True") -> Json:
    stamp = reader.stamp()
    return conditions.condition(
        kind, status, reason, message, lastProbeTime=stamp, lastTransitionTime=stamp
    )


def _deadline(count: Count, reader: Reader) -> Outcome | None:
    limit, start = count.job["spec"].get("activeDeadlineSeconds"), count.status.get("startTime")
    if limit is None or not start or count.job["spec"].get("suspend"):
        return None
    return Outcome(requeue_after=max(1, reader.micros(start) + limit * SECOND - reader.now))


def _settle(count: Count, reader: Reader, *, managed: bool) -> None:
    """Note success once enough pods have succeeded and none is active."""
    wanted = count.job["spec"].get("completions")
    enough = count.succeeded > 0 if wanted is None else count.succeeded >= wanted
    if managed and enough and not count.active:
        count.verdict = _condition(
            "SuccessCriteriaMet",
            "CompletionsReached",
            "Reached expected number of succeeded pods",
            reader,
        )


def _suspension(count: Count, reader: Reader) -> Any:
    """Keep the Suspended condition in line with the spec."""
    if count.verdict is not None:
        return
    held = count.status.get("conditions") or []
    old = conditions.find(held, "Suspended")
    suspended = bool(count.job["spec"].get("suspend"))
    if suspended == (old is not None and old["status"] == "True") or (
        not suspended and old is None
    ):
        return
    word, status = ("Suspended", "True") if suspended else ("Resumed", "False")
    new = _condition("Suspended", f"Job{word}", f"Job {word.lower()}", reader, status)
    count.status["conditions"] = (
        [new if item["type"] == "Suspended" else item for item in held] if old else [*held, new]
    )
    count.changed = True
    if suspended:
        count.status.pop("startTime", None)
    else:
        count.status["startTime"] = reader.stamp()
    yield Emit(reference(count.job), "Normal", word, f"Job {word.lower()}")


def _report_end(count: Count) -> Any:
    assert count.verdict is not None
    if count.verdict["type"] == "Complete":
        yield Emit(reference(count.job), "Normal", "Completed", "Job completed")
    else:
        yield Emit(
            reference(count.job), "Warning", count.verdict["reason"], count.verdict["message"]
        )


# --- pods -----------------------------------------------------------------------------------------


def _stop(count: Count) -> Any:
    """Delete the active pods of a Job that ends."""
    if not count.pods_active:
        return None
    problem = yield from delete_all(count.job, count.pods_active)
    if problem is not None:
        count.verdict = None
        return problem
    _deleted(count, count.pods_active)
    return None


def _deleted(count: Count, pods: Sequence[PodView]) -> None:
    count.active -= len(pods)
    count.terminating += len(pods)
    count.ready -= sum(pod.ready for pod in pods)


def _manage(count: Count, backoff: Backoff, reader: Reader) -> Any:
    """Create or delete pods; return when to come back, and the first failure."""
    job = count.job
    if job["metadata"].get("deletionTimestamp"):
        return None, None
    surplus = count.active if job["spec"].get("suspend") else max(0, count.active - _wanted(count))
    if surplus:
        order = sorted(count.pods_active, key=lambda pod: deletion_order(pod, 0, reader.now))
        doomed = order[: min(surplus, MAX_PER_SYNC)]
        yield PatchPods([(pod.namespace, pod.name) for pod in doomed], drop_finalizer=TRACKED)
        problem = yield from delete_all(job, doomed)
        _deleted(count, doomed)
        return None, problem
    missing = 0 if job["spec"].get("suspend") else _wanted(count) - count.active
    if job["spec"].get("podReplacementPolicy") == "Failed":
        missing -= count.terminating
    if missing <= 0:
        return None, None
    wait = backoff.remaining(reader.now)
    if wait > 0:
        count.active = 0
        return Outcome(requeue_after=max(wait, BATCH)), None
    return None, (yield from _create(count, min(missing, MAX_PER_SYNC)))


def _wanted(count: Count) -> int:
    """Return how many pods should be active."""
    spec = count.job["spec"]
    if spec.get("completions") is None:
        return count.active if count.succeeded else int(spec["parallelism"])
    return int(max(0, min(spec["completions"] - count.succeeded, spec["parallelism"])))


def _create(count: Count, missing: int) -> Any:
    """Create pods in batches of 1, 2, 4, ….

    Stop after a batch with a failure and return the first one.
    """
    job = count.job
    template = _tracked(job["spec"]["template"])
    prefix = job["metadata"]["name"] + "-"
    indexes: list[int] = []
    if job["spec"].get("completionMode") == "Indexed":
        taken = [*map(index_of, count.pods_active), *count.succeeded_indexes]
        indexes = pending_indexes(taken, job["spec"]["completions"], missing)
        missing = len(indexes)
    batch = 1
    while missing > 0:
        size = min(batch, missing)
        answers: list[Any] = []
        for index in indexes[:size]:
            numbered = indexed_template(template, job["metadata"]["name"], index)
            answers += yield CreatePods(job, numbered, (f"{prefix}{index}-",))
        if not indexes:
            answers = yield CreatePods(job, template, (prefix,) * size)
        indexes = indexes[size:]
        count.active += sum(not isinstance(answer, ApiError) for answer in answers)
        problem = yield from report_creations(job, answers)
        if problem is not None:
            return problem
        missing -= size
        batch *= 2
    return None


def _tracked(template: Json) -> Json:
    meta = template.get("metadata") or {}
    return {
        **template,
        "metadata": {**meta, "finalizers": [*(meta.get("finalizers") or ()), TRACKED]},
    }


_: Controller = JobController()
