"""Why a pod is where it is, or waits: one scheduling attempt taken apart, node by node.

``explain`` is a pure function of a framework, a snapshot and a pod. ``of_run`` finds these in a run
and adds the queue's story, ``of_case`` finds them in a case of ``decide``. The room must not know
the clock, nor print.
"""

from gpusched.explain.annotations import annotations
from gpusched.explain.attempt import explain
from gpusched.explain.explanation import Explanation, NodeVerdict, PluginScore, QueueMove
from gpusched.explain.of_case import explain_case
from gpusched.explain.of_run import explain_pod
from gpusched.explain.text import as_text

__all__ = [
    "Explanation",
    "NodeVerdict",
    "PluginScore",
    "QueueMove",
    "annotations",
    "as_text",
    "explain",
    "explain_case",
    "explain_pod",
]
