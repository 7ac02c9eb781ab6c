"""A kubectl command line, from its first word to its outcome."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from gpusched.kubectl.describe import describe
from gpusched.kubectl.events import events
from gpusched.kubectl.get import get
from gpusched.kubectl.go_format import quote
from gpusched.kubectl.output import CommandError, Output, failed
from gpusched.kubectl.resources import short_name_warning
from gpusched.kubectl.rollout_history import rollout_history
from gpusched.kubectl.rollout_status import rollout_status
from gpusched.kubectl.view import View
from gpusched.kubectl.watching import watch_events, watch_get

_Command: TypeAlias = Callable[[View, Sequence[str]], Output]


def _top(view: View, argv: Sequence[str]) -> Output:
    """Answer ``kubectl top`` as a cluster without a metrics server does."""
    del view, argv
    return failed(CommandError("Metrics API not available"))


_COMMANDS: Final[dict[tuple[str, ...], _Command]] = {
    ("get",): get,
    ("describe",): describe,
    ("events",): events,
    ("rollout", "history"): rollout_history,
    ("rollout", "status"): rollout_status,
    ("top", "nodes"): _top,
    ("top", "node"): _top,
    ("top", "pods"): _top,
    ("top", "pod"): _top,
}


def run(view: View, argv: Sequence[str]) -> Output:
    """Return what a kubectl command prints about ``view``.

    Args:
        view: The objects and the instant.
        argv: The words of the command, with or without ``kubectl`` in front.
    """
    words = list(argv[1:] if argv[:1] == ["kubectl"] else argv)
    for names, command in _COMMANDS.items():
        if tuple(words[: len(names)]) == names:
            rest = words[len(names) :]
            types = next((word for word in rest if not word.startswith("-")), "")
            return command(view, rest).warned(short_name_warning(types.partition("/")[0]))
    first = words[0] if words else ""
    return failed(CommandError(f'unknown command {quote(first)} for "kubectl"'))


def watch(views: Iterable[View], argv: Sequence[str]) -> Iterator[Output]:
    """Yield what ``kubectl get -w`` or ``kubectl events -w`` prints as views follow one another.

    Args:
        views: The states of the cluster, oldest first; at least one.
        argv: The words of the command, with or without ``kubectl`` in front.
    """
    words = list(argv[1:] if argv[:1] == ["kubectl"] else argv)
    if words[:1] == ["get"]:
        return watch_get(views, words[1:])
    if words[:1] == ["events"]:
        return watch_events(views, words[1:])
    return iter(
        [failed(CommandError(f"unknown command {quote(' '.join(words[:1]))} for watching"))]
    )
