"""The fast engine and the scan agree at every attempt of random walks.

Here some hundred steps; ``make verify-engines`` takes more than 20,000.
"""

import pytest

from tests.laws.machine import ClusterMachine, pace


class Engines(ClusterMachine):
    """Asks both engines at each attempt; the first difference stops the walk."""

    engines = ("verify",)
    latencies = ("zero", "recorded-v1.36")
    fewest_nodes = 3

    def knows_all(self) -> bool:
        """Leave the other laws to the other machine."""
        return False


class SampledEngines(Engines):
    """So many nodes that an attempt looks at some of them, and the next goes on from there."""

    fewest_nodes = 110


Engines.TestCase.settings = pace(12, 60)
TestEngines = pytest.mark.property(Engines.TestCase)
SampledEngines.TestCase.settings = pace(4, 60, share=8)
TestSampledEngines = pytest.mark.property(SampledEngines.TestCase)
