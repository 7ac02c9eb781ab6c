"""Which changes of a pod's status the API server takes."""

from collections.abc import Iterator, Mapping
from typing import Any

from gpusched.api.validation.errors import FieldError, forbidden
from gpusched.sim.pod import Json

_LISTS = ("containerStatuses", "initContainerStatuses")
_DETAIL = "may not be transitioned to non-terminated state"


def validate_status_update(new: Json, old: Json) -> Iterator[FieldError]:
    """Yield what is wrong with a pod's new status: containers that ended and may not restart live.

    Args:
        new: The pod as it would be.
        old: The pod as it is.

    Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go
    (ValidateContainerStateTransition, ValidateInitContainerStateTransition), v1.36.1
    """
    policy = old["spec"].get("restartPolicy", "Always")
    if policy == "Always":
        return
    sidecars = [
        item["name"]
        for item in old["spec"].get("initContainers") or ()
        if item.get("restartPolicy") == "Always"
    ]
    for field in _LISTS:
        ended = {
            item["name"]
            for item in (old.get("status") or {}).get(field) or ()
            if item["name"] not in sidecars and _ended_for_good(item, policy)
        }
        for index, item in enumerate((new.get("status") or {}).get(field) or ()):
            if item.get("name") in ended and "terminated" not in (item.get("state") or {}):
                yield forbidden(f"status.{field}[{index}].state", _DETAIL)


def _ended_for_good(status: Mapping[str, Any], policy: str) -> bool:
    terminated = (status.get("state") or {}).get("terminated")
    may_restart = policy == "OnFailure" and (terminated or {}).get("exitCode", 0) != 0
    return terminated is not None and not may_restart
