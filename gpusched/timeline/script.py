"""The input of a timeline: fleet, set-up, configuration, timed steps."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gpusched.errors import Fault, InvalidInputError
from gpusched.sim.calendar import SECOND

Json = dict[str, Any]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NEEDED = ("name", "duration")
OPERATIONS = (
    "create",
    "delete",
    "patch",
    "scale",
    "kubectl",
    "post_raw",
    "get",
    "kwok_stop",
    "kwok_start",
    "dump",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One timed step.

    Attributes:
        at: When, in microseconds since t = 0.
        operation: One of `OPERATIONS`.
        body: What to do, in the operation's own form.
        stdin: A kubectl command's standard input.
    """

    at: int
    operation: str
    body: Any
    stdin: str


@dataclass(frozen=True, slots=True)
class Script:
    """A timeline's input.

    Attributes:
        name: Its name.
        duration: When it ends, in microseconds since t = 0.
        fleet: Nodes.
        setup: Objects that are created before t = 0.
        steps: The steps in order.
        scheduler_config: A KubeSchedulerConfiguration as text; empty for the defaults.
        scheduler_flags: kube-scheduler's command line.
        kwok: Name, arguments and Stage YAML of each KWOK process.
    """

    name: str
    duration: int
    fleet: tuple[Json, ...]
    setup: tuple[Json, ...]
    steps: tuple[Step, ...]
    scheduler_config: str
    scheduler_flags: tuple[str, ...]
    kwok: tuple[tuple[str, tuple[str, ...], str], ...]


def read_script(path: Path) -> Script:
    """Return the timeline of a file.

    Raises:
        InvalidInputError: It is not one.
    """
    try:
        document = yaml.load(path.read_text("utf-8"), _LOADER)  # noqa: S506 - a safe one
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidInputError([Fault(f"not a timeline: {error}", str(path))]) from error
    if problem := _what_lacks(document):
        raise InvalidInputError([Fault(problem, str(path))])
    try:
        return parse_script(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInputError([Fault(f"not a timeline: {error}", str(path))]) from error


def _what_lacks(document: Any) -> str:
    """Return why a document cannot be a timeline at all; an empty text if it can."""
    if isinstance(document, dict) and document.get("kind") == "Scenario":
        return "is a Scenario, not a timeline; play it with gpusched run"
    held = document if isinstance(document, dict) else {}
    lacking = [field for field in _NEEDED if field not in held]
    return f"not a timeline: it has no {' and no '.join(lacking)}" if lacking else ""


def parse_script(document: Json) -> Script:
    """Return the timeline of a decoded document."""
    return Script(
        name=document["name"],
        duration=_micros(document["duration"]),
        fleet=tuple(document.get("fleet") or ()),
        setup=tuple(document.get("setup") or ()),
        steps=tuple(_step(item) for item in document.get("steps") or ()),
        scheduler_config=_text(document.get("scheduler_config")),
        scheduler_flags=tuple(document.get("scheduler_flags") or ()),
        kwok=tuple(
            (item["name"], tuple(item.get("args") or ()), item.get("config") or "")
            for item in document.get("kwok") or ()
        ),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else yaml.safe_dump(value) if value else ""


def _step(item: Json) -> Step:
    operation = next((name for name in OPERATIONS if name in item), None)
    if operation is None:
        raise ValueError(f"step at {item['t']}: no operation; known are {', '.join(OPERATIONS)}")
    return Step(_micros(item["t"]), operation, item[operation], item.get("stdin") or "")


def _micros(seconds: Any) -> int:
    return round(float(seconds) * SECOND)
