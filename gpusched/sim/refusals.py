"""What the API server says when it refuses a request.

Source: k8s.io/apimachinery pkg/api/errors/errors.go, v0.36.1
"""

from gpusched.controllers.protocol import ApiError
from gpusched.sim.kinds import Kind
from gpusched.sim.pod import Json, Pod


def not_found(kind: Kind, name: str) -> ApiError:
    """Return the refusal of a request for an object that is not there."""
    return ApiError(404, "NotFound", f'{kind.qualified} "{name}" not found')


def unreadable(obj: Json, why: str) -> str:
    """Return the message for an object that cannot be decoded."""
    kind, version = obj["kind"], obj["apiVersion"].rpartition("/")[2]
    return f'{kind} in version "{version}" cannot be handled as a {kind}: {why}'


def conflict(kind: Kind, name: str) -> ApiError:
    """Return the refusal of a write to an object that somebody else has written since."""
    what = f'Operation cannot be fulfilled on {kind.qualified} "{name}"'
    why = "the object has been modified; please apply your changes to the latest version"
    return ApiError(409, "Conflict", f"{what}: {why} and try again")


def taken(named: str, holder: Json | Pod) -> ApiError:
    """Return the refusal of a name that an object has, be it on its way out or not."""
    if isinstance(holder, Pod):
        leaving = holder.deletion is not None
    else:
        leaving = "deletionTimestamp" in holder["metadata"]
    head = "object is being deleted: " if leaving else ""
    return ApiError(409, "AlreadyExists", f"{head}{named} already exists")
