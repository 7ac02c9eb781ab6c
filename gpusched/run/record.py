"""`RunRecord`: what is kept of a run and everything that can be asked of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gpusched.run.history import History
from gpusched.run.lives import Life
from gpusched.run.moves import NO_MOVES, Moves
from gpusched.run.reading import Reading, read
from gpusched.run.replay import Moment, Replay
from gpusched.run.table import Table
from gpusched.sim.calendar import SECOND, Calendar
from gpusched.sim.journal import Row
from gpusched.sim.pod import Json


@dataclass(frozen=True)
class RunRecord:
    """One finished run, simulated or recorded.

    Attributes:
        name: The scenario's name.
        seed: The seed.
        ended: When it ended, microseconds since t = 0.
        epoch: The wall time of t = 0.
        rows: The journal.
        interrupted: Whether it was stopped before its end.
        reports: (microseconds, text, whether it is a refusal) of every action.
        statistics: How the scheduler's attempts were answered, and its metrics.
        expect: What the scenario expects, as JSON; None if it expects nothing.
        moves: Where waiting pods were in the scheduler's queue; none of a recorded run.
        configuration: The KubeSchedulerConfiguration; None for the scheduler's defaults.
        tie_break: How ties fell: ``kube``, ``name`` or ``random``.
        simulated: False for a run recorded from a live cluster.
    """

    name: str
    seed: int
    ended: int
    epoch: str
    rows: Sequence[Row]
    interrupted: bool = False
    reports: Sequence[tuple[int, str, bool]] = ()
    statistics: Json = field(default_factory=dict)
    expect: Json | None = None
    moves: Moves = NO_MOVES
    configuration: Json | None = None
    tie_break: str = "kube"
    simulated: bool = True

    @cached_property
    def calendar(self) -> Calendar:
        """The run's calendar."""
        return Calendar(self.epoch)

    def moment(self, at: int | None = None) -> Moment:
        """Return all objects as they were at ``at`` (microseconds), by default at the end."""
        at = self.ended if at is None else at
        return Moment(Replay(self.rows).jump(at), self.calendar, at)

    def end(self) -> Moment:
        """Return all objects as they were at the end, for who asks for lives or history too."""
        if self.rows and self.rows[-1].at > self.ended:
            return self.moment()
        return Moment(self.reading.end, self.calendar, self.ended)

    def states(self, start: int = 0) -> Iterator[Moment]:
        """Yield all objects as they were at ``start``, then after each write until the end.

        A moment must be looked at before the next one is asked for.
        """
        replay = Replay(self.rows).jump(start)
        yield Moment(replay, self.calendar, start)
        while replay.position < len(self.rows):
            at = self.rows[replay.position].at
            if at > self.ended:
                return
            replay.one()
            yield Moment(replay, self.calendar, at)

    @cached_property
    def reading(self) -> Reading:
        """What one pass over the journal tells; who asks for one moment alone goes without."""
        return read(self.rows)

    @property
    def lives(self) -> list[Life]:
        """Every pod's life, in order of creation."""
        return self.reading.lives

    @property
    def history(self) -> History:
        """Pods by phase and GPUs in use over time."""
        return self.reading.history

    def phases(self) -> dict[str, int]:
        """Return the number of pods by phase at the end; phases without pods are left out."""
        counts = Counter(life.pod.phase for life in self.lives if life.removed is None)
        order = ("Pending", "Running", "Succeeded", "Failed")
        return {phase: counts[phase] for phase in sorted(counts, key=order.index)}

    def messages(self) -> dict[str, int]:
        """Return how many pods wait at the end with each message, the most frequent first."""
        waiting = (life.waiting for life in self.lives if life.removed is None)
        counts = Counter(message for message in waiting if message)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def pods(self) -> Table:
        """Return the pods that exist at the end, with their times in seconds."""
        columns = (
            "namespace",
            "name",
            "phase",
            "node",
            "gpus",
            "priority",
            "created",
            "bound",
            "started",
            "finished",
            "message",
        )
        return Table(columns, (_row(life) for life in self.lives if life.removed is None), "Pods")

    def pending(self) -> Table:
        """Return the pods that still wait at the end."""
        return self.pods().where(phase="Pending")

    def events(self) -> Table:
        """Return the events as the API server keeps them at the end, in order of their writing."""
        columns = ("seconds", "type", "reason", "object", "count", "message")
        replay = Replay(self.rows).jump(self.ended)
        rows = []
        for event in replay.kept_events():
            count = event.series[0] if event.series else event.count
            last = event.series[1] if event.series else event.last
            about = f"{event.regarding['kind'].lower()}/{event.regarding['name']}"
            rows.append((last / SECOND, event.type, event.reason, about, count, event.message))
        return Table(columns, rows, "Events")


def _row(life: Life) -> tuple[Any, ...]:
    pod = life.pod
    times = (life.created, life.bound, life.started, life.finished)
    seconds = (None if at is None else at / SECOND for at in times)
    return (
        pod.namespace,
        pod.name,
        pod.phase,
        pod.node,
        life.gpus,
        pod.template.priority,
        *seconds,
        life.waiting,
    )
