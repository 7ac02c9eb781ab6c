"""Runs small enough to be worked out by hand, and a busier one for pictures and pages."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from gpusched.api.scenario import load_scenario
from gpusched.run.playing import play
from gpusched.run.record import RunRecord
from gpusched.run.recording import record_of

ROOT = Path(__file__).parents[2]

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
def scenario_run(path: str) -> RunRecord:
    """The run of a scenario of the repository."""
    return record_of(play(load_scenario(ROOT / path)))


def queue_pressure() -> RunRecord:
    """The lesson: forty pods for 32 GPUs."""
    return scenario_run("scenarios/queue_pressure.yaml")


def busy_hour() -> RunRecord:
    """Two teams, three kinds of jobs, and an urgent one that preempts."""
    return scenario_run("docs/examples/busy_hour.yaml")
