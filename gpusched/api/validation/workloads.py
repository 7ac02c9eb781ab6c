"""Deployments, ReplicaSets, StatefulSets and DaemonSets.

Source: kubernetes/kubernetes pkg/apis/apps/validation/validation.go, v1.36.1
"""

from typing import Final

from gpusched.api.names import dns_label, dns_subdomain
from gpusched.api.validation.claims import validate_claim_spec
from gpusched.api.validation.counts import number, validate_count, validate_not_over_whole
from gpusched.api.validation.errors import (
    Errors,
    checked,
    forbidden,
    invalid,
    not_negative,
    not_supported,
    required,
)
from gpusched.api.validation.meta import validate_annotations, validate_labels, validate_metadata
from gpusched.api.validation.pod import validate_pod_annotations
from gpusched.api.validation.templates import (
    is_empty,
    is_usable,
    shown_selector,
    validate_match,
    validate_own_selector,
    validate_restarting,
    validate_template,
)
from gpusched.api.wire import Json
from gpusched.api.wire.internal import internal

_TEMPLATE: Final = "spec.template"


def validate_deployment(obj: Json) -> Errors:
    """Check a Deployment."""
    spec = obj["spec"]
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=True)
    yield from validate_deployment_spec(spec)


def validate_deployment_spec(spec: Json) -> Errors:
    """Check a Deployment's spec, new or updated."""
    yield from not_negative("spec.replicas", spec["replicas"])
    yield from _validate_selected_template(spec)
    yield from _validate_deployment_strategy(spec["strategy"], "spec.strategy")
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from not_negative("spec.revisionHistoryLimit", spec["revisionHistoryLimit"])
    deadline = spec["progressDeadlineSeconds"]
    yield from not_negative("spec.progressDeadlineSeconds", deadline)
    if deadline <= spec.get("minReadySeconds", 0):
        detail = "must be greater than minReadySeconds"
        yield invalid("spec.progressDeadlineSeconds", deadline, detail)


def validate_replica_set(obj: Json) -> Errors:
    """Check a ReplicaSet."""
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=True)
    yield from validate_replica_set_spec(obj["spec"])


def validate_replica_set_spec(spec: Json) -> Errors:
    """Check a ReplicaSet's spec, new or updated."""
    yield from not_negative("spec.replicas", spec["replicas"])
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from _validate_selected_template(spec)


def _validate_selected_template(spec: Json) -> Errors:
    selector, template = spec.get("selector"), spec["template"]
    yield from validate_own_selector(selector, "spec.selector", "deployment")
    if not is_usable(selector):
        shown = shown_selector(selector or {})
        yield invalid("spec.selector", shown, "invalid label selector")
        return
    if selector is None or not is_empty(selector):
        yield from validate_match(selector, template, _TEMPLATE)
    yield from validate_template(template, _TEMPLATE)
    yield from validate_restarting(template, _TEMPLATE, "ReplicaSet")


def _validate_deployment_strategy(strategy: Json, path: str) -> Errors:
    kind, rolling = strategy["type"], strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            detail = "may not be specified when strategy `type` is 'Recreate'"
            yield forbidden(f"{path}.rollingUpdate", detail)
    elif kind == "RollingUpdate":
        yield from _validate_rolling_deployment(rolling or {}, f"{path}.rollingUpdate")
    else:
        shown = internal("apps.DeploymentStrategy", strategy)
        yield not_supported(path, shown, ("Recreate", "RollingUpdate"))


def _validate_rolling_deployment(rolling: Json, path: str) -> Errors:
    unavailable, surge = rolling["maxUnavailable"], rolling["maxSurge"]
    yield from validate_count(unavailable, f"{path}.maxUnavailable")
    yield from validate_count(surge, f"{path}.maxSurge")
    if number(unavailable) == 0 and number(surge) == 0:
        detail = "may not be 0 when `maxSurge` is 0"
        yield invalid(f"{path}.maxUnavailable", unavailable, detail)
    yield from validate_not_over_whole(unavailable, f"{path}.maxUnavailable")


def validate_daemon_set(obj: Json) -> Errors:
    """Check a DaemonSet."""
    yield from validate_metadata(obj["metadata"], dns_subdomain, namespaced=True)
    yield from validate_daemon_set_spec(obj["spec"])


def validate_daemon_set_spec(spec: Json) -> Errors:
    """Check a DaemonSet's spec, new or updated."""
    selector, template = spec.get("selector"), spec["template"]
    if selector is not None:
        yield from validate_own_selector(selector, "spec.selector", "daemonset")
    if is_usable(selector):
        yield from validate_match(selector, template, _TEMPLATE)
    yield from validate_template(template, _TEMPLATE)
    yield from validate_restarting(template, _TEMPLATE, "DaemonSet")
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from _validate_daemon_strategy(spec["updateStrategy"], "spec.updateStrategy")
    yield from not_negative("spec.revisionHistoryLimit", spec["revisionHistoryLimit"])


