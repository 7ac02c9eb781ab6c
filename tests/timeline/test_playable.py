"""Which kubectl command lines a scenario may have, and what is said of the others."""

import pytest

from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.pod import Json
from gpusched.timeline.kubectl import Kubectl
from gpusched.timeline.playable import HEEDED, why_unplayable


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("apply -n team -f -", id="manifests from standard input"),
        pytest.param("drain a b --ignore-daemonsets --force --timeout=2m", id="flags it heeds"),
        pytest.param("delete pod a --grace-period=0 --force -n x", id="short flags"),
        pytest.param("taint nodes a gpu=bad:NoExecute-", id="a change that ends in a dash"),
        pytest.param("get pods --watch -o nonsense", id="what only prints changes nothing"),
        pytest.param("rollout status deploy/web --timeout=5s", id="a rollout's status, too"),
        pytest.param("rollout undo deploy/web --to-revision=2", id="going back"),
        pytest.param("", id="nothing at all prints help"),
    ],
)
def test_what_can_be_played(line: str) -> None:
    assert why_unplayable(line) == ""


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param(
            "frobnicate x",
            f"kubectl frobnicate is not simulated; known are {', '.join(HEEDED)}",
            id="a command that nobody knows",
        ),
        pytest.param(
            "set image deploy/x a=b",
            "kubectl set is not simulated; use a patch step",
            id="a command that a step can do",
        ),
        pytest.param(
            "create namespace x",
            "kubectl create namespace is not simulated; use an apply step with its manifest",
            id="an object without a manifest",
        ),
        pytest.param(
            "cordon a --dry-run=client",
            "the flag --dry-run of kubectl cordon is not simulated; it heeds none",
            id="a dry run, which would be carried out",
        ),
        pytest.param(
            "label node --field-selector metadata.name=a b=c",
            "the flag --field-selector of kubectl label is not simulated; "
            "it heeds --all, --namespace, --overwrite, --selector",
            id="a selector, which would be a name",
        ),
        pytest.param(
            "apply -f pods.yaml",
            "kubectl apply -f pods.yaml reads no file; use a step apply: pods.yaml",
            id="a file, which a step reads",
        ),
        pytest.param(
            "cordon 'a", "cannot be split into words: no closing quotation", id="an open quote"
        ),
    ],
)
def test_what_cannot_be_played_is_told_with_a_remedy(line: str, why: str) -> None:
    assert why_unplayable(line) == why


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(
            "scale deploy x --replicas=abc",
            'error: invalid argument "abc" for "--replicas" flag: '
            'strconv.ParseInt: parsing "abc": invalid syntax\n'
            "See 'kubectl scale --help' for usage.\n",
            id="a number that is none",
        ),
        pytest.param(
            "scale deploy x --replicas=-1",
            "error: The --replicas=COUNT flag is required, "
            "and COUNT must be greater than or equal to 0\n",
            id="fewer than none",
        ),
        pytest.param(
            "scale deploy x --replicas",
            "error: flag needs an argument: --replicas\nSee 'kubectl scale --help' for usage.\n",
            id="a number that is missing",
        ),
        pytest.param(
            "rollout undo deploy/x --to-revision=abc",
            'error: invalid argument "abc" for "--to-revision" flag: '
            'strconv.ParseInt: parsing "abc": invalid syntax\n'
            "See 'kubectl rollout undo --help' for usage.\n",
            id="a revision that is none",
        ),
        pytest.param(
            "drain n1 --timeout=abc",
            'error: invalid argument "abc" for "--timeout" flag: time: invalid duration "abc"\n'
            "See 'kubectl drain --help' for usage.\n",
            id="a time that is none",
        ),
        pytest.param(
            "delete pod x --cascade=foo",
            'error: invalid cascade value (foo). Must be "background", "foreground", or "orphan"\n',
            id="an unknown cascade",
        ),
        pytest.param(
            "delete ns kube-system",
            'Error from server (Forbidden): namespaces "kube-system" is forbidden: '
            "this namespace may not be deleted\n",
            id="a namespace that Kubernetes needs",
        ),
    ],
)
def test_kubectl_refuses_a_bad_value(line: str, message: str) -> None:
    answers: list[Json] = []
    Kubectl(ControlPlane()).run(line, "", answers.append)
    assert answers == [{"rc": 1, "stdout": "", "stderr": message}]


def test_a_drain_waits_for_minutes_and_gives_the_grace_that_it_was_told() -> None:
    plane = ControlPlane()
    plane.api.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}})
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}]},
    }
    plane.api.create(pod)
    Kubectl(plane).run("drain n1 --force --grace-period=7 --timeout=2m", "", lambda _: None)
    plane.run(1)
    found = plane.store.pod("default", "p")
    assert found is not None
    assert found.grace == 7
