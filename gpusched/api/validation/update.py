"""What an update must keep.

Source: kubernetes/kubernetes pkg/registry/*/*/strategy.go (ValidateUpdate),
pkg/apis/*/validation/validation.go, v1.36.1
"""

from collections.abc import Callable
from typing import Any, Final

from gpusched.api.defaulting.creation import NAMESPACED
from gpusched.api.names import path_segment
from gpusched.api.validation.errors import Errors, FieldError, forbidden, invalid
from gpusched.api.validation.jobs import validate_job_selector, validate_job_spec
from gpusched.api.validation.kinds import validate_object
from gpusched.api.validation.meta import (
    IMMUTABLE,
    validate_any_metadata,
    validate_metadata_update,
    validate_standard_finalizers,
)
from gpusched.api.validation.pod_update import validate_pod_update
from gpusched.api.validation.templates import without_nothing
from gpusched.api.validation.workloads import (
    validate_daemon_set_spec,
    validate_deployment_spec,
    validate_replica_set_spec,
    validate_stateful_set_spec,
)
from gpusched.api.wire import Json
from gpusched.api.wire.internal import internal, internal_template

_PLAIN_METADATA: Final = frozenset({"Lease", "PodDisruptionBudget"})
_MUTABLE_IN_STATEFUL_SET: Final = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip


def validate_update(new: Json, old: Json) -> list[FieldError]:
    """Return everything that is wrong with replacing ``old`` by ``new``, both defaulted.

    Only the main resource is meant: statuses are not looked at.
    """
    kind, metadata = new["kind"], new["metadata"]
    errors = [
        *validate_any_metadata(metadata, path_segment, namespaced=kind in NAMESPACED),
        *validate_metadata_update(metadata, old["metadata"]),
    ]
    if kind not in _PLAIN_METADATA:
        errors += validate_standard_finalizers(metadata)
    rules = _BY_KIND.get(kind)
    errors += validate_object(new) if rules is None else rules(new, old)
    return list(dict.fromkeys(errors))


def _keep(new: Json, old: Json, path: str, names: dict[str, str]) -> Errors:
    """Require fields to keep their values; ``names`` gives the types for printing."""
    for name, expression in names.items():
        if new.get(name) != old.get(name):
            yield invalid(f"{path}{name}", internal(expression, new.get(name)), IMMUTABLE)


def _update_deployment(new: Json, old: Json) -> Errors:
    yield from validate_deployment_spec(new["spec"])
    yield from _keep(new["spec"], old["spec"], "spec.", {"selector": _SELECTOR})


def _update_replica_set(new: Json, old: Json) -> Errors:
    yield from validate_replica_set_spec(new["spec"])
    yield from _keep(new["spec"], old["spec"], "spec.", {"selector": _SELECTOR})


def _update_daemon_set(new: Json, old: Json) -> Errors:
    yield from _keep(new["spec"], old["spec"], "spec.", {"selector": _SELECTOR})
    yield from validate_daemon_set_spec(new["spec"])


def _update_stateful_set(new: Json, old: Json) -> Errors:
    yield from validate_stateful_set_spec(new["spec"])
    fixed = [
        {name: value for name, value in obj["spec"].items() if name not in _MUTABLE_IN_STATEFUL_SET}
        for obj in (new, old)
    ]
    if without_nothing(fixed[0]) != without_nothing(fixed[1]):
        yield forbidden(
            "spec",
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template',"
            " 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and"
            " 'minReadySeconds' are forbidden",
        )


def _update_job(new: Json, old: Json) -> Errors:
    spec, before = new["spec"], old["spec"]
    yield from validate_job_spec(spec, "spec")
    yield from validate_job_selector(spec)
    yield from _keep_completions(spec, before)
    yield from _keep(spec, before, "spec.", {"selector": _SELECTOR})
    yield from _keep_template(spec, before)
    kinds = {"completionMode": "*string", "podFailurePolicy": "*batch.PodFailurePolicy",
             "backoffLimitPerIndex": "*int32", "successPolicy": "*batch.SuccessPolicy"}  # fmt: skip
    yield from _keep(spec, before, "spec.", kinds)


def _keep_completions(spec: Json, before: Json) -> Errors:
    """An indexed Job may change its size, if completions and parallelism stay the same."""
    completions = spec.get("completions")
    if completions == before.get("completions"):
        return
    if spec.get("completionMode") != "Indexed":
        yield invalid("spec.completions", completions, IMMUTABLE)
    elif completions != spec.get("parallelism") or (
        before.get("completions") != before.get("parallelism")
    ):
        detail = "can only be modified in tandem with spec.parallelism"
        yield invalid("spec.completions", completions, detail)


def _keep_template(spec: Json, before: Json) -> Errors:
    """A Job that is suspended and has not started may still change where its pods run."""
    template, previous = spec["template"], before["template"]
    if before.get("suspend"):
        template, previous = _without_directives(template), _without_directives(previous)
    if template != previous:
        yield invalid("spec.template", internal_template(spec["template"]), IMMUTABLE)


def _without_directives(template: Json) -> Json:
    spec = {
        name: value
        for name, value in template["spec"].items()
        if name not in {"nodeSelector", "tolerations", "schedulingGates", "affinity"}
    }
    metadata = {
        name: value
        for name, value in (template.get("metadata") or {}).items()
        if name not in {"labels", "annotations"}
    }
    return {**template, "spec": spec, "metadata": metadata}


def _update_priority_class(new: Json, old: Json) -> Errors:
    if new.get("value", 0) != old.get("value", 0):
        yield forbidden("value", "may not be changed in an update.")
    yield from _keep(new, old, "", {"preemptionPolicy": "*string"})


def _update_node(new: Json, old: Json) -> Errors:
    yield from validate_object(new)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if before.get("podCIDRs") and before["podCIDRs"] != spec.get("podCIDRs"):
        detail = 'node updates may not change podCIDR except from "" to valid'
        yield forbidden("spec.podCIDRs", detail)
    if before.get("providerID") and before["providerID"] != spec.get("providerID"):
        detail = 'node updates may not change providerID except from "" to valid'
        yield forbidden("spec.providerID", detail)
    if spec.get("externalID", "") != before.get("externalID", ""):
        yield forbidden("spec.externalID", "may not be updated")


def _update_storage_class(new: Json, old: Json) -> Errors:
    yield from validate_object(new)
    names = ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode")
    kinds = dict.fromkeys(names, "string") | {"parameters": "map[string]string"}
    yield from _keep(new, old, "", kinds)


_SELECTOR: Final = "*meta/v1.LabelSelector"
_BY_KIND: Final[dict[str, Callable[[Any, Any], Errors]]] = {
    "DaemonSet": _update_daemon_set,
    "Deployment": _update_deployment,
    "Job": _update_job,
    "Node": _update_node,
    "Pod": validate_pod_update,
    "PriorityClass": _update_priority_class,
    "ReplicaSet": _update_replica_set,
    "StatefulSet": _update_stateful_set,
    "StorageClass": _update_storage_class,
}
