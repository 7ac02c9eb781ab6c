"""What an attempt found out, in the schema of the recorded decisions.

Empty fields are left out. Reasons and lists of names are sorted bytewise.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.pod import PodInfo
from gpusched.decide.case import ForcedPreemption
from gpusched.kube.cycle import Attempt, Result
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import Victims
from gpusched.kube.framework.outcomes import FilterOutcome, error_text
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.framework.status import Code, Rejection

Decision: TypeAlias = dict[str, Any]
"""One decision as JSON."""


@dataclass(frozen=True, slots=True)
class Nomination:
    """One outcome of preemption.

    Attributes:
        node: The node that is nominated.
        victims: Keys of the pods to delete, sorted.
        terminating: Keys of victims that are being deleted already, sorted.
        cleared: Keys of less important pods that lose their nomination to the node, sorted.
    """

    node: str
    victims: tuple[str, ...]
    terminating: tuple[str, ...]
    cleared: tuple[str, ...]

    @classmethod
    def of(cls, victims: Victims, nominated: Sequence[PodInfo], pod: PodInfo) -> "Nomination":
        """Return the outcome of ``pod`` taking the place of ``victims``."""
        return cls(
            node=victims.node,
            victims=_keys(v for v in victims.pods if not v.terminating),
            terminating=_keys(v for v in victims.pods if v.terminating),
            cleared=_keys(n for n in nominated if n.priority < pod.priority),
        )

    def order(self) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """Return what outcomes are sorted by."""
        return self.node, self.victims, self.terminating

    def as_forced(self) -> ForcedPreemption:
        """Return the outcome as something to carry out."""
        return ForcedPreemption(self.node, self.victims + self.terminating, self.cleared)

    def as_json(self, message: str) -> dict[str, Any]:
        """Return the outcome in the recorded schema."""
        optional = {"terminating": list(self.terminating), "cleared": list(self.cleared)}
        return {
            "node": self.node,
            "victims": list(self.victims),
            **{name: keys for name, keys in optional.items() if keys},
            "message": message,
        }


def plain(key: str, result: str, message: str = "") -> Decision:
    """Return the decision on a pod that is not tried."""
    return _without_empty({"pod": key, "result": result, "message": message})


def gated(key: str, gates: Mapping[str, str]) -> Decision:
    """Return the decision on a pod that plugins keep out of the queue."""
    message = "; ".join(gates.values())
    return plain(key, "gated", message) | {"unschedulablePlugins": sorted(gates)}


def failed(
    key: str,
    number: int,
    attempt: Attempt,
    snapshot: Snapshot,
    nominations: Sequence[Nomination],
) -> Decision:
    """Return the decision of an attempt that found no node."""
    message = attempt.message
    head = {"pod": key, "attempt": number, "result": attempt.result.value, "message": message}
    if attempt.result is Result.ERROR or attempt.error:
        return _without_empty(head)
    diagnosis = attempt.diagnosis
    reasons, codes = _statuses(diagnosis.rejections, snapshot)
    for row in snapshot.order.tolist():
        name = snapshot.nodes.info(row).name
        if name not in codes:
            reasons[name] = sorted(diagnosis.absent.reasons, key=str.encode)
            codes[name] = diagnosis.absent.code.label
    return _without_empty(
        head
        | {
            "reasons": reasons,
            "codes": codes,
            "unschedulablePlugins": sorted(diagnosis.unschedulable_plugins),
            "pendingPlugins": sorted(diagnosis.pending_plugins),
            "nominations": [nomination.as_json(message) for nomination in nominations],
        },
    )


def scheduled(
    pod: PodInfo,
    number: int,
    attempt: Attempt,
    snapshot: Snapshot,
    framework: Framework,
) -> Decision:
    """Return the decision of a successful attempt, without the chosen node.

    Without a score plugin the attempt ends at the first node that fits, and a nominated node may
    leave a status that another search replaces; then all nodes are looked at once more.
    """
    name = _name_of(snapshot)
    feasible, rejections = attempt.feasible.tolist(), attempt.diagnosis.rejections
    ties = attempt.ties.tolist()
    on_nomination = bool(pod.nominated_node) and pod.nominated_node == name(attempt.row)
    if not on_nomination and (pod.nominated_node or not framework.has_score):
        outcome = _look_at_all(framework, snapshot, pod)
        feasible, rejections = np.flatnonzero(outcome.passed).tolist(), outcome.rejections
        ties = ties if framework.has_score else feasible
    reasons, codes = _statuses(rejections, snapshot)
    return _without_empty(
        {
            "pod": pod.key,
            "attempt": number,
            "result": attempt.result.value,
            "chosen": "",
            "picked": name(attempt.row),
            "ties": sorted(map(name, ties), key=str.encode),
            "feasible": sorted(map(name, feasible), key=str.encode),
            "scores": _scores(attempt, name) if framework.has_score else {},
            "reasons": reasons,
            "codes": codes,
        },
    )


def _name_of(snapshot: Snapshot) -> Any:
    return lambda row: snapshot.nodes.info(row).name


def _scores(attempt: Attempt, name: Any) -> dict[str, dict[str, int]]:
    if attempt.scores is None:
        return {}
    columns = {plugin: scores.tolist() for plugin, scores in attempt.scores.by_plugin.items()}
    columns["total"] = attempt.scores.totals.tolist()
    return {
        name(row): {plugin: column[at] for plugin, column in columns.items()}
        for at, row in enumerate(attempt.feasible.tolist())
    }


def _look_at_all(framework: Framework, snapshot: Snapshot, pod: PodInfo) -> FilterOutcome:
    """Filter every node that PreFilter leaves, without stopping early."""
    state = CycleState()
    prepared = framework.pre_filter(state, pod, snapshot)
    candidates = np.ones(len(snapshot.nodes), np.bool_)
    if prepared.node_names is not None:
        names = prepared.node_names
        rows = range(len(snapshot.nodes))
        candidates = np.array([snapshot.nodes.info(row).name in names for row in rows], np.bool_)
    return framework.filter(state, pod, snapshot.nodes, candidates)


def _statuses(
    rejections: Iterable[tuple[str, Rejection]],
    snapshot: Snapshot,
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return reasons and code label by node name."""
    reasons: dict[str, list[str]] = {}
    codes: dict[str, Code] = {}
    for plugin, rejection in rejections:
        reason = rejection.reason
        if rejection.code is Code.ERROR:
            reason = error_text(plugin, reason)
        for row in np.flatnonzero(rejection.nodes).tolist():
            name = snapshot.nodes.info(row).name
            reasons.setdefault(name, []).append(reason)
            codes[name] = max(codes.get(name, Code.SUCCESS), rejection.code)
    for texts in reasons.values():
        texts.sort(key=str.encode)
    return reasons, {name: code.label for name, code in codes.items()}


def _keys(pods: Iterable[PodInfo]) -> tuple[str, ...]:
    return tuple(sorted((pod.key for pod in pods), key=str.encode))


def _without_empty(decision: Decision) -> Decision:
    """Leave out empty fields; ``chosen`` is filled in later."""
    return {key: value for key, value in decision.items() if value or key == "chosen"}
