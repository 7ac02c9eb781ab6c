"""``kubectl describe`` itself: which objects, with or without their events.

Source: kubernetes/kubectl pkg/cmd/describe/describe.go, v0.36.1
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from gpusched.kubectl.describe.events import describe_events, events_about
from gpusched.kubectl.describe.generic import describe_generic
from gpusched.kubectl.describe.node import describe_node
from gpusched.kubectl.describe.pod import describe_pod
from gpusched.kubectl.describe.service import describe_service
from gpusched.kubectl.describe.settings import (
    describe_budget,
    describe_limit_range,
    describe_namespace,
    describe_priority_class,
    describe_quota,
)
from gpusched.kubectl.describe.workloads import (
    describe_daemon_set,
    describe_deployment,
    describe_job,
    describe_replica_set,
    describe_stateful_set,
)
from gpusched.kubectl.describe.writer import Writer
from gpusched.kubectl.fields import JsonObject, name_of
from gpusched.kubectl.flags import Arguments, Flag, FlagType, parse_flags
from gpusched.kubectl.lookup import Found, Query, resolve
from gpusched.kubectl.output import CommandError, Output, ServerError, failed
from gpusched.kubectl.view import View

_Describer: TypeAlias = Callable[[Writer, View, JsonObject], None]

_DESCRIBERS: Final[dict[str, _Describer]] = {
    "Pod": describe_pod,
    "Node": describe_node,
    "Service": describe_service,
    "Deployment": describe_deployment,
    "ReplicaSet": describe_replica_set,
    "StatefulSet": describe_stateful_set,
    "DaemonSet": describe_daemon_set,
    "Job": describe_job,
    "Namespace": describe_namespace,
    "ResourceQuota": describe_quota,
    "LimitRange": describe_limit_range,
    "PodDisruptionBudget": describe_budget,
    "PriorityClass": describe_priority_class,
}
_WITHOUT_EVENTS: Final = frozenset(("Namespace", "ResourceQuota", "LimitRange"))
_FLAGS: Final = (
    Flag("selector", short="l"),
    Flag("all-namespaces", FlagType.SWITCH, short="A"),
    Flag("show-events", FlagType.SWITCH, default=True),
    Flag("chunk-size", FlagType.NUMBER, default=500),
)
_WHAT: Final = (
    'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete '
    "list of supported resources.\n"
)


def describe(view: View, argv: Sequence[str]) -> Output:
    """Return what ``kubectl describe ARGV...`` prints.

    Args:
        view: The objects and the instant.
        argv: The words after ``describe``.
    """
    try:
        arguments = parse_flags("kubectl describe", _FLAGS, argv)
        if not arguments.positional:
            return failed(CommandError(_WHAT))
        found = resolve(view, _query(arguments, arguments.positional))
        missing = bool(found.errors) and isinstance(found.errors[0], ServerError)
        if missing and found.single and len(arguments.positional) == 2:  # noqa: PLR2004 - type and name
            return _by_prefix(view, arguments, found)
        return _all(view, arguments, found)
    except CommandError as error:
        return failed(error)


def _query(arguments: Arguments, words: Sequence[str]) -> Query:
    flags = arguments.flags
    return Query(words, flags["namespace"], flags["all-namespaces"], flags["selector"])


def _all(view: View, arguments: Arguments, found: Found) -> Output:
    """Describe everything that was found; events only when that is one object, unless asked for."""
    objects, flags = found.objects, arguments.flags
    alone = len(objects) <= 1 and not found.errors
    with_events = flags["show-events"] and (alone or "show-events" in arguments.given)
    if not objects and not found.errors:
        place = "" if flags["all-namespaces"] else f" in {flags['namespace']} namespace."
        return Output("", f"No resources found{place}\n", 0)
    texts = [description(view, obj, with_events=with_events) for obj in objects]
    return failed(*found.errors, stdout="\n\n".join(texts))


def _by_prefix(view: View, arguments: Arguments, found: Found) -> Output:
    """Describe the objects whose name begins with what is no name."""
    kind, prefix = arguments.positional
    listed = resolve(view, _query(arguments, [kind]))
    matching = [obj for obj in listed.objects if name_of(obj).startswith(prefix)]
    if not matching:
        return failed(*found.errors)
    with_events = arguments.flags["show-events"] and "show-events" in arguments.given
    return Output(
        "".join(f"{description(view, obj, with_events=with_events)}\n" for obj in matching)
    )


def description(view: View, obj: JsonObject, *, with_events: bool = True) -> str:
    """Return everything about one object."""
    writer = Writer()
    _DESCRIBERS.get(obj["kind"], describe_generic)(writer, view, obj)
    if with_events and obj["kind"] not in _WITHOUT_EVENTS:
        events = events_about(view, obj)
        if obj["kind"] == "Node":  # the kubelet puts the node's name where its UID belongs
            events += events_about(view, obj, uid=name_of(obj))
        describe_events(writer, events, view.now)
    return writer.text()
