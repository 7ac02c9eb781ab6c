"""TTL after finished: Jobs that are deleted some seconds after their end.

Source: kubernetes/kubernetes pkg/controller/ttlafterfinished/ttlafterfinished_controller.go,
v1.36.1
"""

from collections.abc import Iterable
from typing import ClassVar

from gpusched.controllers.conditions import find
from gpusched.controllers.interest import PodInterest
from gpusched.controllers.job import is_finished
from gpusched.controllers.protocol import (
    SECOND,
    Change,
    Controller,
    Delete,
    Json,
    Key,
    Outcome,
    Reader,
    Wake,
    Work,
)


class TtlAfterFinishedController:
    """Deletes finished Jobs in time."""

    name: ClassVar[str] = "ttl-after-finished-controller"
    watches: ClassVar[tuple[str, ...]] = ("Job",)
    pods: ClassVar[tuple[PodInterest, ...]] = ()
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 5
    pace: ClassVar[int] = 1

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:  # noqa: ARG002 - the protocol's
        """Return a finished Job with a time to live."""
        return (Wake(change.key),) if change.verb != "DELETED" and _is_concerned(change.new) else ()

    def sync(self, key: Key, reader: Reader) -> Work:
        """Delete the Job, its pods first, or wait until its time has come."""
        job = reader.get("Job", *key)
        if job is None or not _is_concerned(job):
            return None
        held = job["status"]["conditions"]
        end = next(
            item for item in (find(held, "Complete"), find(held, "Failed")) if item is not None
        )
        due = (
            reader.micros(end["lastTransitionTime"])
            + job["spec"]["ttlSecondsAfterFinished"] * SECOND
        )
        if due > reader.now:
            return Outcome(requeue_after=due - reader.now)
        yield Delete("Job", [key], propagation="Foreground")
        return None


def _is_concerned(job: Json) -> bool:
    wanted = job["spec"].get("ttlSecondsAfterFinished") is not None
    return wanted and is_finished(job) and not job["metadata"].get("deletionTimestamp")


_: Controller = TtlAfterFinishedController()
