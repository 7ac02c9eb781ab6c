"""``kubectl rollout status``: what it says at one instant, and that it would go on waiting.

A view does not change while the command looks at it, so a rollout that is not done yet ends as it
does with ``--timeout``: timed out.

Source: kubernetes/kubectl pkg/cmd/rollout/rollout_status.go and
pkg/polymorphichelpers/rollout_status.go, v0.36.1
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from gpusched.kubectl.fields import JsonObject, dig, name_of, number, rows, text
from gpusched.kubectl.flags import Arguments, Flag, FlagType, parse_flags
from gpusched.kubectl.go_format import quote
from gpusched.kubectl.lookup import Found, Query, resolve
from gpusched.kubectl.output import CommandError, Output, failed
from gpusched.kubectl.view import View

_Status: TypeAlias = tuple[str, bool]
"""A message, and whether the rollout is done."""

_FLAGS: Final = (
    Flag("watch", FlagType.SWITCH, short="w", default=True),
    Flag("revision", FlagType.NUMBER),
    Flag("timeout", FlagType.DURATION, default="0s"),
    Flag("selector", short="l"),
)
_REVISION: Final = "deployment.kubernetes.io/revision"
_OBSERVED: Final = "spec update to be observed...\n"


def rollout_status(view: View, argv: Sequence[str]) -> Output:
    """Return what ``kubectl rollout status ARGV...`` prints.

    Args:
        view: The objects and the instant.
        argv: The words after ``rollout status``.
    """
    try:
        arguments = parse_flags("kubectl rollout status", _FLAGS, argv)
        _check(arguments)
        flags = arguments.flags
        query = Query(arguments.positional, flags["namespace"], labels=flags["selector"])
        found = resolve(view, query)
    except CommandError as error:
        return failed(error)
    if not found.objects and not found.errors:
        return Output("", f"No resources found in {flags['namespace']} namespace.\n")
    return _follow(found, arguments)


def _check(arguments: Arguments) -> None:
    if not arguments.positional:
        raise CommandError("required resource not specified")
    if arguments.flags["revision"] < 0:
        wrong = f"revision must be a positive integer: {arguments.flags['revision']}"
        raise CommandError(wrong)


def _follow(found: Found, arguments: Arguments) -> Output:
    """Print the status of each object; one that is not done is waited for in vain."""
    printed, errors = "", list(found.errors)
    for obj in found.objects:
        try:
            message, done = _status(obj, arguments)
        except CommandError as error:
            errors.append(error)
            continue
        printed += message
        if not done and arguments.flags["watch"]:
            errors.append(CommandError("timed out waiting for the condition"))
    return failed(*errors, stdout=printed)


def _status(obj: JsonObject, arguments: Arguments) -> _Status:
    if obj["kind"] == "Deployment":
        _check_revision(obj, arguments.flags["revision"])
    viewer = _VIEWERS.get(obj["kind"])
    if viewer is None:
        group = obj["apiVersion"].rpartition("/")[0]
        kind = f"{obj['kind']}.{group}" if group else obj["kind"]
        raise CommandError(f"no status viewer has been implemented for {kind}")
    return viewer(obj)


def _check_revision(deployment: JsonObject, wanted: int) -> None:
    running = int(text(deployment, "metadata", "annotations", _REVISION) or 0)
    if wanted > 0 and wanted != running:
        raise CommandError(
            f"desired revision ({wanted}) is different from the running revision ({running})"
        )


def _is_observed(obj: JsonObject) -> bool:
    return number(obj, "metadata", "generation") <= number(obj, "status", "observedGeneration")


def _deployment(obj: JsonObject) -> _Status:
    if not _is_observed(obj):
        return f"Waiting for deployment {_OBSERVED}", False
    name = quote(name_of(obj))
    conditions = rows(obj, "status", "conditions")
    progress = next((c for c in conditions if c.get("type") == "Progressing"), {})
    if progress.get("reason") == "ProgressDeadlineExceeded":
        raise CommandError(f"deployment {name} exceeded its progress deadline")
    desired = number(obj, "spec", "replicas")
    total, updated, available = (
        number(obj, "status", count)
        for count in ("replicas", "updatedReplicas", "availableReplicas")
    )
    waiting = f"Waiting for deployment {name} rollout to finish: "
    if updated < desired:
        return f"{waiting}{updated} out of {desired} new replicas have been updated...\n", False
    if total > updated:
        return f"{waiting}{total - updated} old replicas are pending termination...\n", False
    if available < updated:
        return f"{waiting}{available} of {updated} updated replicas are available...\n", False
    return f"deployment {name} successfully rolled out\n", True


def _check_strategy(obj: JsonObject) -> None:
    if text(obj, "spec", "updateStrategy", "type") != "RollingUpdate":
        raise CommandError("rollout status is only available for RollingUpdate strategy type")


def _daemon_set(obj: JsonObject) -> _Status:
    _check_strategy(obj)
    if not _is_observed(obj):
        return f"Waiting for daemon set {_OBSERVED}", False
    name = quote(name_of(obj))
    desired, updated, available = (
        number(obj, "status", count)
        for count in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    )
    waiting = f"Waiting for daemon set {name} rollout to finish: "
    if updated < desired:
        return f"{waiting}{updated} out of {desired} new pods have been updated...\n", False
    if available < desired:
        return f"{waiting}{available} of {desired} updated pods are available...\n", False
    return f"daemon set {name} successfully rolled out\n", True


def _stateful_set(obj: JsonObject) -> _Status:
    _check_strategy(obj)
    if not number(obj, "status", "observedGeneration") or not _is_observed(obj):
        return f"Waiting for statefulset {_OBSERVED}", False
    desired, ready = number(obj, "spec", "replicas"), number(obj, "status", "readyReplicas")
    if ready < desired:
        return f"Waiting for {desired - ready} pods to be ready...\n", False
    if dig(obj, "spec", "updateStrategy", "rollingUpdate") is not None:
        return _partitioned(obj, desired)
    updated, current = text(obj, "status", "updateRevision"), text(obj, "status", "currentRevision")
    if updated != current:
        return (
            "waiting for statefulset rolling update to complete "
            f"{number(obj, 'status', 'updatedReplicas')} pods at revision {updated}...\n"
        ), False
    return (
        f"statefulset rolling update complete {number(obj, 'status', 'currentReplicas')} pods at "
        f"revision {current}...\n"
    ), True


def _partitioned(obj: JsonObject, desired: int) -> _Status:
    partition = dig(obj, "spec", "updateStrategy", "rollingUpdate", "partition")
    updated = number(obj, "status", "updatedReplicas")
    if partition is not None and updated < desired - partition:
        return (
            f"Waiting for partitioned roll out to finish: {updated} out of {desired - partition} "
            "new pods have been updated...\n"
        ), False
    return f"partitioned roll out complete: {updated} new pods have been updated...\n", True


_VIEWERS: Final[dict[str, Callable[[JsonObject], _Status]]] = {
    "Deployment": _deployment,
    "DaemonSet": _daemon_set,
    "StatefulSet": _stateful_set,
}
