"""kubectl's words and exit statuses, held against kubectl 1.36.1 on a cluster of two bare nodes.

The commands of the recording are run in its order: some leave labels behind.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.timeline.kubectl import Kubectl
from gpusched.timeline.refusals import ROLLOUT_HELP

Json = dict[str, Any]
RECORDED: Final = Path(__file__).parents[1] / "golden" / "kubectl" / "words.txt"
_BLOCK = re.compile(r"### (.*?)\n(.*?)rc=(\d+)\n--- stderr\n(.*?)--- end\n", re.DOTALL)
COMMANDS: Final = [
    (found[1], {"rc": int(found[3]), "stdout": found[2], "stderr": found[4]})
    for found in _BLOCK.finditer(RECORDED.read_text("utf-8"))
]


def answers_of(plane: ControlPlane, line: str) -> Json:
    answers: list[Json] = []
    Kubectl(plane).run(line, "", answers.append)
    plane.run(plane.loop.now + SECOND)
    (answer,) = answers
    return answer


@cache
def answers() -> tuple[Json, ...]:
    plane = ControlPlane()
    for name in ("n1", "n2"):
        plane.api.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
    return tuple(answers_of(plane, line) for line, _ in COMMANDS)


@pytest.mark.parametrize(
    "number", [pytest.param(number, id=line) for number, (line, _) in enumerate(COMMANDS)]
)
def test_kubectl_says_what_it_says(number: int) -> None:
    assert answers()[number] == COMMANDS[number][1]


def test_rollout_alone_prints_its_help() -> None:
    assert answers_of(ControlPlane(), "rollout") == {"rc": 0, "stdout": ROLLOUT_HELP, "stderr": ""}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "label node n1 a=b n2",
            "error: all resources must be specified before label changes: n2\n",
        ),
        (
            "taint pod x a=b:NoSchedule",
            "error: invalid resource type pod, only node types are supported\n",
        ),
    ],
)
def test_kubectl_refuses(line: str, message: str) -> None:
    assert answers_of(ControlPlane(), line) == {"rc": 1, "stdout": "", "stderr": message}
