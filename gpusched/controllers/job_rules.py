"""A Job's own rules: which failures count, which end it, and when enough has succeeded.

Source: kubernetes/kubernetes pkg/controller/job/{pod_failure_policy,success_policy}.go,
job_controller.go (isPodFailed, getFailJobMessage), v1.36.1
"""

from collections.abc import Collection, Iterable

from gpusched.controllers.job_indexes import parse_indexes
from gpusched.controllers.protocol import Json, PodView

FAIL_JOB, IGNORE = "FailJob", "Ignore"


def has_failed(pod: PodView, job: Json) -> bool:
    """Return whether a pod counts as failed.

    By its phase, or because it terminates without having ended, unless the Job waits for the phase.
    """
    if pod.phase == "Failed":
        return True
    waits = job["spec"].get("podReplacementPolicy") == "Failed"
    return not waits and pod.deletion is not None and pod.phase != "Succeeded"


def is_counted(pod: PodView, job: Json) -> bool:
    """Return whether a failure counts towards the backoff limit."""
    return _matched(pod, job)[0] != IGNORE


def failing_message(job: Json, pods: Iterable[PodView]) -> str:
    """Return why a pod's failure ends the Job at once; an empty text if none does."""
    if "podFailurePolicy" not in job["spec"]:
        return ""
    matched = (_matched(pod, job) for pod in pods if has_failed(pod, job))
    return next((message for action, message in matched if action == FAIL_JOB), "")


def _matched(pod: PodView, job: Json) -> tuple[str, str]:
    """Return the action of the first rule that a failed pod matches, and what can be said of it."""
    for index, rule in enumerate((job["spec"].get("podFailurePolicy") or {}).get("rules") or ()):
        what = _what_matches(pod, rule)
        if what:
            return rule["action"], f"{what} matching {rule['action']} rule at index {index}"
    return "", ""


def _what_matches(pod: PodView, rule: Json) -> str:
    place = f"{pod.namespace}/{pod.name}"
    if rule.get("onExitCodes"):
        name = _container(pod, rule["onExitCodes"])
        code = pod.exit_codes().get(name)
        return f"Container {name} for pod {place} failed with exit code {code}" if name else ""
    for pattern in rule.get("onPodConditions") or ():
        held = pod.condition(pattern["type"])
        if held is not None and held[0] == pattern["status"]:
            return f"Pod {place} has condition {pattern['type']}"
    return ""


def _container(pod: PodView, rule: Json) -> str:
    """Return the first container whose exit code is as a rule says; 0 never is."""
    for name, code in pod.exit_codes().items():
        fits = (code in rule["values"]) == (rule["operator"] == "In")
        if code and fits and name == (rule.get("containerName") or name):
            return name
    return ""


def success_message(job: Json, succeeded: Collection[int]) -> str:
    """Return which rule says that enough indexes have succeeded; an empty text if none does."""
    if not succeeded:
        return ""
    for index, rule in enumerate((job["spec"].get("successPolicy") or {}).get("rules") or ()):
        if _is_enough(rule, succeeded):
            return f"Matched rules at index {index}"
    return ""


def _is_enough(rule: Json, succeeded: Collection[int]) -> bool:
    count = rule.get("succeededCount")
    if rule.get("succeededIndexes") is None:
        return count is not None and len(succeeded) >= count
    wanted = set(parse_indexes(rule["succeededIndexes"]))
    among = len(wanted & set(succeeded))
    return bool(wanted) and (among == len(wanted) or (count is not None and among >= count))
