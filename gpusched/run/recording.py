"""From a played scenario to the record that is kept of it."""

from gpusched.run.playing import Played
from gpusched.run.record import RunRecord
from gpusched.sim.calendar import EPOCH
from gpusched.sim.pod import Json


def record_of(played: Played) -> RunRecord:
    """Return the record of a played scenario."""
    scenario = played.scenario
    expect = scenario.expect
    return RunRecord(
        name=scenario.name,
        seed=played.seed,
        ended=played.ended,
        epoch=EPOCH,
        rows=played.plane.store.journal,
        interrupted=played.interrupted,
        reports=tuple(played.reports),
        moves=played.moves.moves(),
        configuration=scenario.scheduler_configuration,
        tie_break=played.tie_break,
        statistics=_statistics(played),
        expect=None if expect is None else expect.model_dump(mode="json", by_alias=True),
    )


def _statistics(played: Played) -> Json:
    scheduler = played.scheduler
    engine = scheduler.engine.statistics
    return {
        "attempts": dict(sorted(engine.attempts.items())),
        "fallbacks": dict(sorted(engine.fallbacks.items())),
        "evaluations": engine.evaluations,
        "counters": dict(sorted(scheduler.metrics.counters.items())),
        "gauges": scheduler.gauges(),
    }
