"""What the API server changes in an object because it is being created, before validating it.

Source: kubernetes/kubernetes pkg/registry/*/*/strategy.go (PrepareForCreate), v1.36.1
"""

from collections.abc import Callable, Iterable
from typing import Final

from gpusched.api.defaulting.qos import qos_class
from gpusched.api.wire import Json

NAMESPACED: Final = frozenset(
    {
        "ConfigMap", "CronJob", "DaemonSet", "Deployment", "Job", "Lease", "LimitRange",
        "PersistentVolumeClaim", "Pod", "PodDisruptionBudget", "ReplicaSet", "ResourceClaim",
        "ResourceClaimTemplate", "ResourceQuota", "Service", "ServiceAccount", "StatefulSet",
    }
)  # fmt: skip
_COUNTS_GENERATIONS: Final = frozenset(
    {
        "CronJob", "DaemonSet", "Deployment", "DeviceClass", "Job", "Pod", "PodDisruptionBudget",
        "PriorityClass", "ReplicaSet", "ResourceSlice", "StatefulSet",
    }
)  # fmt: skip
_RESETS_STATUS: Final = frozenset(
    {
        "CronJob", "DaemonSet", "Deployment", "Job", "PersistentVolumeClaim",
        "PodDisruptionBudget", "ReplicaSet", "ResourceClaim", "ResourceQuota", "Service",
        "StatefulSet",
    }
)  # fmt: skip
_GATED: Final = {
    "type": "PodScheduled",
    "status": "False",
    "lastProbeTime": None,
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}
_TEMPLATE_GENERATION: Final = "deprecated.daemonset.template.generation"
_NAMESPACE_FINALIZER: Final = "kubernetes"
_JOB_NAME_LABELS: Final = ("job-name", "batch.kubernetes.io/job-name")
_JOB_UID_LABELS: Final = ("controller-uid", "batch.kubernetes.io/controller-uid")


def prepare_for_create(obj: Json) -> None:
    """Reset and complete what a client does not decide, in place; defaults must be set.

    Where upstream takes the time of day, the object's creationTimestamp stands.
    """
    kind = obj["kind"]
    metadata = obj.setdefault("metadata", {})
    if kind not in NAMESPACED:
        metadata.pop("namespace", None)
    elif not metadata.get("namespace"):
        metadata["namespace"] = "default"
    if kind in _COUNTS_GENERATIONS:
        metadata["generation"] = 1
    if kind in _RESETS_STATUS:
        obj["status"] = {}
    prepare = _BY_KIND.get(kind)
    if prepare is not None:
        prepare(obj)


