"""Which pods are one shape to the scheduler, and which are kin."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from gpusched.api.config import ExtensionPoint, load_configuration
from gpusched.api.meta import wire_name
from gpusched.api.pods import Container, PodSpec
from gpusched.cluster.nodes import Nodes
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.resources import ResourceNames
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.status import Rejection
from gpusched.kube.plugins import IN_TREE
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.pod import Json, PodTemplate
from gpusched.sim.scheduler import SchedulerOptions
from gpusched.sim.scheduler.loop import Scheduler
from gpusched.sim.scheduler.shapes import UNREAD_OF_CONTAINERS, UNREAD_OF_PODS, Shapes
from gpusched.sim.scheduler.starting import start_scheduler
from tests.sim.builders import node

SPEC: Json = {
    "schedulerName": "default-scheduler",
    "containers": [{"name": "c", "image": "x", "resources": {"requests": {"cpu": "1"}}}],
}
OWNER = {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u", "controller": True}


def template(labels: Json | None = None, owner: Json | None = None, **spec: Any) -> PodTemplate:
    meta = {"labels": labels or {"app": "a"}, "ownerReferences": [owner] if owner else []}
    return PodTemplate("default", meta, {**deepcopy(SPEC), **spec})


def with_container(**parts: Any) -> PodTemplate:
    return template(containers=[{**SPEC["containers"][0], **parts}])


def shapes(*, whole: bool = False) -> Shapes:
    return Shapes(ResourceNames(), whole=whole)


UNREAD = {
    "command": with_container(command=["train", "--index", "1"]),
    "args": with_container(args=["1"]),
    "variables": with_container(env=[{"name": "INDEX", "value": "1"}]),
    "variables from elsewhere": with_container(
        env=[{"name": "I", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    ),
    "pull policy": with_container(imagePullPolicy="Always"),
    "resize policy": with_container(resizePolicy=[{"resourceName": "cpu"}]),
    "mounts": with_container(volumeMounts=[{"name": "v", "mountPath": "/v"}]),
    "probes": with_container(readinessProbe={"tcpSocket": {"port": 80}}),
    "hostname": template(hostname="h-1"),
    "subdomain": template(subdomain="s"),
    "service account": template(serviceAccountName="s"),
    "deadline": template(activeDeadlineSeconds=5),
    "grace": template(terminationGracePeriodSeconds=5),
}
READ = {
    "image": with_container(image="y"),
    "name": with_container(name="d"),
    "requests": with_container(resources={"requests": {"cpu": "2"}}),
    "ports": with_container(ports=[{"containerPort": 1, "hostPort": 1}]),
    "init containers": template(initContainers=[{"name": "i", "image": "x"}]),
    "node selector": template(nodeSelector={"a": "b"}),
    "tolerations": template(tolerations=[{"operator": "Exists"}]),
    "priority": template(priority=7),
    "volumes": template(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]),
    "node": template(nodeName="n"),
}


@pytest.mark.parametrize("other", UNREAD.values(), ids=UNREAD.keys())
def test_what_nobody_reads_parts_no_pods(other: PodTemplate) -> None:
    known = shapes()
    assert known.of(template()) is known.of(other)


@pytest.mark.parametrize("other", READ.values(), ids=READ.keys())
def test_what_somebody_reads_parts_pods(other: PodTemplate) -> None:
    known = shapes()
    first, second = known.of(template()), known.of(other)
    assert first is not second
    assert first.kin is not second.kin


def test_every_field_that_is_left_out_is_among_those_that_part_nobody() -> None:
    """A field that is new in the models is read unless it is named here and there."""
    left_out = {"command", "args", "env", "imagePullPolicy", "resizePolicy", "volumeMounts"}
    assert {wire_name(name) for name in UNREAD_OF_CONTAINERS} == left_out
    assert Container.model_fields.keys() > UNREAD_OF_CONTAINERS
    left_out = {
        "hostname", "serviceAccountName", "activeDeadlineSeconds", "terminationGracePeriodSeconds",
    }  # fmt: skip
    assert {wire_name(name) for name in UNREAD_OF_PODS} == left_out
    assert PodSpec.model_fields.keys() > UNREAD_OF_PODS


def test_no_shape_shows_what_is_left_out_of_it() -> None:
    """Or it would show what the first pod said to all others."""
    spec = shapes().of(UNREAD["command"]).spec
    assert spec.containers[0].command == ()
    assert shapes().of(UNREAD["hostname"]).spec.hostname == ""


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(template({"app": "a", "index": "1"}), id="labels"),
        pytest.param(template(owner=OWNER), id="owner"),
    ],
)
def test_pods_with_other_labels_or_owners_are_kin(other: PodTemplate) -> None:
    known = shapes()
    first, second = known.of(template()), known.of(other)
    assert first is not second
    assert first.kin is second.kin
    assert second.requests is first.requests
    assert (second.labels, second.owner) == (other.labels, known.of(other).owner)
    assert first.memo("own", lambda _shape: 1) != second.memo("own", lambda _shape: 2)


def test_owners_part_shapes_by_name() -> None:
    known = shapes()
    names = [known.of(template(owner={**OWNER, "name": name})).owner for name in ("j", "k")]
    assert [owner.name for owner in names if owner] == ["j", "k"]


def test_namespaces_part_everything() -> None:
    known = shapes()
    here, there = known.of(template()), known.of(PodTemplate("there", {}, SPEC))
    assert here.kin is not there.kin
    assert there.namespace == "there"


def test_whoever_may_read_all_is_shown_all() -> None:
    known = shapes(whole=True)
    plain, other = known.of(template()), known.of(UNREAD["command"])
    assert plain is not other
    assert other.spec.containers[0].command == ("train", "--index", "1")
    assert known.of(template()) is plain
    assert known.of(template({"app": "b"})).kin is not plain.kin


# Whole runs.


class OnlyEven:
    """A user's own filter that reads the command."""

    name = "OnlyEven"

    def filter(self, _state: CycleState, pod: PodInfo, nodes: Nodes) -> Sequence[Rejection]:
        index = int(pod.shape.spec.containers[0].command[-1])
        return [Rejection("odd", np.full(len(nodes), bool(index % 2)))]


