"""Whether each scenario of the lesson came out as expected: phase and cause, decided by rule."""

from dataclasses import dataclass
from typing import Final

from gpusched.kubectl.evidence.collect import NAMESPACE
from gpusched.kubectl.fields import JsonObject, dig, labels_of, name_of, rows, text
from gpusched.kubectl.pod_resources import pod_amounts
from gpusched.kubectl.view import View, listing, lookup

GPU: Final = "nvidia.com/gpu"
POOL: Final = "gpu-pool"
INSUFFICIENT: Final = f"Insufficient {GPU}"
NO_MATCH: Final = "didn't match Pod's node affinity/selector"
_FINISHED: Final = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row of the report's table of scenarios.

    Attributes:
        scenario: Its name.
        expected: What the lesson expects.
        observed: What the objects say.
        evidence: The file that shows it.
        met: Whether phase and cause are both as expected.
    """

    scenario: str
    expected: str
    observed: str
    evidence: str
    met: bool


def verdicts(view: View) -> list[Verdict]:
    """Return the verdicts on the lesson's four scenarios."""
    return [
        _schedulable(view, "cuda-batch-small", "a100"),
        _pending(view, "cuda-train-16gpu", INSUFFICIENT),
        _pending(view, "cuda-needs-b200", NO_MATCH),
        _queue_pressure(view, "queue-pressure"),
    ]


def gpus_of(node: JsonObject) -> int:
    """Return how many GPUs a node offers."""
    return int(dig(node, "status", "allocatable", GPU) or 0)


def _schedulable(view: View, name: str, pool: str) -> Verdict:
    pod, expected = lookup(view, "Pod", NAMESPACE, name), f"Running on pool {pool}"
    if pod is None:
        return Verdict(name, expected, "absent", "pods-gpu-demo.txt", met=False)
    node_name, phase = text(pod, "spec", "nodeName"), text(pod, "status", "phase")
    node = lookup(view, "Node", "", node_name) or {}
    observed = f"{phase} on {node_name}" if node_name else phase
    met = phase == "Running" and labels_of(node).get(POOL) == pool
    return Verdict(name, expected, observed, "pods-gpu-demo.txt", met)


def _pending(view: View, name: str, cause: str) -> Verdict:
    pod, evidence = lookup(view, "Pod", NAMESPACE, name), f"describe-pod-{name}.txt"
    expected = f"Pending: {cause}"
    if pod is None:
        return Verdict(name, expected, "absent", evidence, met=False)
    phase, message = text(pod, "status", "phase"), _scheduling_message(pod)
    other = INSUFFICIENT if cause == NO_MATCH else NO_MATCH
    met = phase == "Pending" and cause in message and other not in message
    return Verdict(name, expected, f"{phase}: {message}" if message else phase, evidence, met)


def _scheduling_message(pod: JsonObject) -> str:
    conditions = rows(pod, "status", "conditions")
    scheduled = (c for c in conditions if c.get("type") == "PodScheduled")
    return next((text(condition, "message") for condition in scheduled), "")


def _queue_pressure(view: View, app: str) -> Verdict:
    """Judge a queue of one-GPU pods: as many run as there are GPUs left over by the others."""
    pods = [pod for pod in listing(view, "Pod") if text(pod, "status", "phase") not in _FINISHED]
    ours = [pod for pod in pods if labels_of(pod).get("app") == app]
    total = sum(gpus_of(node) for node in view.objects("Node"))
    used = sum(_gpus_held(pod) for pod in pods)
    free = total - (used - sum(_gpus_held(pod) for pod in ours))
    running = sum(text(pod, "status", "phase") == "Running" for pod in ours)
    wanted = min(len(ours), free)
    expected = f"{wanted} Running, {len(ours) - wanted} Pending, {total} of {total} GPUs used"
    observed = f"{running} Running, {len(ours) - running} Pending, {used} of {total} GPUs used"
    met = bool(ours) and observed == expected
    return Verdict(app, expected, observed, "pods-gpu-demo.txt", met)


def _gpus_held(pod: JsonObject) -> int:
    amount = pod_amounts(pod, "requests").get(GPU)
    return amount.value() if amount is not None and text(pod, "spec", "nodeName") else 0


def names_of_fleet(view: View) -> list[tuple[str, str, int]]:
    """Return name, pool and GPUs of each node that offers GPUs."""
    nodes = listing(view, "Node")
    return [
        (name_of(node), labels_of(node).get(POOL, ""), gpus_of(node))
        for node in nodes
        if gpus_of(node)
    ]
