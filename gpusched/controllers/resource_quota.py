"""ResourceQuota status.

What a namespace uses, counted anew when a quota comes or changes and when objects go.

Admission raises the usage at creation; this controller lowers it.

Source: kubernetes/kubernetes pkg/controller/resourcequota/resource_quota_controller.go, v1.36.1
"""

from collections.abc import Iterable
from typing import ClassVar

from gpusched.controllers.interest import ENDED, GONE, PodInterest
from gpusched.controllers.protocol import Change, Controller, Key, Reader, UpdateStatus, Wake, Work
from gpusched.controllers.quota_usage import KINDS, usage_in


class ResourceQuotaController:
    """Keeps the usage of quotas."""

    name: ClassVar[str] = "resourcequota-controller"
    watches: ClassVar[tuple[str, ...]] = ("Pod", *KINDS)
    pods: ClassVar[tuple[PodInterest, ...]] = (PodInterest(ENDED | GONE, beside="ResourceQuota"),)
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 5
    pace: ClassVar[int] = 1

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return a new or respecified quota, and those of a namespace where something ended."""
        if change.kind == "ResourceQuota":
            same = change.old is not None and change.old.get("spec") == change.new.get("spec")
            return () if change.verb == "DELETED" or same else (Wake(change.key),)
        ended = change.verb == "DELETED"
        if change.kind == "Pod" and not ended and change.old is not None:
            ended = change.new.phase in ("Succeeded", "Failed") and change.old.phase not in (
                "Succeeded",
                "Failed",
            )
        if not ended:
            return ()
        quotas = reader.objects("ResourceQuota", change.key[0])
        return [Wake((change.key[0], quota["metadata"]["name"])) for quota in quotas]

    def sync(self, key: Key, reader: Reader) -> Work:
        """Write hard limits and usage into the status."""
        quota = reader.get("ResourceQuota", *key)
        if quota is None:
            return None
        hard = quota["spec"].get("hard") or {}
        used = usage_in(reader, quota)
        status = {"hard": hard, **({"used": used} if used else {})}
        if status != (quota.get("status") or {}):
            yield UpdateStatus(quota, status)
        return None


_: Controller = ResourceQuotaController()
