"""What an action asks of a world, and what is reported of the answer."""

from types import SimpleNamespace
from typing import Any

import pytest

from gpusched.api.scenario import (
    Apply,
    Cordon,
    Create,
    Delete,
    Drain,
    Kubectl,
    KwokStart,
    KwokStop,
    Label,
    Patch,
    Scale,
    Taint,
    Uncordon,
)
from gpusched.controllers.protocol import ApiError, Key
from gpusched.run.acting import Actor
from gpusched.timeline.answers import Answer


class Scribe:
    """A world that writes down what it is asked; nothing called "missing" is there."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def create(self, obj: dict[str, Any]) -> None:
        self._note(
            "create", (obj["kind"], obj["metadata"].get("namespace")), obj["metadata"]["name"]
        )

    def apply(self, obj: dict[str, Any]) -> str:
        self._note(
            "apply", (obj["kind"], obj["metadata"].get("namespace")), obj["metadata"]["name"]
        )
        return "configured"

    def delete(self, kind: str, key: Key, grace: int | None, policy: str) -> None:
        self._note("delete", (kind, *key, grace, policy), key[1])

    def patch(self, kind: str, key: Key, patch: Any, form: str, subresource: str) -> None:
        self._note("patch", (kind, *key, patch, form, subresource), key[1])

    def kubectl(self, line: str, stdin: str, answer: Answer) -> None:
        self._note("kubectl", (line, stdin), "")
        wrong = "missing" in line
        answer({"rc": int(wrong), "stdout": "one\ntwo\n", "stderr": "no\n" if wrong else "well\n"})

    def start_kwok(self, name: str) -> None:
        self._note("start kwok", (name,), name)

    def stop_kwok(self, name: str) -> None:
        self._note("stop kwok", (name,), name)

    def _note(self, verb: str, what: tuple[Any, ...], name: str) -> None:
        self.asked.append((verb, *what))
        if name == "missing":
            raise ApiError(404, "NotFound", "it is not there")


def manifests(*names: str) -> tuple[Any, ...]:
    objects = [(kind, {"name": name}) for kind, _, name in (each.partition(" ") for each in names)]
    return tuple(SimpleNamespace(object={"kind": k, "metadata": meta}) for k, meta in objects)


def played(action: object) -> tuple[list[tuple[Any, ...]], list[tuple[str, bool]]]:
    world, told = Scribe(), list[tuple[str, bool]]()
    Actor(world, lambda text, refused: told.append((text, refused))).carry_out(action)
    return world.asked, told


ANSWER = [("one", False), ("two", False), ("well", False)]
DRAINING = (
    "drain a --ignore-daemonsets=true --delete-emptydir-data=true --force=false --grace-period=0"
)
REFUSED = [("Error from server (NotFound): it is not there", True)]
ACTIONS = [
    pytest.param(
        Create(manifests("Pod a", "Pod missing", "Node b")),
        [("create", "Pod", "default"), ("create", "Pod", "default"), ("create", "Node", None)],
        [
            ("pod/a created", False),
            ("pod/missing: it is not there", True),
            ("node/b created", False),
        ],
        id="one refused manifest does not stop the next",
    ),
    pytest.param(
        Apply(manifests("Pod a")),
        [("apply", "Pod", "default")],
        [("pod/a configured", False)],
        id="apply tells what the world says",
    ),
    pytest.param(
        Delete(kind="deploy", name="a"),
        [("delete", "Deployment", "default", "a", None, "Background")],
        [('deployment.apps "a" deleted', False)],
        id="deletion is in the background unless it says otherwise",
    ),
    pytest.param(
        Delete(kind="Node", name="missing", propagation_policy="Orphan", grace_period_seconds=1),
        [("delete", "Node", "", "missing", 1, "Orphan")],
        REFUSED,
        id="a refusal is told in kubectl's words",
    ),
    pytest.param(
        Delete(kind="thing", name="a"),
        [],
        [
            (
                'Error from server (NotFound): the server doesn\'t have a resource type "thing"',
                True,
            )
        ],
        id="an unknown kind is refused before the world is asked",
    ),
    pytest.param(
        Scale(kind="Deployment", name="a", namespace="n", replicas=3),
        [("patch", "Deployment", "n", "a", {"spec": {"replicas": 3}}, "merge", "scale")],
        [("deployment.apps/a scaled", False)],
        id="scaling patches a subresource",
    ),
    pytest.param(
        Patch(kind="Node", name="a", patch={"spec": {}}, type="merge", subresource="status"),
        [("patch", "Node", "", "a", {"spec": {}}, "merge", "status")],
        [("node/a patched", False)],
        id="a patch is handed on",
    ),
    pytest.param(Cordon(nodes=["a", "b"]), [("kubectl", "cordon a b", "")], ANSWER, id="cordon"),
    pytest.param(Uncordon(nodes=["a"]), [("kubectl", "uncordon a", "")], ANSWER, id="uncordon"),
    pytest.param(
        Drain(nodes=["a"], grace_period_seconds=0),
        [("kubectl", DRAINING, "")],
        ANSWER,
        id="drain",
    ),
    pytest.param(
        Taint(nodes=["a"], taints=["k=v:NoSchedule"], overwrite=True),
        [("kubectl", "taint nodes a k=v:NoSchedule --overwrite", "")],
        ANSWER,
        id="taint",
    ),
    pytest.param(
        Label(kind="pod", names=["a"], labels={"x": "1", "y": None}, namespace="n"),
        [("kubectl", "label pod a x=1 y- --overwrite -n n", "")],
        ANSWER,
        id="label",
    ),
    pytest.param(
        Kubectl("get missing", "text"),
        [("kubectl", "get missing", "text")],
        [("one", False), ("two", False), ("no", True)],
        id="kubectl's errors are refusals if it fails",
    ),
    pytest.param(KwokStop("k"), [("stop kwok", "k")], [], id="KWOK stops"),
    pytest.param(KwokStart("missing"), [("start kwok", "missing")], REFUSED, id="KWOK is missing"),
]


@pytest.mark.parametrize(("action", "asked", "told"), ACTIONS)
def test_an_action_is_carried_out(
    action: object, asked: list[tuple[Any, ...]], told: list[tuple[str, bool]]
) -> None:
    assert played(action) == (asked, told)
