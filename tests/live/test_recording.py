"""What watchers would hear of a simulated run says the same as the run itself."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from gpusched.live.comparing import TOLERANCE, differences
from gpusched.live.facts import facts_of
from gpusched.live.recording import rows_of
from gpusched.live.simulating import Chances, simulated
from gpusched.live.watching import Heard
from gpusched.run.record import RunRecord
from gpusched.run.replay import Replay
from gpusched.run.saving import open_run, save
from gpusched.sim.journal import What
from gpusched.sim.manifest import manifest_of
from tests.live.conftest import read
from tests.strategies.scenarios import scenarios

ZERO = 1_767_225_600_000_000
"""The simulator's wall time of t = 0, microseconds since the Unix epoch."""


def heard_of(record: RunRecord) -> Iterator[Heard]:
    """Yield each write of a run as a watcher would hear of it."""
    replay = Replay(record.rows)
    for row in record.rows:
        gone = (
            {"metadata": {}} if row.what is not What.OBJECT_DELETED else replay.objects[row.detail]
        )
        change = replay.one()
        if change is not None:
            pod = change.new or change.old
            assert pod is not None
            verb = "DELETED" if change.new is None else "MODIFIED"
            yield Heard(ZERO + row.at, verb, manifest_of(pod, record.calendar))
        elif row.what is What.EVENT_WRITTEN:
            event = row.detail.core(record.calendar)
            event["metadata"]["uid"] = f"event-{row.subject}"
            yield Heard(ZERO + row.at, "MODIFIED", event)
        elif row.what is What.OBJECT_DELETED:
            yield Heard(ZERO + row.at, "DELETED", gone)
        else:
            yield Heard(ZERO + row.at, "MODIFIED", row.detail)


@pytest.mark.property
@settings(max_examples=30, deadline=None)
@given(document=scenarios())
def test_a_recording_holds_the_facts_of_what_was_heard(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    scenario = replace(read(document, tmp_path), until=20_000_000)
    record = simulated(scenario, Chances())
    rows = rows_of(list(heard_of(record)), ZERO, record.ended)
    recorded = replace(record, rows=rows, simulated=False)
    assert list(differences(facts_of(recorded), facts_of(record), TOLERANCE)) == []
    save(recorded, tmp_path / "run")
    again = open_run(tmp_path / "run")
    assert not again.simulated
    assert facts_of(again) == facts_of(recorded)
