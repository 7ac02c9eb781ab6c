"""Playing: progress changes nothing, interruptions keep what was done, refusals are told."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from gpusched.api.scenario import load_scenario
from gpusched.errors import InvalidInputError
from gpusched.run.pace import Pace, Teller, beating
from gpusched.run.playing import PlayOptions, play
from gpusched.run.recording import record_of
from gpusched.run.replay import Replay

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "scenarios" / "lesson_all.yaml"
HEAD = "apiVersion: gpusched.dev/v1alpha1\nkind: Scenario\nmetadata: {name: t}\n"


def write(tmp_path: Path, spec: str) -> Path:
    file = tmp_path / "t.yaml"
    file.write_text(f"{HEAD}spec:\n{spec}")
    return file


def test_telling_progress_changes_nothing() -> None:
    told: list[Pace] = []
    plain = play(load_scenario(LESSON))
    watched = play(load_scenario(LESSON), PlayOptions().reporting_to(told.append))
    journals = [played.plane.store.journal.digest() for played in (plain, watched)]
    assert journals[0] == journals[1]
    assert told == sorted(told)
    assert told[-1].now == 60_000_001
    assert (told[-1].writes, told[-1].waiting) == (watched.plane.store.version, 0)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (PlayOptions(engine="slow"), "engine: 'slow' is none of auto, scan, fast, verify"),
        (PlayOptions(tie_break="coin"), "tie_break: 'coin' is none of kube, name, random"),
    ],
)
def test_a_choice_that_there_is_not_is_refused(choices: PlayOptions, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        play(load_scenario(LESSON), choices)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interruption_ends_the_run_between_two_writes() -> None:
    def interrupt(pace: Pace) -> None:
        if pace.now >= 30_000_000:
            os.kill(os.getpid(), signal.SIGINT)

    played = play(load_scenario(LESSON), PlayOptions().reporting_to(interrupt))
    assert played.interrupted
    assert 30_000_000 <= played.ended < 60_000_000
    record = record_of(played)
    assert record.phases() == {"Pending": 11, "Running": 32}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_instant_that_lasts_is_told_of_while_it_lasts() -> None:
    told: list[int] = []
    steps = iter(range(10**9))
    with beating(lambda: told.append(next(steps))):
        while len(told) < 2:
            next(steps)
    assert told[0] < told[1]
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_an_alarm_that_somebody_else_has_stays_theirs() -> None:
    usual = signal.signal(signal.SIGALRM, lambda *_: None)
    try:
        with beating(lambda: None):
            assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        signal.signal(signal.SIGALRM, usual)


def test_nobody_is_told_while_being_told() -> None:
    told: list[Pace] = []

    def listen(pace: Pace) -> None:
        told.append(pace)
        tell()

    tell = Teller(listen, lambda: Pace(7))
    tell()
    tell()
    assert told == [Pace(7), Pace(7)]


def test_equal_seeds_give_equal_journals_and_others_do_not() -> None:
    digests = [
        play(load_scenario(LESSON), PlayOptions(seed=seed)).plane.store.journal.digest()
        for seed in (1, 1, 2)
    ]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("  schedulerFlags: [--v=9]\n",
         ("spec.schedulerFlags: --v=9: only --feature-gates=SchedulerPopFromBackoffQ=false is "
         "simulated")),
        (("  schedulerConfiguration: {apiVersion: kubescheduler.config.k8s.io/v1, "
         "kind: KubeSchedulerConfiguration, percentageOfNodesToScore: 101}\n"),
         "percentageOfNodesToScore: Invalid value: 101"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_told(tmp_path: Path, spec: str, message: str) -> None:
    scenario = load_scenario(write(tmp_path, spec))
    with pytest.raises(InvalidInputError) as caught:
        play(scenario)
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_refusals_do_not_end_a_run(tmp_path: Path) -> None:
    spec = (
        "  steps:\n"
        "    - {at: 1s, scale: {kind: Deployment, name: nope, replicas: 3}}\n"
        "    - {at: 2s, cordon: nope}\n"
        "    - {at: 3s, kwokStop: nope}\n"
        "  until: 10s\n"
    )
    record = record_of(play(load_scenario(write(tmp_path, spec))))
    refused = [(at // 1_000_000, text) for at, text, refused in record.reports if refused]
    assert [at for at, _ in refused] == [1, 2, 3]
    assert refused[0][1] == ('Error from server (NotFound): deployments.apps "nope" not found')


def test_replaying_a_journal_gives_the_store_at_its_end() -> None:
    played = play(load_scenario(LESSON))
    replay = Replay(list(played.plane.store.journal.rows())).jump()
    pods: dict[str, Any] = {pod.name: pod for pod in played.plane.store.pods()}
    assert {pod.name for pod in replay.pods.values()} == set(pods)
    for pod in replay.pods.values():
        assert (pod.phase, pod.node) == (pods[pod.name].phase, pods[pod.name].node)
