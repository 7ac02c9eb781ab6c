"""Priority: a pod's priority is that of its PriorityClass.

Source: kubernetes/kubernetes plugin/pkg/admission/priority/admission.go, v1.36.1
"""

from collections.abc import Mapping
from typing import Final

from gpusched.api.admission.denied import Denied, forbid
from gpusched.api.validation.policy import SYSTEM_PRIORITIES
from gpusched.api.wire import Json

PriorityClasses = Mapping[str, Json]

_NO_CLASS: Final = ("", 0, "PreemptLowerPriority")


def system_priority_classes() -> dict[str, Json]:
    """Return the two PriorityClasses that every cluster has, by name."""
    descriptions = {
        "system-cluster-critical": "Used for system critical pods that must run in the cluster, but"
        " can be moved to another node if necessary.",
        "system-node-critical": "Used for system critical pods that must not be moved from their"
        " current node.",
    }
    return {
        name: {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name, "generation": 1},
            "value": SYSTEM_PRIORITIES[name],
            "description": description,
            "preemptionPolicy": "PreemptLowerPriority",
        }
        for name, description in descriptions.items()
    }


def set_priority(pod: Json, classes: PriorityClasses) -> Json | Denied:
    """Return the pod with the priority and the preemption policy of its class.

    A pod without a class takes the global default, of several the one of the lowest value.
    """
    spec = pod["spec"]
    wanted = spec.get("priorityClassName")
    if wanted and wanted not in classes:
        return forbid(pod, f"no PriorityClass with name {wanted} was found")
    name, priority, policy = _of_class(classes.get(wanted) if wanted else _default(classes))
    computed = "priority admission controller computed"
    given = spec.get("priority")
    if given is not None and given != priority:
        why = f"the integer value of priority ({given}) must not be provided in pod spec;"
        return forbid(pod, f"{why} {computed} {priority} from the given PriorityClass name")
    given = spec.get("preemptionPolicy")
    if given is not None and given != policy:
        why = f"the string value of PreemptionPolicy ({given}) must not be provided in pod spec;"
        return forbid(pod, f"{why} {computed} {policy} from the given PriorityClass name")
    priorities = {"priorityClassName": name, "priority": priority, "preemptionPolicy": policy}
    if not name:
        del priorities["priorityClassName"]
    return {**pod, "spec": {**spec, **priorities}}


def _of_class(chosen: Json | None) -> tuple[str, int, str]:
    if chosen is None:
        return _NO_CLASS
    policy = chosen.get("preemptionPolicy", "PreemptLowerPriority")
    return chosen["metadata"]["name"], chosen.get("value", 0), policy


def _default(classes: PriorityClasses) -> Json | None:
    defaults = [one for one in classes.values() if one.get("globalDefault")]
    return min(defaults, key=lambda one: one.get("value", 0), default=None)


def check_priority_class(obj: Json, classes: PriorityClasses) -> Denied | None:
    """Return a refusal if a PriorityClass would be a second global default."""
    other = _default(classes)
    if not obj.get("globalDefault") or other is None:
        return None
    name = other["metadata"]["name"]
    why = f"PriorityClass {name} is already marked as default. Only one default can exist"
    return forbid(obj, why)
