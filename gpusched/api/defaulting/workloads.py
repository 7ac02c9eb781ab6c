"""Defaults of the kinds that make pods.

Source: kubernetes/kubernetes pkg/apis/{apps,batch}/v1/defaults.go, v1.36.1
"""

from typing import Final

from gpusched.api.defaulting.pod import default_pod_template
from gpusched.api.defaulting.values import fill
from gpusched.api.defaulting.volumes import default_claim_spec, default_claim_status
from gpusched.api.wire import Json

_INT32_MAX: Final = 2**31 - 1
_BACKOFF_LIMIT: Final = 6


def default_deployment(obj: Json) -> None:
    """Fill in a Deployment's defaults, in place."""
    spec = _spec_with_template(obj)
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")


def default_replica_set(obj: Json) -> None:
    """Fill in a ReplicaSet's defaults, in place."""
    _spec_with_template(obj).setdefault("replicas", 1)


def default_daemon_set(obj: Json) -> None:
    """Fill in a DaemonSet's defaults, in place."""
    spec = _spec_with_template(obj)
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)


def default_stateful_set(obj: Json) -> None:
    """Fill in a StatefulSet's defaults, in place."""
    spec = _spec_with_template(obj)
    fill(spec, {"podManagementPolicy": "OrderedReady"})
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        strategy["rollingUpdate"].setdefault("partition", 0)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    fill(retention, {"whenDeleted": "Retain", "whenScaled": "Retain"})
    for claim in spec.get("volumeClaimTemplates") or ():
        default_claim_spec(claim.setdefault("spec", {}))
        default_claim_status(claim.setdefault("status", {}))


def default_job(obj: Json) -> None:
    """Fill in a Job's defaults, in place."""
    spec = obj.setdefault("spec", {})
    default_job_spec(spec)
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    limit = _INT32_MAX if "backoffLimitPerIndex" in spec else _BACKOFF_LIMIT
    spec.setdefault("backoffLimit", limit)
    labels = spec["template"].get("metadata", {}).get("labels")
    metadata = obj.setdefault("metadata", {})
    if labels is not None and not metadata.get("labels"):
        # One map, as upstream: what creation adds to the template's labels, the Job has as well.
        metadata["labels"] = labels
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    replacement = "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed"
    spec.setdefault("podReplacementPolicy", replacement)
    spec.setdefault("manualSelector", False)


def default_job_spec(spec: Json) -> None:
    """Fill in what Jobs and the job templates of CronJobs share."""
    default_pod_template(spec.setdefault("template", {}))
    for rule in spec.get("podFailurePolicy", {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            fill(pattern, {"status": "True"})


def default_cron_job(obj: Json) -> None:
    """Fill in a CronJob's defaults, in place."""
    spec = obj.setdefault("spec", {})
    fill(spec, {"concurrencyPolicy": "Allow"})
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    default_job_spec(spec.setdefault("jobTemplate", {}).setdefault("spec", {}))


def _spec_with_template(obj: Json) -> Json:
    spec: Json = obj.setdefault("spec", {})
    default_pod_template(spec.setdefault("template", {}))
    return spec
