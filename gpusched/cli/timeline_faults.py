"""What is wrong with a timeline's input, told before it is played: kinds, names, KWOK processes."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any, Final

from gpusched.errors import Fault
from gpusched.sim.calendar import SECOND
from gpusched.sim.kinds import KINDS
from gpusched.timeline.script import Script, Step

_OBJECTS: Final = ("create",)
_TARGETS: Final = ("delete", "patch", "scale", "get")
_PROCESSES: Final = ("kwok_stop", "kwok_start")
_NEEDED: Final = {"patch": ("body",), "scale": ("replicas",)}


def faults_of(script: Script, file: str) -> list[Fault]:
    """Return everything that keeps a timeline from being played.

    Args:
        script: The timeline.
        file: Its file, for the messages.
    """
    lists = (("fleet", script.fleet), ("setup", script.setup))
    found = [(name, words) for name, objects in lists for words in _objects(objects)]
    processes = [name for name, _, _ in script.kwok] or ["kwok"]
    for step in script.steps:
        place = f"step at {step.at / SECOND:g}"
        found += [(place, words) for words in _step(step, processes)]
    return [Fault(f"{place}: {words}", file) for place, words in found]


def _step(step: Step, processes: Sequence[str]) -> Iterator[str]:
    items = step.body if isinstance(step.body, list) else [step.body]
    if step.operation in _OBJECTS:
        yield from _objects(items)
    elif step.operation in _TARGETS:
        for item in items:
            yield from _target(item, ("kind", "name", *_NEEDED.get(step.operation, ())))
    elif step.operation in _PROCESSES and step.body not in processes:
        yield f"{step.body}: no such KWOK process; there are {', '.join(processes)}"
    elif step.operation == "kubectl" and not _words(step.body):
        yield f"kubectl: {step.body!r} is not a line of arguments"


def _words(line: Any) -> list[str]:
    """Return a command line's words; none if it is not one."""
    try:
        return shlex.split(line) if isinstance(line, str) else []
    except ValueError:  # a quotation mark that is never closed
        return []


def _objects(objects: Sequence[Any]) -> Iterator[str]:
    for obj in objects:
        yield from _target(obj, ("kind", "metadata"))


def _target(item: Any, needed: Sequence[str]) -> Iterator[str]:
    if not isinstance(item, dict):
        yield f"{item!r}: must be an object"
        return
    yield from (f"{field}: is missing" for field in needed if field not in item)
    if "kind" in item and item["kind"] not in KINDS:
        yield f"kind: {item['kind']!r} is not known"
