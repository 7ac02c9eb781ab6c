"""Which stages a scenario's KWOK processes play: their own, else the scenario's, else the fast."""

from pathlib import Path

import pytest

from gpusched.api.scenario import load_scenario
from gpusched.run.playing import play

HEAD = """apiVersion: gpusched.dev/v1alpha1
kind: Scenario
metadata: {name: t}
spec:
  until: 0s
  setup:
    - apiVersion: v1
      kind: Node
      metadata: {name: a, labels: {pool: a}}
      status: {allocatable: {cpu: "8", pods: "9"}}
    - apiVersion: v1
      kind: Pod
      metadata: {name: p}
      spec: {containers: [{name: c, image: x}]}
"""
EMPTY_STAGE = (
    "[{apiVersion: kwok.x-k8s.io/v1alpha1, kind: Stage, metadata: {name: s}, spec: {resourceRef: "
    "{kind: Pod}, selector: {matchLabels: {}}, next: {statusTemplate: 'phase: Unknown'}}}]"
)


@pytest.mark.parametrize(
    ("kwok", "phase"),
    [
        pytest.param("", "Running", id="without a word the fast stages"),
        pytest.param("kwok: {stages: fast}", "Running", id="the fast stages"),
        pytest.param("kwok: {stages: general}", "Pending", id="the general stages take seconds"),
        pytest.param(f"kwok: {{stages: {EMPTY_STAGE}}}", "Unknown", id="stages of the user"),
        pytest.param("kwok: {stages: general, controllers: [{name: k}]}", "Pending",
                     id="a controller without stages plays the scenario's"),
        pytest.param("kwok: {stages: general, controllers: [{name: k, stages: fast}]}", "Running",
                     id="a controller's own stages win"),
        pytest.param(f"kwok: {{stages: {EMPTY_STAGE}, controllers: [{{name: k}}]}}", "Unknown",
                     id="a controller without stages plays the user's"),
    ],
)  # fmt: skip
def test_which_stages_are_played(tmp_path: Path, kwok: str, phase: str) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(f"{HEAD}  {kwok}\n", encoding="utf-8")
    pod = play(load_scenario(file)).plane.store.pod("default", "p")
    assert pod is not None
    assert pod.node == "a"
    assert pod.phase == phase
