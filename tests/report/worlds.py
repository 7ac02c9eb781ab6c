"""Runs small enough to be worked out by hand, and a busier one for pictures and pages."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from gpusched.api.scenario import load_scenario
from gpusched.run.playing import play
from gpusched.run.record import RunRecord
from gpusched.run.recording import record_of
from gpusched.sim.calendar import EPOCH, SECOND
from gpusched.sim.event_log import EventRecord
from gpusched.sim.journal import Row, What
from gpusched.sim.pod import Condition, Pod, PodTemplate

ROOT = Path(__file__).parents[2]
SHORT = "0/250 nodes are available: 250 Insufficient nvidia.com/gpu."

NODE = """
apiVersion: v1
kind: Node
metadata: {{name: {name}, labels: {{gpu-pool: {pool}}}, annotations: {{kwok.x-k8s.io/node: fake}}}}
status:
  capacity: {{cpu: "32", memory: 64Gi, pods: "110", nvidia.com/gpu: "{gpus}"}}
  allocatable: {{cpu: "32", memory: 64Gi, pods: "110", nvidia.com/gpu: "{gpus}"}}
"""
POD = """
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: {namespace}
  annotations: {{pod-complete.stage.kwok.x-k8s.io/delay: {runs}}}
spec:
  containers: [{{name: main, image: cuda, resources: {{limits: {{nvidia.com/gpu: {gpus}}}}}}}]
"""
TWO_NODES = """
apiVersion: gpusched.dev/v1alpha1
kind: Scenario
metadata: {name: two-nodes}
spec:
  fleet: fleet.yaml
  setup:
    - {apiVersion: v1, kind: Namespace, metadata: {name: left}}
    - {apiVersion: v1, kind: Namespace, metadata: {name: right}}
  steps:
    - {at: 0s, create: first.yaml}
    - {at: 2s, create: second.yaml}
  until: 20s
"""


@cache
def two_nodes() -> RunRecord:
    """Two nodes of four GPUs; two pods take three each for 10 s, a third wants two from t = 2 s.

    The third fits nowhere before t = 10 s, although two GPUs are free, and runs for 5 s then.
    """
    files = {
        "scenario.yaml": TWO_NODES,
        "fleet.yaml": "---".join(
            NODE.format(name=f"node-{n}", pool=f"pool-{n}", gpus=4) for n in "ab"
        ),
        "first.yaml": "---".join(
            POD.format(name=f"big-{n}", namespace="left", runs="10s", gpus=3) for n in (0, 1)
        ),
        "second.yaml": POD.format(name="small", namespace="right", runs="5s", gpus=2),
    }
    with TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return record_of(play(load_scenario(Path(folder) / "scenario.yaml")))


@cache
def nothing() -> RunRecord:
    """A run without nodes, pods or time."""
    return RunRecord("nothing", seed=1, ended=0, epoch=EPOCH, rows=[])


@cache
def scenario_run(path: str) -> RunRecord:
    """The run of a scenario of the repository."""
    return record_of(play(load_scenario(ROOT / path)))


def queue_pressure() -> RunRecord:
    """The lesson: forty pods for 32 GPUs."""
    return scenario_run("scenarios/queue_pressure.yaml")


def busy_hour() -> RunRecord:
    """Two teams, three kinds of jobs, and an urgent one that preempts."""
    return scenario_run("docs/examples/busy_hour.yaml")


def large_run(pods: int, nodes: int = 250, gpus: int = 4) -> RunRecord:
    """A run put together by hand: each pod takes one GPU for 100 s, the nodes in turn, then ends.

    Each pod waits for 10 s first and has two events, so its life is as long to tell as usual.
    """
    meta = {"labels": {"app": "sweep"}}
    limits = {"resources": {"requests": {"nvidia.com/gpu": "1"}}}
    template = PodTemplate("default", meta, {"containers": [limits]})
    rows = [_node_row(index, gpus) for index in range(nodes)]
    for index in range(pods):
        start = index // (nodes * gpus) * 100 * SECOND
        node = f"gpu-{index % nodes:04d}"
        rows += _life_rows(Pod(template, f"sweep-7cf499cc59-{index:05d}", index + 1, start), node)
    rows.sort(key=lambda row: row.at)
    ended = rows[-1].at
    return RunRecord("large", seed=1, ended=ended, epoch=EPOCH, rows=rows)


def refused(wanted: int, gpus: int) -> RunRecord:
    """Two empty nodes, and a pod that waits for a reason that has nothing to do with GPUs."""
    limits = {"resources": {"requests": {"nvidia.com/gpu": str(wanted)}}}
    template = PodTemplate("default", {}, {"containers": [limits]})
    rows = [_node_row(0, gpus), _node_row(1, gpus)]
    rows.append(Row(0, What.POD_CREATED, 1, 1, (template, "picky")))
    return RunRecord("refused", seed=1, ended=SECOND, epoch=EPOCH, rows=rows)


def _node_row(index: int, gpus: int) -> Row:
    name = f"gpu-{index:04d}"
    allocatable = {"nvidia.com/gpu": str(gpus)}
    meta = {"name": name, "labels": {"gpu-pool": f"pool-{index % 3}"}}
    node = {"kind": "Node", "metadata": meta, "spec": {}, "status": {"allocatable": allocatable}}
    return Row(0, What.OBJECT_WRITTEN, 10**6 + index, 0, node)


def _life_rows(pod: Pod, node: str) -> list[Row]:
    at, serial = pod.created, pod.serial
    states = []
    for phase, place in (("Pending", ""), ("Running", node), ("Succeeded", node)):
        state = pod.copy()
        state.phase, state.node = phase, place
        state.conditions = () if place else (Condition("PodScheduled", "False", at, "", SHORT),)
        states.append(state)
    about = {"kind": "Pod", "namespace": "default", "name": pod.name, "uid": pod.uid}
    told = (("FailedScheduling", SHORT), ("Scheduled", f"assigned default/{pod.name} to {node}"))
    events = [
        EventRecord(f"{pod.name}.{n}", about, "Normal", *words, "", "", 1, at, at)
        for n, words in enumerate(told)
    ]
    return [
        Row(at, What.POD_CREATED, serial, 1, (pod.template, pod.name)),
        Row(at, What.POD_REPLACED, serial, 2, states[0]),
        Row(at, What.EVENT_WRITTEN, 2 * serial, 3, events[0]),
        Row(at + 10 * SECOND, What.POD_REPLACED, serial, 4, states[1]),
        Row(at + 10 * SECOND, What.EVENT_WRITTEN, 2 * serial + 1, 5, events[1]),
        Row(at + 100 * SECOND, What.POD_REPLACED, serial, 6, states[2]),
    ]
