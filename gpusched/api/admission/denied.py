"""A refusal by an admission plugin.

Source: kubernetes/apiserver pkg/admission/errors.go, v0.36.1
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gpusched.api.wire import Json

FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
_IRREGULAR: Final = {"StorageClass": "storageclasses", "PriorityClass": "priorityclasses",
                     "DeviceClass": "deviceclasses"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Denied:
    """The object may not be created.

    Attributes:
        message: The API server's message.
        reason: The status's reason.
        code: The HTTP status.
    """

    message: str
    reason: str = "Forbidden"
    code: int = FORBIDDEN


def resource_of(obj: Json) -> str:
    """Return the plural under which the API knows the kind, with its group.

    >>> resource_of({"apiVersion": "apps/v1", "kind": "Deployment"})
    'deployments.apps'
    """
    group = obj["apiVersion"].rpartition("/")[0]
    plural = _IRREGULAR.get(obj["kind"], f"{obj['kind'].lower()}s")
    return f"{plural}.{group}" if group else plural


def forbid(obj: Json, why: str) -> Denied:
    """Return the refusal of an object; a name still to be generated shows its prefix only."""
    metadata = obj["metadata"]
    name = metadata.get("name") or metadata.get("generateName") or "Unknown"
    return Denied(f'{resource_of(obj)} "{name}" is forbidden: {why}')


def join(problems: Sequence[str]) -> str:
    """Return several problems as upstream's aggregate prints them, each once."""
    distinct = list(dict.fromkeys(problems))
    return distinct[0] if len(distinct) == 1 else f"[{', '.join(distinct)}]"
