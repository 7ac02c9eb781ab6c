"""``kubectl rollout history``: the revisions of a Deployment, DaemonSet or StatefulSet.

Source: kubernetes/kubectl pkg/cmd/rollout/rollout_history.go and
pkg/polymorphichelpers/history.go, v0.36.1
"""

from collections.abc import Mapping, Sequence
from typing import Final

from gpusched.kubectl.describe.pod import describe_template
from gpusched.kubectl.describe.rollout import replica_sets_of
from gpusched.kubectl.describe.writer import Writer
from gpusched.kubectl.fields import (
    JsonObject,
    controller_of,
    mapping,
    name_of,
    namespace_of,
    number,
    text,
)
from gpusched.kubectl.flags import Arguments, Flag, FlagType, parse_flags
from gpusched.kubectl.go_format import quote
from gpusched.kubectl.lookup import Query, resolve
from gpusched.kubectl.output import CommandError, Output, failed
from gpusched.kubectl.tabwriter import describe_writer
from gpusched.kubectl.view import View, listing

_FLAGS: Final = (Flag("revision", FlagType.NUMBER), Flag("selector", short="l"))
_REVISION: Final = "deployment.kubernetes.io/revision"
_CAUSE: Final = "kubernetes.io/change-cause"


def rollout_history(view: View, argv: Sequence[str]) -> Output:
    """Return what ``kubectl rollout history ARGV...`` prints.

    Args:
        view: The objects and the instant.
        argv: The words after ``rollout history``.
    """
    try:
        arguments = parse_flags("kubectl rollout history", _FLAGS, argv)
        flags = arguments.flags
        _check(arguments)
        query = Query(arguments.positional, flags["namespace"], labels=flags["selector"])
        found = resolve(view, query)
    except CommandError as error:
        return failed(error)
    printed, errors = "", list(found.errors)
    for group in found.groups:
        for obj in group.objects:
            try:
                told = _told(view, obj, flags["revision"])
            except CommandError as error:
                errors.append(error)
                continue
            printed += f"{group.resource.prefix}/{name_of(obj)} {told}\n"
    return failed(*errors, stdout=printed)


def _check(arguments: Arguments) -> None:
    if not arguments.positional:
        raise CommandError("required resource not specified")
    if arguments.flags["revision"] < 0:
        wrong = f"revision must be a positive integer: {arguments.flags['revision']}"
        raise CommandError(wrong)


def _told(view: View, obj: JsonObject, revision: int) -> str:
    """Return the history of one object, or what one of its revisions is like."""
    history = _revisions(view, obj)
    if not history:
        return "\nNo rollout history found."
    if not revision:
        rows = (f"{number}\t{_cause(history[number])}\n" for number in sorted(history))
        return "\n" + describe_writer().align("REVISION\tCHANGE-CAUSE\n" + "".join(rows))
    if revision not in history:
        raise CommandError("unable to find the specified revision")
    writer = Writer()
    describe_template(writer, _template(history[revision]))
    return f"with revision #{revision}\n{writer.raw()}"


def _revisions(view: View, obj: JsonObject) -> Mapping[int, JsonObject]:
    if obj["kind"] == "Deployment":
        old, current = replica_sets_of(view, obj)
        noted = ((text(one, "metadata", "annotations", _REVISION), one) for one in old + current)
        return {int(revision): one for revision, one in noted if revision}
    if obj["kind"] not in ("DaemonSet", "StatefulSet"):
        group = obj["apiVersion"].rpartition("/")[0]
        kind = f"{obj['kind']}.{group}" if group else obj["kind"]
        raise CommandError(f"no history viewer has been implemented for {quote(kind)}")
    uid = text(obj, "metadata", "uid")
    revisions = listing(view, "ControllerRevision", namespace_of(obj))
    return {
        number(one, "revision"): one for one in revisions if text(controller_of(one), "uid") == uid
    }


def _cause(revision: JsonObject) -> str:
    return text(revision, "metadata", "annotations", _CAUSE) or "<none>"


def _template(revision: JsonObject) -> JsonObject:
    """Return the pod template that a ReplicaSet or a ControllerRevision keeps."""
    holder = revision if revision["kind"] == "ReplicaSet" else mapping(revision, "data")
    return mapping(holder, "spec", "template")
