"""An explanation under the annotation keys of kube-scheduler-simulator, for its users' tools.

Source: kubernetes-sigs/kube-scheduler-simulator simulator/scheduler/plugin/annotation and
simulator/scheduler/plugin/resultstore
"""

import json
from typing import Any, Final

from gpusched.explain.explanation import Explanation, NodeVerdict

PREFIX: Final = "kube-scheduler-simulator.sigs.k8s.io/"
_PASSED: Final = "passed"
_BINDER: Final = "DefaultBinder"
_PREEMPTION: Final = "DefaultPreemption"
_VICTIM: Final = "preemption victim"


def annotations(explanation: Explanation) -> dict[str, str]:
    """Return the annotations: JSON by node and plugin, scores as text, as the simulator writes."""
    nodes = explanation.nodes
    found: dict[str, Any] = {
        "filter-result": {verdict.node: _filters(verdict) for verdict in nodes},
        "score-result": _scores(explanation, "raw"),
        "finalscore-result": _scores(explanation, "weighted"),
        "postfilter-result": _post_filter(explanation),
        "bind-result": {_BINDER: "success"} if explanation.node else {},
    }
    written = {
        f"{PREFIX}{name}": json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        for name, value in found.items()
    }
    if explanation.node:
        written[f"{PREFIX}selected-node"] = explanation.node
    return written


def _filters(verdict: NodeVerdict) -> dict[str, str]:
    told = dict.fromkeys(verdict.passed, _PASSED)
    if verdict.refused_by:
        told[verdict.refused_by] = ", ".join(verdict.reasons)
    return told


def _scores(explanation: Explanation, which: str) -> dict[str, dict[str, str]]:
    return {
        verdict.node: {name: str(getattr(score, which)) for name, score in verdict.scores.items()}
        for verdict in explanation.nodes
        if verdict.scores
    }


def _post_filter(explanation: Explanation) -> dict[str, dict[str, str]]:
    if not explanation.nominated:
        return {}
    return {explanation.nominated: {_PREEMPTION: _VICTIM}}
