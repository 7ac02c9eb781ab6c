"""What the API server adds to an object that it accepts.

Two steps as upstream takes them: the defaults of the object's version (``SetDefaults_*``) and the
preparation for creation (status reset, generation, selectors merged from the pod's labels). It
knows single objects only; what depends on others (priority classes, limit ranges) is admission.

Source: kubernetes/kubernetes pkg/apis/*/v1/defaults.go, pkg/registry/*/strategy.go, v1.36.1
"""

from gpusched.api.defaulting.creation import prepare_for_create
from gpusched.api.defaulting.kinds import set_defaults
from gpusched.api.wire import Json, decode

__all__ = ["default_object", "prepare_for_create", "set_defaults"]


def default_object(obj: Json, *, keep_status: bool = False) -> Json:
    """Return the object as it is stored after creation; ``obj`` itself stays as it is.

    Args:
        obj: An object of a kind that ``gpusched.api.wire`` knows.
        keep_status: Leave the status alone, for objects that already live in a cluster; else it is
            reset as on creation.

    Raises:
        DecodeError: A value has the wrong type.
    """
    result = decode(obj)
    set_defaults(result)
    status = result.get("status")
    prepare_for_create(result)
    if keep_status and status is not None:
        result["status"] = status
    return result
