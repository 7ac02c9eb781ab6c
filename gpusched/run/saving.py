"""The folder of a saved run: written whole or not at all, refused when it is damaged or newer.

Files: ``result.json`` (see `result`), ``events.jsonl`` (core/v1 events), ``pods.csv``,
``timeline.csv``, ``journal.npz`` and ``journal.jsonl.gz`` (the journal's columns and details), and
whatever pictures the caller adds.
"""

import gzip
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from gpusched.errors import Fault, InvalidInputError
from gpusched.run.codec import SCHEMA, Templates, decode, encode
from gpusched.run.moves import NO_MOVES, Moves
from gpusched.run.record import RunRecord
from gpusched.run.table import Table
from gpusched.sim.calendar import SECOND
from gpusched.sim.journal import Row, What, columns_of
from gpusched.sim.pod import Json

Extra = Callable[[Path], None]
"""Writes something more into the folder."""

_RESULT: Final = "result.json"
_COLUMNS: Final = "journal.npz"
JOURNAL: Final = "journal.jsonl.gz"
_BATCH: Final = 1000
_as_json: Final = json.JSONEncoder(ensure_ascii=False).encode


def save(record: RunRecord, folder: Path, extras: Sequence[Extra] = ()) -> None:
    """Write a run into ``folder``; an earlier run there is replaced, anything else is not touched.

    Raises:
        InvalidInputError: The folder exists and is not a run, or it cannot be written.
    """
    check_folder(folder)
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _write(record, partial)
        for extra in extras:
            extra(partial)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    except OSError as error:
        raise _refusal(folder, f"cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_folder(folder: Path) -> None:
    """Refuse a folder that a run must not replace.

    Raises:
        InvalidInputError: It exists and is neither empty nor a saved run.
    """
    if folder.exists() and not _is_ours(folder):
        raise _refusal(folder, "exists and is not a saved run; choose another folder")


def _is_ours(folder: Path) -> bool:
    return folder.is_dir() and ((folder / _RESULT).exists() or not any(folder.iterdir()))


def _refusal(folder: Path, why: str) -> InvalidInputError:
    return InvalidInputError([Fault(why, str(folder))])


def _write(record: RunRecord, folder: Path) -> None:
    from gpusched.run.result import result_of  # noqa: PLC0415 - who only reads needs no models

    moment = record.end()
    result = json.dumps(result_of(record, moment), indent=2, ensure_ascii=False)
    (folder / _RESULT).write_text(result + "\n", encoding="utf-8")
    events = moment.objects("Event")
    lines = (f"{_as_json(event)}\n" for event in events)
    (folder / "events.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "pods.csv").write_text(record.pods().to_csv(), encoding="utf-8")
    (folder / "timeline.csv").write_text(timeline_table(record).to_csv(), encoding="utf-8")
    _write_journal(record, folder)


def timeline_table(record: RunRecord) -> Table:
    """Return a run over time: one row per instant at which a count changed."""
    history = record.history
    columns = ("seconds", *(phase.lower() for phase in history.phases), "gpus_in_use", "gpus")
    counts = [column.tolist() for column in history.phases.values()]
    seconds = (at / SECOND for at in history.times.tolist())
    rows = zip(seconds, *counts, history.gpus.tolist(), history.capacity.tolist(), strict=True)
    return Table(columns, rows, "Timeline")


def _write_journal(record: RunRecord, folder: Path) -> None:
    templates, text = Templates(), JsonText()
    details = [text.of(encode(row.what, row.detail, templates)) for row in record.rows]
    head = {
        "schema": SCHEMA,
        "name": record.name,
        "seed": record.seed,
        "ended": record.ended,
        "epoch": record.epoch,
        "interrupted": record.interrupted,
        "reports": list(record.reports),
        "statistics": record.statistics,
        "expect": record.expect,
        "moves": record.moves.to_json(),
        "configuration": record.configuration,
        "tieBreak": record.tie_break,
        "simulated": record.simulated,
        "templates": templates.to_json(),
        "rows": len(details),
    }
    with (
        (folder / JOURNAL).open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
    ):
        packed.write(f"{_as_json(head)}\n".encode())
        for start in range(0, len(details), _BATCH):
            batch = details[start : start + _BATCH]
            packed.write("".join(f"{line}\n" for line in batch).encode())
    at, what, subject, version = columns_of(record.rows)
    np.savez_compressed(folder / _COLUMNS, at=at, what=what, subject=subject, version=version)


class JsonText:
    """Details as JSON text. An object is written many times with one spec, siblings share it."""

    def __init__(self) -> None:
        self._specs: dict[int, tuple[Json, str]] = {}
        """By identity; the spec is held, so that no other object can come to have it."""

    def of(self, detail: Any) -> str:
        """Return a row's detail, as `encode` gives it, as JSON text."""
        if not isinstance(detail, dict) or "spec" not in detail:
            return _as_json(detail)
        parts = (
            f"{_as_json(name)}: {self._spec(value) if name == 'spec' else _as_json(value)}"
            for name, value in detail.items()
        )
        return "{" + ", ".join(parts) + "}"

    def _spec(self, spec: Json) -> str:
        known = self._specs.get(id(spec))
        if known is None:
            known = self._specs[id(spec)] = spec, _as_json(spec)
        return known[1]


def open_run(folder: Path) -> RunRecord:
    """Read a saved run.

    Raises:
        InvalidInputError: It is not one, is damaged, or was written by a newer gpusched.
    """
    if not (folder / JOURNAL).is_file():
        raise _refusal(folder, f"is not a saved run: it has no {JOURNAL}")
    try:
        with gzip.open(folder / JOURNAL, "rt", encoding="utf-8") as lines:
            head = json.loads(next(lines))
            _check_schema(head, folder)
            details = [json.loads(line) for line in lines]
        with (folder / _COLUMNS).open("rb") as raw, np.load(raw) as columns:
            table = [columns[name].tolist() for name in ("at", "what", "subject", "version")]
        rows = list(_rows(table, details, Templates(head["templates"])))
    except InvalidInputError:
        raise
    except (OSError, EOFError, ValueError, KeyError, StopIteration, zipfile.BadZipFile) as error:
        why = f"is damaged ({type(error).__name__}: {error}); make the run again"
        raise _refusal(folder, why) from None
    return _record(head, rows)


def _check_schema(head: Any, folder: Path) -> None:
    schema = head.get("schema") if isinstance(head, dict) else None
    if not isinstance(schema, int):
        raise ValueError("no schema number")  # noqa: TRY004 - told as damage, with the others
    if schema > SCHEMA:
        words = f"was written by a newer gpusched (schema {schema}, known is {SCHEMA}); update"
        raise _refusal(folder, words)


def _rows(table: list[list[int]], details: list[Any], templates: Templates) -> Iterator[Row]:
    for at, what, subject, version, detail in zip(*table, details, strict=True):
        kind = What(what)
        yield Row(at, kind, subject, version, decode(kind, detail, templates))


def _record(head: dict[str, Any], rows: list[Row]) -> RunRecord:
    return RunRecord(
        name=head["name"],
        seed=head["seed"],
        ended=head["ended"],
        epoch=head["epoch"],
        rows=rows,
        interrupted=head["interrupted"],
        reports=[(at, text, refused) for at, text, refused in head["reports"]],
        statistics=head["statistics"],
        expect=head["expect"],
        moves=Moves(**head["moves"]) if "moves" in head else NO_MOVES,
        configuration=head.get("configuration"),
        tie_break=head.get("tieBreak", "kube"),
        simulated=head["simulated"],
    )
