"""kubectl as the recordings use it, with its words and its exit statuses.

What only prints (get, describe) is asked of a printer that a caller may give.

Source: kubernetes/kubectl pkg/cmd, v0.36.1
"""

import shlex
from collections.abc import Callable, Mapping, Sequence

from gpusched.controllers.protocol import ApiError, Json
from gpusched.sim.control_plane import ControlPlane
from gpusched.timeline import object_verbs
from gpusched.timeline.answers import Answer, Work, failed, said, server_error
from gpusched.timeline.arguments import Arguments, UsageError, parse_arguments
from gpusched.timeline.drain import drain
from gpusched.timeline.node_verbs import cordon, label, taint
from gpusched.timeline.refusals import ROLLOUT_HELP, refusal
from gpusched.timeline.rollouts import rollout

Printer = Callable[[Sequence[str], ControlPlane], Json]
"""Answers a command that only prints."""
_VERSION = "Client Version: v1.36.1\nKustomize Version: v5.8.1\n"
_PRINTED_ROLLOUTS = ("status", "history")
_VERBS: Mapping[str, Callable[[ControlPlane, Arguments], Work]] = {
    "apply": object_verbs.apply,
    "create": object_verbs.create,
    "delete": object_verbs.delete,
    "scale": object_verbs.scale,
    "cordon": lambda plane, given: cordon(plane, given, desired=True),
    "uncordon": lambda plane, given: cordon(plane, given, desired=False),
    "taint": taint,
    "label": label,
    "rollout": rollout,
}


def no_printer(words: Sequence[str], plane: ControlPlane) -> Json:
    """Answer what is only printed with nothing."""
    del words, plane
    return said("")


class Kubectl:
    """kubectl.

    Args:
        plane: The control plane that it talks to.
        printer: Answers get, describe and whatever else only prints.
    """

    def __init__(self, plane: ControlPlane, printer: Printer = no_printer) -> None:
        self._plane = plane
        self._printer = printer

    def run(self, line: str, stdin: str, answer: Answer) -> None:
        """Run a command line; ``answer`` is told exit status and texts when it is through."""
        verb, *rest = words = shlex.split(line) or ["help"]
        given = parse_arguments(rest, stdin)
        if verb == "version":
            answer(said(_VERSION))
        elif verb == "rollout" and not given.words:
            answer(said(ROLLOUT_HELP))
        elif problem := refusal(verb, given):
            answer(failed(problem))
        elif verb == "drain":
            self._advance(drain(self._plane, given, answer), lambda _: None)
        elif verb in _VERBS and given.words[:1] not in [(word,) for word in _PRINTED_ROLLOUTS]:
            self._advance(_VERBS[verb](self._plane, given), answer)
        else:
            answer(self._printer(words, self._plane))

    def _advance(self, work: Work, answer: Answer) -> None:
        """Let a command go on until its next request is through."""
        try:
            pause = next(work)
        except StopIteration as stop:
            answer(stop.value)
        except ApiError as refusal:
            answer(failed(server_error(refusal)))
        except UsageError as error:
            answer(failed(str(error)))
        else:
            loop = self._plane.loop
            pause = self._plane.latency.user if pause is None else pause
            loop.at(loop.now + pause, self._advance, work, answer)
