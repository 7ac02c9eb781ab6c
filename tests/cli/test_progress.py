"""The bar: how far, how fast, how long yet; and who sees it."""

import pytest

from gpusched.cli.progress import Loading, Progress, loading, wanted
from gpusched.run.pace import Pace

SECOND = 1_000_000


def test_the_bar_says_how_far_how_fast_and_how_long_yet() -> None:
    progress = Progress(600 * SECOND, clock=lambda: 0.0, write=lambda _: None)
    line = progress.line(150 * SECOND, 3.0)
    assert line == "[########                      ]  25%  150/600s  50.0 s/s  ETA 0:09"


def test_at_the_start_nothing_is_known() -> None:
    progress = Progress(60 * SECOND, clock=lambda: 0.0, write=lambda _: None)
    assert progress.line(0, 0.0) == f"[{' ' * 30}]   0%  0/60s  0.0 s/s  ETA 0:00"


def test_it_is_drawn_after_a_moment_ten_times_a_second_and_taken_away() -> None:
    now, written = [0.0], list[str]()
    progress = Progress(100 * SECOND, clock=lambda: now[0], write=written.append)
    for wall in (0.1, 0.3, 0.45, 0.5, 0.56, 0.57):
        now[0] = wall
        progress(Pace(int(wall * 10 * SECOND)))
    assert len(written) == 2
    progress.close()
    assert written[-1] == "\r\x1b[K"


def test_an_instant_that_lasts_says_what_is_done_in_it() -> None:
    now, written = [0.0], list[str]()
    progress = Progress(600 * SECOND, clock=lambda: now[0], write=written.append)
    empty = f"\r\x1b[K[{' ' * 30}]   0%  0/600s"
    for wall, pace in (
        (0.5, Pace(-SECOND, 100)),
        (2.5, Pace(-SECOND, 40_100)),
        (3.5, Pace(0, 100_000, 0, 9_000)),
        (9.5, Pace(0, 110_000, 1_000, 9_000)),
        (11.5, Pace(0, 120_000, 5_000, 600_000)),
    ):
        now[0] = wall
        progress(pace)
    assert written == [
        f"{empty}  0.0 s/s  ETA 0:00",
        f"{empty}  20,000 writes/s",
        f"{empty}  0.0 s/s  ETA 0:00",
        f"{empty}  0.0 s/s  ETA 0:00",
        f"{empty}  2,000 pods/s, 600,000 to go  ETA 5:00",
    ]


def test_a_run_that_is_over_at_once_draws_nothing() -> None:
    written = list[str]()
    progress = Progress(SECOND, clock=lambda: 0.0, write=written.append)
    progress(Pace(SECOND))
    progress.close()
    assert written == []


@pytest.mark.parametrize(("tty", "quiet", "shown"), [(True, False, True), (True, True, False),
                                                     (False, False, False)])  # fmt: skip
def test_only_a_terminal_without_quiet_sees_it(
    tty: bool, quiet: bool, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: tty)
    assert wanted(quiet=quiet) is shown


def test_the_bar_of_a_file_says_how_fast_and_how_long_yet() -> None:
    bar = Loading(clock=lambda: 0.0, write=lambda _: None)
    bar("pods.jsonl", 0, 0.0)
    assert bar.line(20_000, 0.25, 2.0) == (
        "[########                      ]  25%  reading pods.jsonl  10,000 objects/s  ETA 0:06"
    )
    assert bar.line(20_000, None, 2.0) == "reading pods.jsonl  20,000 objects  10,000 objects/s"


def test_a_file_that_is_read_at_once_shows_nothing() -> None:
    now, written = [0.0], list[str]()
    bar = Loading(clock=lambda: now[0], write=written.append)
    for wall in (0.1, 0.3):
        now[0] = wall
        bar("pods.jsonl", 100, wall)
    bar.close()
    assert not written
    for wall in (0.6, 0.65, 0.8):
        now[0] = wall
        bar("pods.jsonl", 100, wall)
    bar.close()
    assert len(written) == 3
    assert written[-1] == "\r\x1b[K"


def test_without_a_terminal_nobody_is_told_of_loading() -> None:
    with loading() as tell:
        assert tell is None
