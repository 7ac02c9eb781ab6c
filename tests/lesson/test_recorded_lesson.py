"""A simulated lesson reads as kubectl printed the real one."""

import re
from pathlib import Path
from typing import Any

import pytest

from gpusched import Run
from gpusched.kubectl import run
from tests.kubectl.recordings import load, words
from tests.lesson.recorded import POD, REPLICA_SET, TIMES, comparable, simulated

pytestmark = pytest.mark.golden

# That scheduler ran with parallelism 16, where ties fall at random: the small pod got the other of
# two equal A100 nodes.
TIES_AT_RANDOM = {"lesson-age-50m"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lessons")


def stand_in(word: str, lesson: str, played: Run) -> str:
    """Return the simulated object that stands for a recorded one with a generated name."""
    moment = played.record.moment()
    if REPLICA_SET.fullmatch(word):
        return str(moment.objects("ReplicaSet")[0]["metadata"]["name"])
    if not POD.fullmatch(word):
        return word
    recorded = {obj["metadata"]["name"]: obj for obj in load(lesson)["objects"]}
    wanted = place(recorded[word])
    pods = (pod for pod in moment.objects("Pod") if POD.fullmatch(pod["metadata"]["name"]))
    return next(str(pod["metadata"]["name"]) for pod in pods if place(pod) == wanted)


def place(pod: dict[str, Any]) -> str:
    return str(pod["spec"].get("nodeName", ""))


@pytest.mark.parametrize(
    ("lesson", "file"), [(lesson, file) for lesson in TIMES for file in load(lesson)["files"]]
)
def test_the_simulated_lesson_reads_as_the_recorded_one(
    lesson: str, file: str, folder: Path
) -> None:
    played = simulated(lesson, folder)
    argv, wanted = words(load(lesson)["files"][file])
    outcome = run(played.record.moment(), [stand_in(word, lesson, played) for word in argv])
    printed = outcome.stdout + outcome.stderr
    free = lesson in TIES_AT_RANDOM
    if free and file.startswith("describe-node"):
        wanted, printed = (re.sub("cuda-batch-small", "<pod>", t) for t in (wanted, printed))
    assert comparable(printed, either_a100=free) == comparable(wanted, either_a100=free)
