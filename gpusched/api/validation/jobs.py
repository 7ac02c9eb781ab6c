"""Jobs and CronJobs.

Source: kubernetes/kubernetes pkg/apis/batch/validation/validation.go, v1.36.1
"""

import re
from typing import Any, Final

from gpusched.api.names import dns_label, dns_subdomain
from gpusched.api.validation.errors import (
    Errors,
    checked,
    each,
    invalid,
    not_negative,
    not_supported,
    one_of,
    required,
    too_long,
)
from gpusched.api.validation.failure_policy import validate_failure_policy
from gpusched.api.validation.meta import validate_metadata
from gpusched.api.validation.selectors import validate_selector
from gpusched.api.validation.success_policy import validate_success_policy
from gpusched.api.validation.templates import (
    is_usable,
    matches,
    shown_selector,
    validate_match,
    validate_template,
)
from gpusched.api.wire import Json

_COUNTS: Final = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
    "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes",
)  # fmt: skip
_MOST_PARALLEL: Final = 100_000
_MANY: Final = 100_000
_MOST_OF_MANY: Final = 10_000
_MANAGER_LENGTH: Final = 63
_CRON_NAME_LENGTH: Final = 52
_PATH: Final = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"


def validate_job(obj: Json) -> Errors:
    """Check a Job whose selector has been generated."""
    metadata, spec = obj["metadata"], obj["spec"]
    yield from validate_metadata(metadata, dns_subdomain, namespaced=True)
    yield from _validate_generated(metadata, spec)
    yield from validate_job_spec(spec, "spec")
    yield from validate_job_selector(spec)
    completions = spec.get("completions", 0)
    if spec["completionMode"] == "Indexed" and completions > 0:
        host = f"{metadata.get('name', '')}-{completions - 1}"
        if dns_label(host):
            detail = f"will not able to create pod with invalid DNS label: {host}"
            yield invalid("metadata.name", metadata.get("name", ""), detail)


def _validate_generated(metadata: Json, spec: Json) -> Errors:
    """Check that a user's labels do not contradict the generated selector."""
    if spec["manualSelector"] or "selector" not in spec:
        return
    uid, name = metadata.get("uid", ""), metadata.get("name", "")
    expected = {
        "controller-uid": uid,
        "job-name": name,
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
    }
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    for key, value in expected.items():
        if labels.get(key) != value:
            place = f"spec.template.metadata.labels[{key}]"
            yield invalid(place, dict(sorted(labels.items())), f"must be '{value}'")
    if is_usable(spec["selector"]) and not matches(spec["selector"], expected):
        shown = shown_selector(spec["selector"])
        yield invalid("spec.selector", shown, "`selector` not auto-generated")


def validate_job_selector(spec: Json) -> Errors:
    """Check a Job's selector against its template."""
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
    yield from validate_selector(selector, "spec.selector")
    if is_usable(selector):
        yield from validate_match(selector, spec["template"], "spec.template")


def validate_job_spec(spec: Json, path: str) -> Errors:
    """Check a Job's spec, or the one in a CronJob, but for its selector."""
    for name in _COUNTS:
        yield from not_negative(f"{path}.{name}", spec.get(name))
    if "maxFailedIndexes" in spec and "backoffLimitPerIndex" not in spec:
        detail = "when maxFailedIndexes is specified"
        yield required(f"{path}.backoffLimitPerIndex", detail)
    if "managedBy" in spec:
        yield from _validate_manager(spec["managedBy"], f"{path}.managedBy")
    yield from _validate_mode(spec, path)
    if "podFailurePolicy" in spec:
        yield from validate_failure_policy(spec, f"{path}.podFailurePolicy")
    if "successPolicy" in spec:
        yield from validate_success_policy(spec, f"{path}.successPolicy")
    yield from _validate_replacement(spec, f"{path}.podReplacementPolicy")
    yield from validate_template(spec["template"], f"{path}.template")
    yield from _validate_restarts(spec, f"{path}.template.spec.restartPolicy")


def _validate_manager(manager: str, path: str) -> Errors:
    domain, slash, rest = manager.partition("/")
    if not manager:
        yield required(path)
    elif not slash or not domain or not rest:
        detail = 'must be a domain-prefixed path (such as "acme.io/foo")'
        yield invalid(path, manager, detail)
    else:
        yield from checked(dns_subdomain, path, domain)
        if not re.fullmatch(_PATH, rest):
            detail = f"Invalid path (regex used for validation is '{_PATH}')"
            yield invalid(path, rest, detail)
    if len(manager.encode()) > _MANAGER_LENGTH:
        yield too_long(path, _MANAGER_LENGTH)


