"""What every plugin promises, as named checks.

Each check takes a `Trial`: a plugin built as a profile builds it, a cluster, and a pod. A plugin
without the extension point in question passes a check trivially.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Action, EnqueueExtensions
from gpusched.kube.framework.interface import (
    MAX_NODE_SCORE,
    FilterPlugin,
    GateByShape,
    NormalizeScorePlugin,
    Plugin,
    PreFilterPlugin,
    PreScorePlugin,
    ScorePlugin,
    SparingReserve,
)
from gpusched.kube.framework.status import Code, Rejection, Status


@dataclass(frozen=True, slots=True)
class Trial:
    """A plugin, a cluster, and a pod to place."""

    plugin: Plugin
    cache: Cache
    pod: PodInfo


Check: TypeAlias = Callable[[Trial], None]


def filtered(trial: Trial) -> Sequence[Rejection]:
    """Return what the plugin's Filter says after its PreFilter; nothing where it skips."""
    state, plugin = CycleState(), trial.plugin
    if isinstance(plugin, PreFilterPlugin):
        result = plugin.pre_filter(state, trial.pod, trial.cache.snapshot())
        if not result.status.is_success:
            return ()
    if not isinstance(plugin, FilterPlugin):
        return ()
    return plugin.filter(state, trial.pod, trial.cache.nodes)


def by_node(trial: Trial) -> dict[str, list[tuple[str, Code]]]:
    """Return node -> (reason, code) pairs."""
    found: dict[str, list[tuple[str, Code]]] = {}
    for rejection in filtered(trial):
        for row in np.flatnonzero(rejection.nodes).tolist():
            name = trial.cache.nodes.info(row).name
            found.setdefault(name, []).append((rejection.reason, rejection.code))
    return found


def scores(trial: Trial) -> list[int] | None:
    """Return normalised scores of all nodes, or None where the plugin says nothing."""
    state, plugin, snapshot = CycleState(), trial.plugin, trial.cache.snapshot()
    rows = np.arange(len(trial.cache.nodes))
    if not isinstance(plugin, ScorePlugin) or len(rows) < 2:
        return None
    if isinstance(plugin, PreFilterPlugin):
        plugin.pre_filter(state, trial.pod, snapshot)
    filtered(trial)
    if isinstance(plugin, PreScorePlugin):
        status = plugin.pre_score(state, trial.pod, snapshot, rows)
        if not status.is_success:
            return None
    answer = plugin.score(state, trial.pod, snapshot, rows)
    if isinstance(answer, Status):
        return None
    assert answer.shape == (len(rows),)
    assert answer.dtype == np.int64
    if isinstance(plugin, NormalizeScorePlugin):
        answer = plugin.normalize_score(state, trial.pod, answer)
    return [int(score) for score in answer]


def check_it_has_a_name(trial: Trial) -> None:
    """Profiles know plugins by their names."""
    assert trial.plugin.name


def check_masks_have_the_shape_of_the_nodes(trial: Trial) -> None:
    """One truth value per node."""
    for rejection in filtered(trial):
        assert rejection.nodes.shape == (len(trial.cache.nodes),)
        assert rejection.nodes.dtype == np.bool_


def check_each_rejection_says_why(trial: Trial) -> None:
    """A reason, and a code that turns a node away."""
    for rejection in filtered(trial):
        assert rejection.reason
        assert not rejection.reason.endswith(".")
        assert rejection.code in (Code.UNSCHEDULABLE, Code.UNSCHEDULABLE_AND_UNRESOLVABLE)


def check_the_cluster_is_left_alone(trial: Trial) -> None:
    """Neither Filter nor Score changes the columns."""
    nodes = trial.cache.nodes
    before = [column.tobytes() for column in (nodes.allocatable, nodes.requested)]
    generation, version = nodes.generation, nodes.version
    filtered(trial)
    scores(trial)
    assert before == [column.tobytes() for column in (nodes.allocatable, nodes.requested)]
    assert (generation, version) == (nodes.generation, nodes.version)


def check_the_same_question_has_the_same_answer(trial: Trial) -> None:
    """Nothing is remembered from one attempt to the next."""
    assert by_node(trial) == by_node(trial)
    assert scores(trial) == scores(trial)


def check_scores_are_between_0_and_100(trial: Trial) -> None:
    """After normalising."""
    found = scores(trial)
    assert found is None or all(0 <= score <= MAX_NODE_SCORE for score in found)


def check_one_row_agrees_with_the_whole_column(trial: Trial) -> None:
    """A dry run on a copied row says what the whole table says."""
    state, plugin, nodes = CycleState(), trial.plugin, trial.cache.nodes
    if not isinstance(plugin, FilterPlugin):
        return
    if isinstance(plugin, PreFilterPlugin):
        result = plugin.pre_filter(state, trial.pod, trial.cache.snapshot())
        if not result.status.is_success:
            return
    whole = by_node(trial)
    for row in range(len(nodes)):
        alone = plugin.filter(state.clone(), trial.pod, nodes.copy_row(row))
        found = [(each.reason, each.code) for each in alone if each.nodes[0]]
        assert found == whole.get(nodes.info(row).name, [])


def check_no_nodes_are_no_problem(trial: Trial) -> None:
    """A table of no rows gets answers of no rows."""
    empty = Cache(trial.cache.resources, trial.cache.objects)
    for rejection in filtered(Trial(trial.plugin, empty, trial.pod)):
        assert rejection.nodes.shape == (0,)


def check_it_registers_what_may_cure_it(trial: Trial) -> None:
    """Who turns pods away says which events may change that."""
    plugin = trial.plugin
    if isinstance(plugin, FilterPlugin):
        assert isinstance(plugin, EnqueueExtensions)
        registered = plugin.events_to_register()
        assert registered
        assert all(each.event.action & Action.ALL for each in registered)


def check_a_gate_that_lets_a_shape_in_lets_its_pods_in(trial: Trial) -> None:
    """So nobody need ask about each of them."""
    plugin = trial.plugin
    if isinstance(plugin, GateByShape) and plugin.lets_in(trial.pod.shape):
        assert plugin.pre_enqueue(trial.pod, trial.cache.snapshot()).is_success


def check_an_idle_reserve_has_nothing_to_do(trial: Trial) -> None:
    """It takes nothing, and there is nothing to write before the binding."""
    state, plugin, snapshot = CycleState(), trial.plugin, trial.cache.snapshot()
    if not isinstance(plugin, SparingReserve):
        return
    assert not plugin.is_idle(state), "it was not even asked"
    if isinstance(plugin, PreFilterPlugin):
        plugin.pre_filter(state, trial.pod, snapshot)
    spec = trial.pod.shape.spec
    claims = spec.resource_claims or any(v.persistent_volume_claim for v in spec.volumes)
    assert plugin.is_idle(state) or claims
    if plugin.is_idle(state):
        assert plugin.reserve(state, trial.pod, snapshot, "gpu-0").is_success
        plugin.unreserve(state, trial.pod, snapshot, "gpu-0")


def checks() -> list[Check]:
    """Return every check of this module, in the order of their names."""
    return [found for name, found in sorted(globals().items()) if name.startswith("check_")]