def _validate_daemon_strategy(strategy: Json, path: str) -> Errors:
    kind, rolling = strategy["type"], strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        shown = internal("apps.DaemonSetUpdateStrategy", strategy)
        yield not_supported(path, shown, ("RollingUpdate", "OnDelete"))
        return
    path = f"{path}.rollingUpdate"
    counts = {name: (rolling or {})[name] for name in ("maxUnavailable", "maxSurge")}
    for name, count in counts.items():
        yield from validate_count(count, f"{path}.{name}")
        yield from validate_not_over_whole(count, f"{path}.{name}")
    unavailable, surge = map(number, counts.values())
    if unavailable and surge:
        detail = "may not be set when maxUnavailable is non-zero"
        yield invalid(f"{path}.maxSurge", counts["maxSurge"], detail)
    elif not unavailable and not surge:
        yield required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def validate_stateful_set(obj: Json) -> Errors:
    """Check a StatefulSet."""
    spec = obj["spec"]
    yield from validate_metadata(obj["metadata"], _stateful_set_name, namespaced=True)
    for index, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        yield from validate_claim_spec(claim["spec"], f"spec.volumeClaimTemplates[{index}].spec")
    if spec.get("serviceName"):
        yield from checked(dns_label, "spec.serviceName", spec["serviceName"])
    yield from validate_stateful_set_spec(spec)


def _stateful_set_name(name: str) -> tuple[str, ...]:
    return dns_label(name)


def validate_stateful_set_spec(spec: Json) -> Errors:
    """Check a StatefulSet's spec but for what cannot change later."""
    yield from _validate_management(spec)
    retention = spec["persistentVolumeClaimRetentionPolicy"]
    for name in ("whenDeleted", "whenScaled"):
        if retention[name] not in {"Retain", "Delete"}:
            place = f"spec.persistentVolumeClaimRetentionPolicy.{name}"
            yield not_supported(place, retention[name], ("Retain", "Delete"))
    yield from not_negative("spec.replicas", spec["replicas"])
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from not_negative("spec.ordinals.start", (spec.get("ordinals") or {}).get("start"))
    selector = spec.get("selector")
    yield from validate_own_selector(selector, "spec.selector", "statefulset")
    if is_usable(selector):
        yield from _validate_stateful_template(spec)
    else:
        yield invalid("spec.selector", shown_selector(selector or {}), "")
    yield from validate_restarting(spec["template"], _TEMPLATE, "StatefulSet")


def _validate_stateful_template(spec: Json) -> Errors:
    """Check the template as it is with the volumes of the claim templates."""
    selector, template = spec.get("selector"), spec["template"]
    if selector is None or not is_empty(selector):
        yield from validate_match(selector, template, _TEMPLATE)
    names = [
        (claim.get("metadata") or {}).get("name", "")
        for claim in spec.get("volumeClaimTemplates") or ()
    ]
    claimed: list[Json] = [
        {"name": name, "persistentVolumeClaim": {"claimName": name}}
        for name in dict.fromkeys(names)
    ]
    pod = {key: item for key, item in template["spec"].items() if key not in _SET_BY_CONTROLLER}
    given = [volume for volume in pod.get("volumes") or () if volume.get("name", "") not in names]
    pod["volumes"] = claimed + given
    yield from validate_template({**template, "spec": pod}, _TEMPLATE)
    metadata = template.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    yield from validate_labels(metadata.get("labels"), f"{_TEMPLATE}.labels")
    yield from validate_annotations(annotations, f"{_TEMPLATE}.annotations")
    yield from validate_pod_annotations(annotations, template["spec"], f"{_TEMPLATE}.annotations")


_SET_BY_CONTROLLER: Final = frozenset({"hostname", "subdomain"})


def _validate_management(spec: Json) -> Errors:
    policy = spec["podManagementPolicy"]
    if policy not in {"OrderedReady", "Parallel"}:
        yield invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    kind, path = spec["updateStrategy"]["type"], "spec.updateStrategy"
    rolling = spec["updateStrategy"].get("rollingUpdate")
    shown = internal("apps.StatefulSetUpdateStrategy", spec["updateStrategy"])
    if kind == "OnDelete":
        if rolling is not None:
            detail = "only allowed for updateStrategy 'RollingUpdate'"
            yield invalid(f"{path}.rollingUpdate", shown["RollingUpdate"], detail)
    elif kind == "RollingUpdate":
        yield from not_negative(f"{path}.rollingUpdate.partition", (rolling or {}).get("partition"))
    else:
        yield invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'")
