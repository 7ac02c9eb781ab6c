"""One case from the first pod to the last: attempts, preemption, binding.

What a decision changes happens at once: a chosen pod is bound, victims are gone, and a pod that
preempted is tried again with its nomination, four times at the most.

Source: kubernetes/kubernetes pkg/scheduler/schedule_one.go, v1.36.1
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from gpusched.api.config import (
    ConfigurationError,
    ExtensionPoint,
    Profile,
    SchedulerConfiguration,
    Stage,
    default_configuration,
    load_configuration,
)
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.pod import PRESENT, PodInfo
from gpusched.decide import claims, record
from gpusched.decide.case import Case, ForcedPreemption, MalformedCaseError
from gpusched.decide.settings import Settings, TieBreak
from gpusched.decide.world import PendingPod, World, build
from gpusched.kube.cycle import Attempt, Result, Search, heap_tie_break
from gpusched.kube.engine import engine_named
from gpusched.kube.framework.interface import PreEnqueuePlugin
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.nominator import Nominator

_ATTEMPTS: Final = 4
_ALL_NODES: Final = 100
"""``percentageOfNodesToScore`` where a profile does not say otherwise."""

_FIRST_START: Final = PRESENT + 1
"""The pod at index i of the queue starts i seconds after 2030-01-01T00:00:00Z: in the future."""
_SECOND: Final = 1_000_000


def decide(case: Case, settings: Settings) -> list[record.Decision]:
    """Return the decisions of a case, in order.

    Raises:
        ConfigurationError: kube-scheduler refuses the configuration.
        MalformedCaseError: The case contradicts itself, or an object is refused.
    """
    session = _Session(case, settings, _configuration(case, settings), build(case))
    session.admit_nominated()
    return [
        decision
        for index, pending in enumerate(session.world.pending)
        for decision in session.decide(index, pending)
    ]


def _configuration(case: Case, settings: Settings) -> SchedulerConfiguration:
    if not case.config:
        return default_configuration()
    try:
        return load_configuration(case.config, settings.extension_points)
    except ConfigurationError as error:
        if error.stage is Stage.BUILD:
            build(case)  # a scheduler is built after the objects were read, which may fail first
        raise


def _framework(profile: Profile, settings: Settings, nominator: Nominator) -> Framework:
    for names in profile.plugins.values():
        for name in names:
            if name not in settings.registry:
                raise MalformedCaseError(f"plugin {name} is not simulated; leave it out")
    return Framework(profile, settings.registry, nominator)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A pod whose turn it is: its place in the queue, its profile's framework."""

    index: int
    pod: PodInfo
    framework: Framework


