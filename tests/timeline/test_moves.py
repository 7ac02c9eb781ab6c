"""What the recorder reads from kube-scheduler's log."""

from datetime import UTC, datetime

import pytest

from conformance.golden.moves import moves


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Pod moved to an internal scheduling queue", id="a pod that goes on"),
        pytest.param(
            "Pod moved to an internal scheduling queue, because the pod is gated",
            id="a pod that a gate keeps back",
        ),
    ],
)
def test_a_move_is_read_however_its_text_ends(text: str) -> None:
    zero = datetime(2026, 1, 1, tzinfo=UTC).astimezone()
    told = f'"{text}" pod="a/p" event="UnschedulablePodAdd" queue="Unschedulable"'
    line = f"I{zero:%m%d} {zero:%H:%M:%S}.250000     1 scheduling_queue.go:1] {told}"
    assert list(moves(line, zero)) == [
        {
            "t": 0.25,
            "what": "queue",
            "pod": "a/p",
            "event": "UnschedulablePodAdd",
            "queue": "Unschedulable",
        }
    ]