def cluster(profile: str = "", **options: Any) -> tuple[ControlPlane, Scheduler]:
    plane = ControlPlane(0)
    head = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
    points = {"OnlyEven": frozenset({ExtensionPoint.FILTER})}
    configuration = load_configuration(head + profile, points)
    scheduler = start_scheduler(plane, configuration, SchedulerOptions(**options))
    plane.start_controllers(0)
    plane.start_kwok(args=["--manage-all-nodes=true"])
    for number in range(12):
        plane.api.create(node(f"n{number}", 1000))
    plane.run(1_000_000)
    return plane, scheduler


def post(plane: ControlPlane, count: int, *, labelled: bool = False) -> None:
    for index in range(count):
        container = {"name": "c", "image": "x", "command": ["train", "--index", str(index)]}
        labels = {"index": str(index)} if labelled else {}
        metadata = {"name": f"p-{index}", "namespace": "default", "labels": labels}
        spec = {"containers": [container]}
        plane.api.post({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


@pytest.mark.parametrize("labelled", [False, True])
def test_forty_indexed_pods_cost_one_look_at_all_nodes(labelled: bool) -> None:
    """Each asks about node states beside, not about nodes."""
    plane, scheduler = cluster()
    post(plane, 40, labelled=labelled)
    plane.run(2_000_000)
    assert scheduler.engine.statistics.attempts == {"fast": 40}
    assert scheduler.engine.statistics.evaluations <= 12 + 2 * 40
    assert all(pod.node for pod in plane.store.pods())


def test_a_plugin_of_the_user_reads_the_command_of_each_pod() -> None:
    profile = "profiles: [{plugins: {filter: {enabled: [{name: OnlyEven}]}}}]"
    registry = {**IN_TREE, "OnlyEven": lambda _arguments, _handle: OnlyEven()}
    plane, _ = cluster(profile, registry=registry, engine="verify")
    post(plane, 10)
    plane.run(2_000_000)
    placed = {pod.name: bool(pod.node) for pod in plane.store.pods()}
    assert placed == {f"p-{index}": index % 2 == 0 for index in range(10)}
