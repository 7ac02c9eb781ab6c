"""A prepared scenario in real time: the fleet, the set-up, each step when its time has come.

Steps wait until the cluster is settled: a slow machine changes times, not what is decided. This
file must not know what is written down of it.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from gpusched.api.scenario import Create, Scenario, Step
from gpusched.live.clock import now, sleep, sleep_until
from gpusched.live.cluster import Cluster, ClusterError
from gpusched.live.watching import Watcher
from gpusched.live.world import ClusterWorld
from gpusched.run.acting import Actor
from gpusched.sim.calendar import SECOND

_LOOK: Final = 10_000
_FLEET_PATIENCE: Final = 120 * SECOND
_LATE_IN_SECOND: Final = 850_000
"""Pod times are whole seconds: what starts later than this in one may be stamped with the next."""
_NOT_READY: Final = "node.kubernetes.io/not-ready"
_EARLY: Final = 20_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient a play is; microseconds.

    Attributes:
        quiet: No pod and no event may have changed for so long before the next step.
        patience: A step waits at most so long for that.
        settle: After the last step the play ends once nothing has changed for so long.
        whole: Play to the scenario's end instead.
    """

    quiet: int = 80_000
    patience: int = 5 * SECOND
    settle: int = 5 * SECOND
    whole: bool = False


@dataclass(slots=True)
class LivePlayed:
    """A scenario that has been played on a cluster.

    Attributes:
        scenario: It, with the times at which its steps were really played.
        zero: t = 0, microseconds since the Unix epoch: a whole second.
        ended: The end, microseconds since t = 0.
        interrupted: Whether somebody stopped it.
        reports: (microseconds, text, whether it is a refusal) of every action.
    """

    scenario: Scenario
    zero: int = 0
    ended: int = 0
    interrupted: bool = False
    reports: list[tuple[int, str, bool]] = field(default_factory=list)


class LivePlayer:
    """Plays one scenario.

    Args:
        cluster: Where to look.
        world: Where to act.
        watcher: Who knows whether the cluster is settled.
        pace: How patient to be.
    """

    def __init__(self, cluster: Cluster, world: ClusterWorld, watcher: Watcher, pace: Pace) -> None:
        self._cluster = cluster
        self._world = world
        self._watcher = watcher
        self._pace = pace
        self._steps: list[Step] = []

    def play(self, scenario: Scenario) -> LivePlayed:
        """Play a prepared scenario; an interruption keeps what was played until then.

        Raises:
            ClusterError: The fleet does not become ready.
        """
        played = LivePlayed(scenario, zero=now())
        actor = Actor(
            self._world,
            lambda text, refused: played.reports.append((now() - played.zero, text, refused)),
        )
        try:
            self._build(scenario, actor)
            played.zero = (now() // SECOND + 1) * SECOND
            self._play_steps(scenario, actor, played)
            self._settle(scenario, played)
        except KeyboardInterrupt:
            played.interrupted = True
        played.ended = max(0, now() - played.zero)
        steps = (*self._steps, *scenario.steps[len(self._steps) :])
        played.scenario = replace(scenario, steps=steps, until=played.ended)
        return played

    def _build(self, scenario: Scenario, actor: Actor) -> None:
        for manifest in scenario.fleet:
            actor.carry_out(Create((manifest,)))
        self._await_nodes(played_nodes(scenario))
        for manifest in scenario.setup:
            actor.carry_out(Create((manifest,)))
            if manifest.object["kind"] == "Pod":
                self._watcher.expect_changes()
                self._await_quiet()
        sleep(SECOND // 5)  # admission reads priority classes and quotas from a cache

    def _await_nodes(self, names: list[str]) -> None:
        until = now() + _FLEET_PATIENCE
        waiting = names
        while waiting and now() < until:
            objects = {node["metadata"]["name"]: node for node in self._cluster.read_all("Node")}
            waiting = [name for name in names if not _is_usable(objects.get(name))]
            sleep(10 * _LOOK)
        if waiting:
            words = "is KWOK running, and does it manage nodes with the annotation of the fleet?"
            raise ClusterError(f"node/{waiting[0]} does not become ready; {words}")

    def _play_steps(self, scenario: Scenario, actor: Actor, played: LivePlayed) -> None:
        for step in scenario.steps:
            sleep_until(played.zero + step.at)
            self._await_quiet()
            _avoid_the_end_of_a_second()
            at = now() - played.zero
            self._steps.append(replace(step, at=at))
            for action in step.actions:
                actor.carry_out(action)
                self._watcher.expect_changes()

    def _await_quiet(self) -> None:
        until = now() + self._pace.patience
        while now() < until:
            if self._watcher.is_settled() and self._watcher.since_last() > self._pace.quiet:
                return
            sleep(_LOOK)

    def _settle(self, scenario: Scenario, played: LivePlayed) -> None:
        """Wait for the end; runs of pods and later steps of controllers count as changes."""
        last = self._steps[-1].at if self._steps else 0
        earliest = played.zero + last + self._pace.settle
        end = max(played.zero + scenario.until, now())
        while now() < end:
            quiet = self._watcher.since_last() > self._pace.settle and now() > earliest
            if quiet and not self._pace.whole:
                return
            sleep(10 * _LOOK)


def played_nodes(scenario: Scenario) -> list[str]:
    """Return the nodes that a KWOK process of the scenario makes ready."""
    wanted = [each.nodes.items() for each in scenario.kwok.controllers] or [{}.items()]
    metas = [m.object["metadata"] for m in scenario.fleet if m.object["kind"] == "Node"]
    return [
        meta["name"]
        for meta in metas
        if any(labels <= (meta.get("labels") or {}).items() for labels in wanted)
    ]


def _is_usable(node: dict[str, object] | None) -> bool:
    if node is None:
        return False
    spec, status = node.get("spec") or {}, node.get("status") or {}
    assert isinstance(spec, dict)
    assert isinstance(status, dict)
    ready = any(
        item["type"] == "Ready" and item["status"] == "True"
        for item in status.get("conditions") or ()
    )
    taints = spec.get("taints") or ()
    return ready and not any(taint["key"] == _NOT_READY for taint in taints)


def _avoid_the_end_of_a_second() -> None:
    moment = now()
    if moment % SECOND > _LATE_IN_SECOND:
        sleep_until((moment // SECOND + 1) * SECOND + _EARLY)
