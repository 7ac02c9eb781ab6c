"""The recorded timelines, each played and compared with what a real control plane did."""

import gzip
import json
import re
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from gpusched.kubectl.run import run as print_with_kubectl
from gpusched.sim.control_plane import ControlPlane
from gpusched.timeline.player import play
from gpusched.timeline.scheduling import KubeScheduler
from gpusched.timeline.script import read_script
from gpusched.timeline.view import PlaneView
from tests.timeline.accidents import ACCIDENTS, OPEN, RACES
from tests.timeline.comparison import Verdict, compare

pytestmark = [
    pytest.mark.golden,
    # The real scheduler's int64 sums wrap around, and so must ours.
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),
]
GOLDEN = Path(__file__).parents[1] / "golden" / "timelines"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.yaml"))


def printer(words: Sequence[str], plane: ControlPlane) -> dict[str, Any]:
    output = print_with_kubectl(PlaneView(plane), words)
    return {"rc": output.exit_status, "stdout": output.stdout, "stderr": output.stderr}


@cache
def recorded(name: str) -> Any:
    with gzip.open(GOLDEN / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        return json.load(file)


@cache
def played(name: str) -> Any:
    return play(read_script(GOLDEN / f"{name}.yaml"), printer=printer)


@cache
def verdicts(name: str) -> tuple[Verdict, ...]:
    return tuple(compare(recorded(name), played(name)))


def numbers_of_nodes_looked_at(run: Any) -> set[str]:
    return {line["evaluatedNodes"] for line in run["scheduler_log"] if line["what"] == "bound"}


def excused(name: str, key: str, table: dict[str, tuple[str, ...]]) -> bool:
    return any(re.fullmatch(pattern, key) for pattern in table.get(name, ()))


@pytest.mark.parametrize("name", NAMES)
def test_a_timeline_goes_as_recorded(name: str) -> None:
    wrong = [
        verdict
        for verdict in verdicts(name)
        if not verdict.agrees
        and not any(excused(name, verdict.key, table) for table in (ACCIDENTS, RACES, OPEN))
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("name", "patterns"),
    [
        pytest.param(name, table[name], id=f"{word}-{name}")
        for word, table in (("accidents", ACCIDENTS), ("races", RACES), ("open", OPEN))
        for name in sorted(table)
    ],
)
def test_what_is_not_compared_still_differs(name: str, patterns: tuple[str, ...]) -> None:
    failing = [verdict.key for verdict in verdicts(name) if not verdict.agrees]
    unneeded = [
        pattern for pattern in patterns if not any(re.fullmatch(pattern, key) for key in failing)
    ]
    assert not unneeded


@pytest.mark.parametrize("name", NAMES)
def test_the_log_of_bindings_counts_the_nodes_that_were_looked_at(name: str) -> None:
    known = set().union(*map(numbers_of_nodes_looked_at, recorded(name)["runs"]))
    assert numbers_of_nodes_looked_at(played(name)) <= known


@pytest.mark.parametrize("name", NAMES)
def test_a_timeline_goes_alike_under_both_engines(name: str) -> None:
    script = read_script(GOLDEN / f"{name}.yaml")
    both = partial(KubeScheduler, engine="verify")
    assert play(script, both, printer=printer) == played(name)