def _prepare_pod(obj: Json) -> None:
    spec = obj["spec"]
    if spec["terminationGracePeriodSeconds"] < 0:
        spec["terminationGracePeriodSeconds"] = 1
    drop_gated_off(spec)
    given = (obj.get("status") or {}).get("qosClass")
    obj["status"] = {"phase": "Pending", "qosClass": given or qos_class(spec)}
    if spec.get("schedulingGates"):
        now = obj["metadata"].get("creationTimestamp")
        obj["status"]["conditions"] = [{**_GATED, "lastTransitionTime": now}]
    labels = obj["metadata"].get("labels") or {}
    for term in _pod_affinity_terms(spec):
        _merge_keys(term, labels, (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")))
    for constraint in spec.get("topologySpreadConstraints") or ():
        _merge_keys(constraint, labels, (("matchLabelKeys", "In"),))


def _pod_affinity_terms(spec: Json) -> Iterable[Json]:
    affinity = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(kind) or {}
        for weighted in terms.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            yield weighted.setdefault("podAffinityTerm", {})
        yield from terms.get("requiredDuringSchedulingIgnoredDuringExecution") or ()


def _merge_keys(holder: Json, labels: Json, lists: Iterable[tuple[str, str]]) -> None:
    """Require of other pods the values that the pod itself has for the listed label keys."""
    if "labelSelector" not in holder:
        return
    merged = [
        {"key": key, "operator": operator, "values": [labels[key]]}
        for name, operator in lists
        for key in holder.get(name) or ()
        if key in labels
    ]
    if merged:
        selector = holder["labelSelector"]
        selector["matchExpressions"] = [*(selector.get("matchExpressions") or ()), *merged]


def drop_gated_off(spec: Json) -> None:
    """Drop from a pod spec the fields whose feature gate is off by default."""
    spec.pop("schedulingGroup", None)
    for name in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(name) or ():
            _drop_stop_signal(container)
    for volume in spec.get("volumes") or ():
        for source in volume.get("projected", {}).get("sources") or ():
            source.pop("clusterTrustBundle", None)
            source.pop("podCertificate", None)


def _drop_stop_signal(container: Json) -> None:
    lifecycle = container.get("lifecycle")
    if lifecycle and "stopSignal" in lifecycle:
        del lifecycle["stopSignal"]
        if not lifecycle:
            del container["lifecycle"]


def _prepare_template(obj: Json) -> None:
    drop_gated_off(obj["spec"]["template"]["spec"])


def _prepare_cron_job(obj: Json) -> None:
    drop_gated_off(obj["spec"]["jobTemplate"]["spec"]["template"]["spec"])


def _prepare_daemon_set(obj: Json) -> None:
    """Note the template's generation, which used to be a field."""
    _prepare_template(obj)
    annotations = obj["metadata"].setdefault("annotations", {})
    annotations.setdefault(_TEMPLATE_GENERATION, "1")


def _prepare_stateful_set(obj: Json) -> None:
    _prepare_template(obj)
    obj["spec"]["updateStrategy"].get("rollingUpdate", {}).pop("maxUnavailable", None)
    for claim in obj["spec"].get("volumeClaimTemplates") or ():
        claim |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}


def _prepare_job(obj: Json) -> None:
    """Give a Job the selector of its own pods."""
    _prepare_template(obj)
    if not obj["spec"]["manualSelector"]:
        _generate_selector(obj)
    # A Job without labels of its own has shared its template's so far (see default_job).
    metadata = obj["metadata"]
    if "labels" in metadata:
        metadata["labels"] = dict(metadata["labels"])


def _generate_selector(obj: Json) -> None:
    """Give a Job's template the labels by which the Job finds its pods.

    Source: kubernetes/kubernetes pkg/registry/batch/job/strategy.go (generateSelector), v1.36.1.
    """
    spec, metadata = obj["spec"], obj["metadata"]
    labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
    for names, value in ((_JOB_NAME_LABELS, "name"), (_JOB_UID_LABELS, "uid")):
        for name in names:
            labels.setdefault(name, metadata.get(value, ""))
    selector = spec.setdefault("selector", {}).setdefault("matchLabels", {})
    selector.setdefault(_JOB_UID_LABELS[1], metadata.get("uid", ""))


def _prepare_namespace(obj: Json) -> None:
    obj["status"] = {"phase": "Active"}
    spec = obj.setdefault("spec", {})
    finalizers = spec.get("finalizers") or []
    if _NAMESPACE_FINALIZER not in finalizers:
        spec["finalizers"] = [*finalizers, _NAMESPACE_FINALIZER]
    labels = obj["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = obj["metadata"].get("name", "")


def _prepare_node(obj: Json) -> None:
    """Drop the configuration of kubelets from afar, which is no more."""
    obj["spec"].pop("configSource", None)
    obj["status"].pop("config", None)


def _prepare_persistent_volume(obj: Json) -> None:
    obj["status"] = {"phase": "Pending"}
    if "creationTimestamp" in obj["metadata"]:
        obj["status"]["lastPhaseTransitionTime"] = obj["metadata"]["creationTimestamp"]


def _prepare_limit_range(obj: Json) -> None:
    """Name what came without a name; upstream draws a UID for that."""
    metadata = obj["metadata"]
    if not metadata.get("name"):
        metadata["name"] = metadata.get("uid", "")


def _prepare_persistent_volume_claim(obj: Json) -> None:
    """Keep the data source under its present and its former name."""
    spec = obj["spec"]
    if (spec.get("dataSourceRef") or {}).get("namespace"):
        del spec["dataSourceRef"]  # the feature gate for other namespaces is off
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if reference is None and source is not None and not _is_claim_or_snapshot(source):
        del spec["dataSource"]
        return
    if source is not None and reference is None:
        spec["dataSourceRef"] = dict(source)
    elif source is None and reference is not None and not reference.get("namespace"):
        spec["dataSource"] = {name: reference[name] for name in reference if name != "namespace"}


def _is_claim_or_snapshot(source: Json) -> bool:
    group = source.get("apiGroup") or ""
    return (group, source.get("kind")) in {
        ("", "PersistentVolumeClaim"),
        ("snapshot.storage.k8s.io", "VolumeSnapshot"),
    }


def _prepare_lease(obj: Json) -> None:
    for name in ("strategy", "preferredHolder"):
        obj.get("spec", {}).pop(name, None)


def _prepare_resource_slice(obj: Json) -> None:
    """Note since when devices are tainted."""
    for device in obj.get("spec", {}).get("devices") or ():
        for taint in device.get("taints") or ():
            taint.setdefault("timeAdded", obj["metadata"].get("creationTimestamp"))


def _prepare_service_account(obj: Json) -> None:
    """Keep of each secret its name only."""
    obj["secrets"] = [{"name": secret.get("name", "")} for secret in obj.get("secrets") or ()]


_BY_KIND: Final[dict[str, Callable[[Json], None]]] = {
    "CronJob": _prepare_cron_job,
    "DaemonSet": _prepare_daemon_set,
    "Deployment": _prepare_template,
    "Job": _prepare_job,
    "Lease": _prepare_lease,
    "LimitRange": _prepare_limit_range,
    "Namespace": _prepare_namespace,
    "Node": _prepare_node,
    "PersistentVolume": _prepare_persistent_volume,
    "PersistentVolumeClaim": _prepare_persistent_volume_claim,
    "Pod": _prepare_pod,
    "ReplicaSet": _prepare_template,
    "ResourceSlice": _prepare_resource_slice,
    "ServiceAccount": _prepare_service_account,
    "StatefulSet": _prepare_stateful_set,
}
