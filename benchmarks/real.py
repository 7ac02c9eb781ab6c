"""The real kube-scheduler beside ours: the Go program of `conformance/cmd/bench`."""

import re
import statistics
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.shapes import Shape

_RATE = re.compile(r"rate=(\d+) pods/s")
RUNS = 3


def measure_real(program: Path, shape: Shape, ours: float) -> dict[str, Any] | None:
    """Return the real scheduler's pods per second and how many times faster ours is.

    Args:
        program: The built comparison program.
        shape: What to measure.
        ours: Our pods per second, measured just before on the same machine.
    """
    if shape.real is None:
        return None
    command = [str(program), "-nodes", str(shape.nodes), "-pods", str(shape.real_pods)]
    command += ["-kind", shape.real[0]]
    if "all" in shape.real:
        command += ["-percent", "100"]
    rates = []
    for _ in range(RUNS):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        found = _RATE.search(done.stdout)
        if found is None:
            print(f"{program} failed, once: {done.stderr.splitlines()[:1]}")
            continue
        rates.append(float(found.group(1)))
    if not rates:
        return None
    rate = statistics.median(rates)
    return {"pods_per_second": rate, "min": min(rates), "max": max(rates), "ratio": ours / rate}
