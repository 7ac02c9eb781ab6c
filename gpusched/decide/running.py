"""Lines in, answers out: one line per case, in order, in one process or several."""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from typing import Any, Final

from gpusched.api.config import ConfigurationError
from gpusched.api.create import Created, create
from gpusched.decide.case import Case, MalformedCaseError
from gpusched.decide.reading import Line
from gpusched.decide.session import decide
from gpusched.decide.settings import Settings

_BATCH: Final = 8
_BATCHES_AHEAD: Final = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one line.

    Attributes:
        expect: As JSON, in the schema of ``expect``.
        malformed: The line could not be understood, or an object in it was refused.
    """

    expect: dict[str, Any]
    malformed: bool = False


def answer(value: Any, settings: Settings, name: str = "") -> Answer:
    """Answer a case.

    Args:
        value: The case, or ``{"case": …}``, as JSON.
        settings: How to decide.
        name: What to call a case without a name.
    """
    if isinstance(value, dict) and "case" in value:
        value = value["case"]
    if isinstance(value, dict) and not value.get("name") and name:
        value = {**value, "name": name}
    if isinstance(value, dict) and "object" in value:
        return Answer(_created(value))
    return _decided(value, settings, name)


def _decided(value: Any, settings: Settings, name: str) -> Answer:
    try:
        case = Case.read(value)
        name = case.name
        return Answer({"name": name, "decisions": decide(case, settings)})
    except ConfigurationError as error:
        return Answer(_error(name, error.message, error.stage.value))
    except MalformedCaseError as error:
        return Answer(_error(name, str(error), "object"), malformed=True)


def _error(name: str, text: str, stage: str) -> dict[str, Any]:
    return {"name": name, "error": text, "stage": stage, "decisions": []}


def _created(value: dict[str, Any]) -> dict[str, Any]:
    """Return what the API server makes of a single object."""
    result = create(value["object"])
    head = {"name": value.get("name", "")}
    if isinstance(result, Created):
        return head | {"defaulted": result.defaulted}
    errors = [
        {"field": error.field, "reason": error.reason, "message": error.message}
        for error in result.errors
    ]
    return head | {"error": result.message} | ({"errors": errors} if errors else {})


def _answer_line(line: Line, settings: Settings) -> Answer:
    try:
        value = json.loads(line.text)
    except json.JSONDecodeError as error:
        text = f"{line.place}: not JSON: {error.msg} (column {error.colno})"
        return Answer(_error(line.place, text, "case"), malformed=True)
    except (RecursionError, ValueError):
        text = f"{line.place}: not a case: it nests too deeply, or a number has too many digits"
        return Answer(_error(line.place, text, "case"), malformed=True)
    try:
        found = answer(value, settings, line.place)
    except Exception as error:  # noqa: BLE001 - one case must not end the others
        text = f"{line.place}: {type(error).__name__}: {error}"
        return Answer(_error(line.place, text, "internal"), malformed=True)
    if not found.malformed:
        return found
    text = f"{line.place}: {found.expect['error']}"
    return Answer(found.expect | {"error": text}, malformed=True)


def answers(lines: Iterable[Line], settings: Settings, jobs: int = 1) -> Iterator[Answer]:
    """Answer every line, in order, as they come.

    Args:
        lines: Lines of JSON.
        settings: How to decide.
        jobs: Number of processes.
    """
    if jobs == 1:
        for line in lines:
            yield _answer_line(line, settings)
        return
    executor = ProcessPoolExecutor(jobs, get_context("fork"), _prepare, (settings,))
    with executor as pool:
        running: deque[Future[list[Answer]]] = deque()
        for batch in _batches(lines):
            running.append(pool.submit(_answer_batch, batch))
            if len(running) > jobs * _BATCHES_AHEAD:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()


_shared: Settings = Settings()
"""A worker's settings: factories of plugins cannot be sent, only inherited."""


def _prepare(settings: Settings) -> None:
    global _shared  # noqa: PLW0603 - the one thing that a worker process keeps
    _shared = settings


def _batches(lines: Iterable[Line]) -> Iterator[tuple[Line, ...]]:
    rest = iter(lines)
    while batch := tuple(islice(rest, _BATCH)):
        yield batch


def _answer_batch(lines: tuple[Line, ...]) -> list[Answer]:
    return [_answer_line(line, _shared) for line in lines]
