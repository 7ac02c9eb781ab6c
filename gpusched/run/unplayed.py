"""What a scenario asks for that is not played: refused, or told as a note, never passed over.

A kubectl command that is not simulated is a fault: without it the cluster would be another one. A
manifest whose fields nobody here acts on is only noted, since much of what people have in their
manifests does not bear on scheduling.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from gpusched.api.config.duration import format_duration
from gpusched.api.load import Manifest
from gpusched.api.scenario import Apply, Create, Kubectl, Scenario
from gpusched.errors import Fault
from gpusched.timeline.playable import why_unplayable

Json = dict[str, Any]
Note = tuple[str, str]
"""(field, what is not done about it)"""
_NANOSECONDS: Final = 1000
_NOBODY: Final = {
    "CronJob": "its Jobs are not started; create them in steps",
    "ReplicationController": "its pods are not made; use a Deployment",
}
_PER_INDEX: Final = "a failed pod counts towards backoffLimit, whatever its index"


def faults_of(scenario: Scenario) -> list[Fault]:
    """Return a fault for each kubectl command of a scenario that cannot be played."""
    return [
        Fault(f'step at {_shown(step.at)}: kubectl: "{action.arguments}": {why}', scenario.file)
        for step in scenario.steps
        for action in step.actions
        if isinstance(action, Kubectl) and (why := why_unplayable(action.arguments))
    ]


def _shown(at: int) -> str:
    return format_duration(at * _NANOSECONDS)


def notes_of(scenario: Scenario) -> list[Fault]:
    """Return what a scenario's manifests ask for that nobody acts on, each with its place."""
    found = [
        manifest.fault(": ".join(filter(None, (_name(manifest.object), field, what))), field)
        for manifest in _manifests(scenario)
        for field, what in unplayed(manifest.object)
    ]
    return list(dict.fromkeys(found))


def unplayed(obj: Json) -> Iterator[Note]:
    """Yield what an object asks for that nobody acts on."""
    kind = str(obj.get("kind"))
    if kind in _NOBODY:
        yield "", _NOBODY[kind]
    judge = _JUDGES.get(kind)
    if judge is not None:
        yield from judge(obj.get("spec") or {})


def _of_job(spec: Json) -> Iterator[Note]:
    if spec.get("backoffLimitPerIndex") is not None:
        yield "spec.backoffLimitPerIndex", f"is not simulated: {_PER_INDEX}"


def _of_set(spec: Json) -> Iterator[Note]:
    policy = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    if spec.get("volumeClaimTemplates") and "Delete" in policy.values():
        yield "spec.persistentVolumeClaimRetentionPolicy", "is not simulated: claims are retained"


_JUDGES: Final[Mapping[str, Callable[[Json], Iterator[Note]]]] = {
    "Job": _of_job,
    "StatefulSet": _of_set,
}


def _manifests(scenario: Scenario) -> Iterator[Manifest]:
    yield from (*scenario.fleet, *scenario.setup)
    for step in scenario.steps:
        for action in step.actions:
            if isinstance(action, (Apply, Create)):
                yield from action.manifests


def _name(obj: Json) -> str:
    meta = obj.get("metadata") or {}
    return f"{obj.get('kind')} {meta.get('name') or meta.get('generateName', '')}"
