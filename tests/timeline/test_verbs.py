"""kubectl on objects: what is chosen, what is refused, and in which words."""

import json
from functools import cache
from typing import Any

import pytest

from gpusched.kubectl.run import run as print_with_kubectl
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.timeline.kubectl import Kubectl
from gpusched.timeline.view import PlaneView
from tests.sim import builders

Json = dict[str, Any]
_APPLIED = (
    "Warning: resource {} was previously managed with 'kubectl apply'. Rolling back will not update"
    " the kubectl.kubernetes.io/last-applied-configuration annotation, which may cause unexpected"
    " behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your"
    " previous configuration file instead.\n"
)
_UNNOTED = (
    "Warning: resource pods/bare is missing the kubectl.kubernetes.io/last-applied-configuration"
    " annotation which is required by kubectl apply. kubectl apply should only be used on resources"
    " created declaratively by either kubectl create --save-config or kubectl apply. The missing"
    " annotation will be patched automatically.\n"
)
_PAUSED = (
    'error: deployments.apps "web" can\'t restart paused deployment (run rollout resume first)\n'
)
WEB = builders.workload("Deployment", "web", 2)
WEB["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] = {builders.GPU: 1}
DB = builders.workload("StatefulSet", "db", 1)
BARE = builders.pod("bare")
MANIFESTS = {"WEB": WEB, "DB": DB, "BARE": BARE, "LATE": builders.pod("late")}
MANIFESTS["TWO"] = builders.workload("StatefulSet", "db", 1, gpus=2)
STORY = [
    ("apply -f - WEB DB", "deployment.apps/web created\nstatefulset.apps/db created\n", ""),
    # The patch is not empty, although it changes nothing: a number becomes a text.
    ("apply -f - WEB", "deployment.apps/web configured\n", ""),
    ("apply -f - BARE", "pod/bare configured\n", _UNNOTED),
    ("apply -f - TWO", "statefulset.apps/db configured\n", ""),
    ("rollout history sts/db", (
        "statefulset.apps/db \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n"
    ), ""),
    ("rollout history job/db", "", 'Error from server (NotFound): jobs.batch "db" not found\n'),
    ("rollout history deploy/web --revision=7", "",
     "error: unable to find the specified revision\n"),
    ("rollout undo sts/db", "statefulset.apps/db rolled back\n",
     _APPLIED.format("statefulsets/db")),
    ("rollout undo sts/db --to-revision=3",
     "statefulset.apps/db skipped rollback (current template already matches revision 3)\n",
     _APPLIED.format("statefulsets/db")),
    ("rollout undo sts/db --to-revision=9", "",
     _APPLIED.format("statefulsets/db")
     + "error: unable to find specified revision 9 in history\n"),
    ("rollout undo deploy/web", "", _APPLIED.format("deployments/web")
     + 'error: no rollout history found for deployment "web"\n'),
    ("rollout pause sts/db", "", 'error: statefulsets.apps "db" pausing is not supported\n'),
    ("rollout resume deploy/web", "", 'error: deployments.apps "web" is not paused\n'),
    ("rollout pause deploy/web deploy/none", "deployment.apps/web paused\n",
     'Error from server (NotFound): deployments.apps "none" not found\n'),
    ("rollout pause deploy/web", "", 'error: deployments.apps "web" is already paused\n'),
    ("rollout restart deploy/web", "", _PAUSED),
    ("rollout resume deploy/web", "deployment.apps/web resumed\n", ""),
    ("scale deploy web --replicas=3 --current-replicas=5", "",
     "error: Expected replicas to be 5, was 2\n"),
    ("scale deploy web --replicas=3 --current-replicas=2", "deployment.apps/web scaled\n", ""),
    ("scale deploy/none sts/db --replicas=2", "statefulset.apps/db scaled\n",
     'Error from server (NotFound): deployments.apps "none" not found\n'),
    ("scale rs -l app=none --replicas=2", "", "error: no objects passed to scale\n"),
    ("label pods -l app=db,app!=web tier=x", "pod/db-0 labeled\npod/db-1 labeled\n", ""),
    ("taint node a k=v:NoSchedule", "node/a tainted\n", ""),
    ("taint node a k=w:NoSchedule --overwrite", "node/a modified\n", ""),
    ("cordon a none", "", 'Error from server (NotFound): nodes "none" not found\n'),
    ("delete pod none --ignore-not-found", "", ""),
    ("delete pod bare none", 'pod "bare" deleted from default namespace\n',
     'Error from server (NotFound): pods "none" not found\n'),
    ("delete deployment,sts --all", (
        'deployment.apps "web" deleted from default namespace\n'
        'statefulset.apps "db" deleted from default namespace\n'
    ), ""),
    ("delete pods -l app=none", "No resources found\n", ""),
    ("delete -f - WEB LATE", "", (
        'Error from server (NotFound): error when deleting "STDIN": deployments.apps "web" not'
        ' found\nError from server (NotFound): error when deleting "STDIN": pods "late" not found\n'
    )),
]  # fmt: skip


def told(plane: ControlPlane, line: str) -> Json:
    words = line.split()
    stdin = "\n---\n".join(json.dumps(MANIFESTS[word]) for word in words if word in MANIFESTS)

    def printer(asked: Any, _: ControlPlane) -> Json:
        output = print_with_kubectl(PlaneView(plane), asked)
        return {"rc": output.exit_status, "stdout": output.stdout, "stderr": output.stderr}

    answers: list[Json] = []
    command = " ".join(word for word in words if word not in MANIFESTS)
    Kubectl(plane, printer).run(command, stdin, answers.append)
    plane.run(plane.loop.now + 2 * SECOND)
    (answer,) = answers
    return answer


@cache
def story() -> tuple[Json, ...]:
    plane = builders.plane(builders.node("a"))
    plane.api.create(BARE)
    return tuple(told(plane, line) for line, *_ in STORY)


@pytest.mark.parametrize(
    "number", [pytest.param(number, id=line) for number, (line, *_) in enumerate(STORY)]
)
def test_a_command_says_what_it_has_done(number: int) -> None:
    _, stdout, stderr = STORY[number]
    failed = "rror" in stderr
    assert story()[number] == {"rc": int(failed), "stdout": stdout, "stderr": stderr}


def test_deleting_waits_until_an_object_has_gone() -> None:
    plane = builders.plane(builders.node("a"))
    held = builders.workload("Deployment", "held", 1)
    held["metadata"]["finalizers"] = ["example.com/held"]
    plane.api.create(held)
    plane.run(SECOND)
    answers: list[Json] = []
    kubectl = Kubectl(plane)
    for wait in ("false", "true"):
        kubectl.run(f"delete deploy held --wait={wait}", "", answers.append)
    plane.run(9 * SECOND)
    assert len(answers) == 1
    unheld = {"metadata": {"finalizers": None}}
    plane.api.patch("Deployment", ("default", "held"), unheld, "merge")
    plane.run(10 * SECOND)
    assert len(answers) == 2