class _Session:
    """The state that passes from one decision to the next."""

    def __init__(
        self,
        case: Case,
        settings: Settings,
        configuration: SchedulerConfiguration,
        world: World,
    ) -> None:
        self.case = case
        self.settings = settings
        self.world = world
        self.engine = engine_named(settings.engine, world.cache)
        self.nominator = Nominator()
        self.next_start = 0
        self.frameworks = {
            profile.scheduler_name: _framework(profile, settings, self.nominator)
            for profile in configuration.profiles
        }
        self.ties = np.random.default_rng([settings.seed, zlib.crc32(case.name.encode())])
        self.unbound = {pod.key: pod for _, pod in world.waiting}
        self.unbound |= {p.key: p.info for p in world.pending if p.info is not None}

    def admit_nominated(self) -> None:
        """Let pods that arrive with a nomination count, unless a plugin keeps them out."""
        arriving = [
            *self.world.waiting,
            *((p.scheduler_name, p.info) for p in self.world.pending if p.info is not None),
        ]
        for scheduler_name, pod in arriving:
            framework = self.frameworks.get(scheduler_name)
            if framework is None or not pod.nominated_node:
                continue
            if not _gates(framework, pod, self.snapshot()):
                self.nominator.add(pod, pod.nominated_node)

    def snapshot(self) -> Snapshot:
        return self.world.cache.snapshot()

    def decide(self, index: int, pending: PendingPod) -> Iterator[record.Decision]:
        """Decide one pod of the queue; several decisions if it preempts."""
        pod, key = pending.info, pending.key
        if pod is None:
            yield record.plain(key, "invalid", pending.problem)
            return
        framework = self.frameworks.get(pending.scheduler_name)
        if framework is None:
            yield record.plain(key, "ignored")
            return
        if pod.terminating:
            yield record.plain(key, "skipped", f"skip schedule deleting pod: {key}")
            return
        gates = _gates(framework, pod, self.snapshot())
        if gates:
            yield record.gated(key, gates)
            return
        yield from self.attempts(_Turn(index, pod, framework))

    def attempts(self, turn: _Turn) -> Iterator[record.Decision]:
        for number in range(_ATTEMPTS):
            attempt = self.attempt(turn)
            if attempt.result is Result.SCHEDULED:
                yield self.bind(turn, attempt, number)
                return
            claims.write(self.world.cache.objects, claims.freed(turn.framework, attempt.state))
            nominations = self.nominations(turn, attempt)
            yield record.failed(turn.pod.key, number, attempt, self.snapshot(), nominations)
            if attempt.result is Result.ERROR or attempt.error:
                return
            forced = self.case.forced_preemptions.get((turn.pod.key, number))
            if forced is None and nominations:
                forced = nominations[0].as_forced()
            if forced is None:
                self.clear_if_hopeless(turn, attempt)
                return
            self.carry_out(turn.pod, forced)

    def attempt(self, turn: _Turn) -> Attempt:
        percentage = turn.framework.profile.percentage_of_nodes_to_score
        search = Search(
            start=self.next_start,
            percentage=_ALL_NODES if percentage is None else percentage,
            tie_break=heap_tie_break,
        )
        attempt = self.engine.attempt(turn.framework, turn.pod, search)
        self.next_start = attempt.next_start
        return attempt

    def nominations(self, turn: _Turn, attempt: Attempt) -> list[record.Nomination]:
        """Return every outcome of preemption that the real scheduler could have taken."""
        result = attempt.post_filter
        if result is None or not result.status.is_success:
            return []
        found = [
            record.Nomination.of(victims, self.nominator.on(victims.node), turn.pod)
            for victims in result.candidates
        ]
        return sorted(found, key=record.Nomination.order)

    def clear_if_hopeless(self, turn: _Turn, attempt: Attempt) -> None:
        """Take the nomination away where PostFilter says so, or where nobody could."""
        result = attempt.post_filter
        clears = not turn.framework.has_post_filter
        if result is not None and not result.status.is_success:
            clears = clears or result.nominated_node == ""
        if clears:
            self.nominate(turn.pod, "")

    def nominate(self, pod: PodInfo, node: str) -> None:
        if pod.nominated_node == node:
            return
        pod.nominated_node = node
        if node:
            self.nominator.add(pod, node)
        else:
            self.nominator.remove(pod.uid)

    def carry_out(self, pod: PodInfo, forced: ForcedPreemption) -> None:
        for key in forced.victims:
            self.world.evict(key)
        for key in forced.cleared:
            if key in self.unbound:
                self.nominate(self.unbound[key], "")
        self.nominate(pod, forced.node)

    def bind(self, turn: _Turn, attempt: Attempt, number: int) -> record.Decision:
        """Choose a node and bind the pod to it."""
        snapshot, pod = self.snapshot(), turn.pod
        decision = record.scheduled(pod, number, attempt, snapshot, turn.framework)
        decision["chosen"] = node = self.choose(turn, decision)
        self.nominator.remove(pod.uid)
        self.world.place(pod, node)
        status = turn.framework.reserve(attempt.state, pod, self.snapshot(), node)
        if not status.is_success:
            self.world.evict(pod.key)
            return decision | {"result": "error", "message": f"reserve: {status.message}"}
        if pod.shape.spec.resource_claims:
            taken = claims.taken(turn.framework, attempt.state, pod)
            claims.write(self.world.cache.objects, taken)
        pod.start_time = _FIRST_START + turn.index * _SECOND
        pod.nominated_node = ""
        return decision

    def choose(self, turn: _Turn, decision: record.Decision) -> str:
        forced = self.case.forced[turn.index] if turn.index < len(self.case.forced) else ""
        if forced:
            if forced not in decision["feasible"]:
                key = turn.pod.key
                raise MalformedCaseError(f"forced node {forced} is not feasible for {key}")
            return forced
        ties: list[str] = decision["ties"]
        if self.settings.tie_break is TieBreak.KUBE:
            return str(decision["picked"])
        if self.settings.tie_break is TieBreak.NAME:
            return ties[0]
        return ties[int(self.ties.integers(len(ties)))]


def _gates(framework: Framework, pod: PodInfo, snapshot: Snapshot) -> dict[str, str]:
    """Return plugin and message of everyone who keeps a pod out of the queue."""
    found: dict[str, str] = {}
    for name in framework.profile.plugins[ExtensionPoint.PRE_ENQUEUE]:
        status = cast("PreEnqueuePlugin", framework.plugins[name]).pre_enqueue(pod, snapshot)
        if not status.is_success:
            found[name] = status.message
    return found
