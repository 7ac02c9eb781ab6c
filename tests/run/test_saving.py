"""A saved run: what comes back is what was saved; what is damaged or newer is refused."""

import gzip
import json
from pathlib import Path

import pytest

import gpusched
from gpusched import Run
from gpusched.errors import InvalidInputError
from gpusched.run.saving import JOURNAL, open_run, save

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "scenarios"


@pytest.fixture(scope="module")
def lesson() -> Run:
    return gpusched.simulate(SCENARIOS / "lesson_all.yaml", until="11m")


@pytest.fixture
def saved(lesson: Run, tmp_path: Path) -> Path:
    return lesson.save(tmp_path / "run", pictures=False)


def test_a_saved_run_answers_as_the_one_that_has_just_ended(lesson: Run, saved: Path) -> None:
    again = gpusched.open_saved(saved)
    assert again.result() == lesson.result()
    assert list(again.pods()) == list(lesson.pods())
    assert list(again.events()) == list(lesson.events())
    assert list(again.timeline()) == list(lesson.timeline())
    for at in (0, 1_000_000, 320_000_000, None):
        before, after = lesson.record.moment(at), again.record.moment(at)
        assert after.kinds() == before.kinds()
        for kind in before.kinds():
            assert after.objects(kind) == before.objects(kind)


def test_saving_what_was_opened_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    save(open_run(saved), tmp_path / "again")
    for file in saved.iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes(), file.name


def test_a_run_that_fails_to_be_written_leaves_the_earlier_one(lesson: Run, saved: Path) -> None:
    before = {file.name: file.read_bytes() for file in saved.iterdir()}

    def fail(_: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(InvalidInputError, match="cannot be written: No space left on device"):
        save(lesson.record, saved, [fail])
    assert {file.name: file.read_bytes() for file in saved.iterdir()} == before
    assert [path.name for path in saved.parent.iterdir()] == ["run"]


def rewrite_head(folder: Path, **changes: object) -> None:
    lines = gzip.decompress((folder / JOURNAL).read_bytes()).splitlines(keepends=True)
    head = {**json.loads(lines[0]), **changes}
    lines[0] = json.dumps(head).encode() + b"\n"
    (folder / JOURNAL).write_bytes(gzip.compress(b"".join(lines)))


def test_a_newer_run_is_refused_with_a_clear_word(saved: Path) -> None:
    rewrite_head(saved, schema=99)
    with pytest.raises(InvalidInputError) as caught:
        open_run(saved)
    assert str(caught.value) == (
        f"{saved}: was written by a newer gpusched (schema 99, known is 1); update"
    )


def test_an_older_run_without_moves_still_works(lesson: Run, saved: Path) -> None:
    lines = gzip.decompress((saved / JOURNAL).read_bytes()).splitlines(keepends=True)
    head = json.loads(lines[0])
    for name in ("moves", "configuration", "tieBreak"):
        del head[name]
    lines[0] = json.dumps(head).encode() + b"\n"
    (saved / JOURNAL).write_bytes(gzip.compress(b"".join(lines)))
    assert gpusched.open_saved(saved).result() == lesson.result()


def packed(text: bytes) -> bytes:
    return gzip.compress(text, mtime=0)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        pytest.param(JOURNAL, b"", id="an empty journal"),
        pytest.param(JOURNAL, b"no gzip", id="a journal that is no gzip"),
        pytest.param(JOURNAL, packed(b""), id="a journal without lines"),
        pytest.param(JOURNAL, packed(b"[]\n"), id="a head that is no object"),
        pytest.param(JOURNAL, packed(b'{"schema": "one"}\n'), id="a schema that is no number"),
        pytest.param(JOURNAL, packed(b'{"schema": 1}\n'), id="a head without its fields"),
        pytest.param(JOURNAL, packed(b"{\n"), id="a head that is no JSON"),
        pytest.param("journal.npz", b"", id="empty columns"),
        pytest.param("journal.npz", b"PK\x03\x04 cut off", id="columns that were cut off"),
    ],
)
def test_a_damaged_run_is_refused_without_a_traceback(
    saved: Path, file: str, content: bytes
) -> None:
    (saved / file).write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"is damaged .*; make the run again"):
        open_run(saved)


def test_a_journal_that_was_cut_off_is_damaged(saved: Path) -> None:
    data = (saved / JOURNAL).read_bytes()
    (saved / JOURNAL).write_bytes(data[: len(data) // 2])
    with pytest.raises(InvalidInputError, match="is damaged"):
        open_run(saved)
    (saved / JOURNAL).unlink()
    with pytest.raises(InvalidInputError, match="is not a saved run: it has no journal"):
        open_run(saved)


def test_a_missing_column_is_damage(saved: Path) -> None:
    (saved / "journal.npz").unlink()
    with pytest.raises(InvalidInputError, match="is damaged"):
        open_run(saved)
