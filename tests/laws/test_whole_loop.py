"""Laws of the whole loop under random operations: more than 5,000 steps with every change."""

from typing import Final

import pytest

from tests.laws.machine import ClusterMachine, pace

_WALKS: Final = 75
_STEPS: Final = 100


class WholeLoop(ClusterMachine):
    """Every engine, no latency: all laws are checked at every rest."""


class WholeLoopWithLatency(ClusterMachine):
    """Requests and watches take their recorded times; what hangs on hearing at once is left out."""

    engines = ("auto",)
    latencies = ("recorded-v1.36",)


WholeLoop.TestCase.settings = pace(_WALKS, _STEPS)
WholeLoopWithLatency.TestCase.settings = pace(15, 60)
TestWholeLoop = pytest.mark.property(WholeLoop.TestCase)
TestWholeLoopWithLatency = pytest.mark.property(WholeLoopWithLatency.TestCase)