def _validate_mode(spec: Json, path: str) -> Errors:
    mode = spec.get("completionMode", "NonIndexed")
    if mode not in {"NonIndexed", "Indexed"}:
        yield not_supported(f"{path}.completionMode", mode, ("NonIndexed", "Indexed"))
    elif mode == "NonIndexed":
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if name in spec:
                yield invalid(f"{path}.{name}", spec[name], "requires indexed completion mode")
    else:
        yield from _validate_indexed(spec, path)


def _validate_indexed(spec: Json, path: str) -> Errors:
    completions, parallel = spec.get("completions"), spec.get("parallelism", 0)
    failed = spec.get("maxFailedIndexes")
    if completions is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    if parallel > _MOST_PARALLEL:
        detail = f"must be less than or equal to {_MOST_PARALLEL} when completion mode is Indexed"
        yield invalid(f"{path}.parallelism", parallel, detail)
    if failed is not None:
        if completions is not None and failed > completions:
            detail = "must be less than or equal to completions"
            yield invalid(f"{path}.maxFailedIndexes", failed, detail)
        if failed > _MANY:
            detail = f"must be less than or equal to {_MANY}"
            yield invalid(f"{path}.maxFailedIndexes", failed, detail)
    if (completions or 0) > _MANY and "backoffLimitPerIndex" in spec:
        yield from _validate_many(parallel, failed, path)


def _validate_many(parallel: int, failed: int | None, path: str) -> Errors:
    if failed is None:
        detail = f"must be specified when completions is above {_MANY}"
        yield required(f"{path}.maxFailedIndexes", detail)
    bound = f"must be less than or equal to {_MOST_OF_MANY} when completions are above {_MANY}"
    for name, value in (("parallelism", parallel), ("maxFailedIndexes", failed or 0)):
        if value > _MOST_OF_MANY:
            yield invalid(f"{path}.{name}", value, f"{bound} and used with backoff limit per index")


def _validate_replacement(spec: Json, path: str) -> Errors:
    policy = spec.get("podReplacementPolicy")
    supported = ("Failed",) if "podFailurePolicy" in spec else ("Failed", "TerminatingOrFailed")
    if policy is not None and policy not in supported:
        yield not_supported(path, policy, supported)


def _validate_restarts(spec: Json, path: str) -> Errors:
    policy: Any = spec["template"]["spec"]["restartPolicy"]
    if policy in {"Always", ""}:
        yield required(path, 'valid values: "OnFailure", "Never"')
    elif policy not in {"OnFailure", "Never"}:
        yield not_supported(path, policy, ("OnFailure", "Never"))
    elif "podFailurePolicy" in spec and policy != "Never":
        detail = 'only "Never" is supported when podFailurePolicy is specified'
        yield invalid(path, policy, detail)


def validate_cron_job(obj: Json) -> Errors:
    """Check a CronJob; its schedule and time zone are only looked at for their presence."""
    metadata, spec = obj["metadata"], obj["spec"]
    yield from validate_metadata(metadata, dns_subdomain, namespaced=True)
    name = metadata.get("name", "")
    if not spec.get("schedule"):
        yield required("spec.schedule")
    yield from not_negative("spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    yield from one_of(
        "spec.concurrencyPolicy", spec["concurrencyPolicy"], ("Allow", "Forbid", "Replace")
    )
    template = spec["jobTemplate"]["spec"]
    if "selector" in template:
        shown = shown_selector(template["selector"])
        detail = "`selector` will be auto-generated"
        yield invalid("spec.jobTemplate.spec.selector", shown, detail)
    if template.get("manualSelector"):
        place = "spec.jobTemplate.spec.manualSelector"
        yield not_supported(place, value=True, supported=("nil", "false"))
    yield from validate_job_spec(template, "spec.jobTemplate.spec")
    for limit in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from not_negative(f"spec.{limit}", spec.get(limit))
    if len(name) > _CRON_NAME_LENGTH:
        detail = f"must be no more than {_CRON_NAME_LENGTH} characters"
        yield from each("metadata.name", name, (detail,))
