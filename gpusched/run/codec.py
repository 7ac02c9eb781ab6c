"""A journal's details as JSON, and back: what a saved run holds of each row."""

from dataclasses import fields
from typing import Any, Final

from gpusched.sim.event_log import EventRecord
from gpusched.sim.journal import (
    EVENT_WRITTEN,
    OBJECT_DELETED,
    POD_CREATED,
    POD_REPLACED,
    POD_STEP,
    What,
)
from gpusched.sim.pod import Condition, Containers, Json, Pod, PodTemplate

SCHEMA: Final = 1
"""The number of this form; it grows when a reader of the old form would misread the new one."""
_PLAIN: Final = (
    "name",
    "serial",
    "created",
    "version",
    "node",
    "phase",
    "started",
    "nominated",
    "deletion",
    "grace",
    "finished",
    "ready",
    "generation",
)
_EVENT: Final = tuple(each.name for each in fields(EventRecord))


class Templates:
    """Pod templates by number, in order of first appearance."""

    def __init__(self, known: list[Json] | None = None) -> None:
        self._numbers: dict[PodTemplate, int] = {}
        self._templates: list[PodTemplate] = []
        for item in known or ():
            template = PodTemplate(item["namespace"], item["meta"], item["spec"])
            self._numbers[template] = len(self._templates)
            self._templates.append(template)

    def number(self, template: PodTemplate) -> int:
        """Return a template's number, giving it one at first sight."""
        number = self._numbers.setdefault(template, len(self._templates))
        if number == len(self._templates):
            self._templates.append(template)
        return number

    def __getitem__(self, number: int) -> PodTemplate:
        """Return the template of a number."""
        return self._templates[number]

    def to_json(self) -> list[Json]:
        """Return all templates as JSON, in order of their numbers."""
        return [
            {"namespace": t.namespace, "meta": t.meta(), "spec": t.spec} for t in self._templates
        ]


def encode(what: What, detail: Any, templates: Templates) -> Any:
    """Return a row's detail as JSON."""
    if what is POD_CREATED:
        return [templates.number(detail[0]), *detail[1:]]
    if what is POD_REPLACED:
        return _encode_pod(detail, templates)
    if what is EVENT_WRITTEN:
        return {name: getattr(detail, name) for name in _EVENT}
    return detail


def decode(what: What, detail: Any, templates: Templates) -> Any:
    """Return a row's detail from its JSON."""
    if what is POD_CREATED:
        return (templates[detail[0]], *detail[1:])
    if what in (POD_STEP, OBJECT_DELETED):
        return _tuples(detail)
    if what is POD_REPLACED:
        return _decode_pod(detail, templates)
    if what is EVENT_WRITTEN:
        return EventRecord(**{**detail, "series": _tuples(detail["series"])})
    return detail


def _tuples(value: Any) -> Any:
    """Steps compare and hash their arguments, so lists must be tuples again."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _encode_pod(pod: Pod, templates: Templates) -> Json:
    containers = pod.containers
    return {
        "template": templates.number(pod.template),
        **{name: getattr(pod, name) for name in _PLAIN},
        "conditions": [list(condition) for condition in pod.conditions],
        "containers": None if containers is None else list(containers),
        "status": pod.detail if containers is None else None,
    }


def _decode_pod(given: Json, templates: Templates) -> Pod:
    pod = Pod(templates[given["template"]], given["name"], given["serial"], given["created"])
    for name in _PLAIN:
        setattr(pod, name, given[name])
    pod.conditions = tuple(Condition(*condition) for condition in given["conditions"])
    containers = given["containers"]
    pod.detail = given["status"] if containers is None else Containers(*containers)
    return pod
