"""``kubectl drain``: cordon nodes, then clear one after the other.

Source: kubernetes/kubectl pkg/cmd/drain/drain.go, v0.36.1
"""

from gpusched.controllers.protocol import ApiError
from gpusched.sim.control_plane import ControlPlane
from gpusched.timeline.answers import Answer, Work, failed, node_names, server_error
from gpusched.timeline.arguments import Arguments
from gpusched.timeline.drain_pods import choose
from gpusched.timeline.eviction import Eviction
from gpusched.timeline.node_verbs import cordon


def drain(plane: ControlPlane, given: Arguments, answer: Answer) -> Work:
    """Cordon nodes and begin to clear the first; ``answer`` is told the end."""
    try:
        cordoned = yield from cordon(plane, given, desired=True)
    except ApiError as refusal:
        answer(failed(server_error(refusal)))
        return {}
    Drain(plane, given, answer, cordoned["stdout"]).begin()
    return {}


class Drain:
    """One drain under way.

    Args:
        plane: The control plane.
        given: The command's words and flags.
        answer: Whom to tell the end.
        said: What the command has printed so far.
    """

    def __init__(self, plane: ControlPlane, given: Arguments, answer: Answer, said: str) -> None:
        self._plane = plane
        self._given = given
        self._answer = answer
        self._texts = {"stdout": [said], "stderr": list[str]()}
        self._nodes = node_names(given)
        self._failed: dict[str, list[str]] = {}

    def begin(self) -> None:
        """Clear the first of the nodes that are left, or end."""
        if not self._nodes:
            self._finish()
            return
        node = self._nodes.pop(0)
        chosen = choose(self._plane, node, self._given)
        if chosen.problems:
            self._cleared(node, list(chosen.problems))
            return
        if chosen.warnings:
            self._say(f"Warning: {chosen.warnings}\n", "stderr")

        def ended(problems: list[str]) -> None:
            if problems:
                self._list_pending(node, problems)
            self._cleared(node, problems)

        eviction = Eviction(self._plane, self._given, node, self._say, ended)
        eviction.begin(chosen.pods, deleting=self._given.switch("disable-eviction"))

    def _say(self, text: str, where: str) -> None:
        self._texts[where].append(text)

    def _list_pending(self, node: str, problems: list[str]) -> None:
        pods = choose(self._plane, node, self._given).pods
        if pods:
            what = f'There are pending pods in node "{node}" when an error occurred'
            self._say(f"{what}: {_aggregate(problems)}\n", "stderr")
        for pod in pods:
            self._say(f"pod/{pod.name}\n", "stderr")

    def _cleared(self, node: str, problems: list[str]) -> None:
        if problems:
            self._failed[node] = problems
            why = f'unable to drain node "{node}" due to error: {_aggregate(problems)}'
            self._say(f"error: {why}, continuing command...\n", "stderr")
        else:
            self._say(f"node/{node} drained\n", "stdout")
        self.begin()

    def _finish(self) -> None:
        if self._failed:
            nodes = "".join(f" {node}\n" for node in self._failed)
            self._say(f"There are pending nodes to be drained:\n{nodes}", "stderr")
            lists = list(self._failed.values())
            # kubectl takes a list of one apart, and a list in a list not.
            lines = lists[0] if len(lists) == 1 else [_aggregate(problems) for problems in lists]
            self._say("".join(f"{line}\n" for line in lines), "stderr")
        texts = {where: "".join(parts) for where, parts in self._texts.items()}
        self._answer({"rc": 1 if self._failed else 0, **texts})


def _aggregate(problems: list[str]) -> str:
    """Return several errors as one text.

    Source: k8s.io/apimachinery pkg/util/errors (aggregate.Error), v0.36.1
    """
    different = list(dict.fromkeys(problems))
    return different[0] if len(different) == 1 else f"[{', '.join(different)}]"
