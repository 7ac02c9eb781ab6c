"""Which rules a kind has."""

from collections.abc import Callable
from typing import Final

from gpusched.api.defaulting.creation import NAMESPACED
from gpusched.api.names import path_segment
from gpusched.api.validation import claims, node, pod, policy
from gpusched.api.validation.errors import Errors, FieldError
from gpusched.api.validation.meta import validate_metadata
from gpusched.api.wire import Json

_BY_KIND: Final[dict[str, Callable[[Json], Errors]]] = {
    "Namespace": node.validate_namespace,
    "Node": node.validate_node,
    "PersistentVolumeClaim": claims.validate_persistent_volume_claim,
    "Pod": pod.validate_pod,
    "PodDisruptionBudget": policy.validate_pod_disruption_budget,
    "PriorityClass": policy.validate_priority_class,
}


def validate_object(obj: Json) -> list[FieldError]:
    """Return everything that is wrong with a defaulted object that is to be created.

    The rules that all kinds share come last, and only for what its own rules let pass.
    """
    kind = obj["kind"]
    rules = _BY_KIND.get(kind)
    errors = list(rules(obj)) if rules else []
    if not errors:
        metadata = obj["metadata"]
        errors = list(validate_metadata(metadata, path_segment, namespaced=kind in NAMESPACED))
    return errors
