"""A scenario read from its file: other files resolved, all manifests judged, all faults at once."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gpusched.api.decode import STRICT, Finding, nearest, path_text, strict
from gpusched.api.decode import Path as FieldPath
from gpusched.api.load import Manifest, Tell, load
from gpusched.api.scenario.actions import (
    Action,
    Apply,
    Cordon,
    Create,
    Json,
    Kubectl,
    KwokStart,
    KwokStop,
    Uncordon,
)
from gpusched.api.scenario.document import (
    API_VERSION,
    Expectation,
    Kwok,
    LatencyBlock,
    ScenarioDocument,
    StepDocument,
)
from gpusched.api.scenario.durations import Runtime
from gpusched.errors import Fault, InvalidInputError

_STAGE_GROUP: Final = "kwok.x-k8s.io/"
_SCHEDULER_GROUP: Final = "kubescheduler.config.k8s.io/"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is done at a time.

    Attributes:
        at: Microseconds from the start.
        actions: What is done, in this order.
        note: Why, or None.
    """

    at: int
    actions: tuple[Action, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario with all its manifests at hand; nothing is compiled or defaulted.

    Attributes:
        name: Its name.
        file: The file that it was read from.
        description: What it shows.
        fleet: The nodes, and whatever else must be there first.
        setup: Objects created before the first step.
        steps: What happens, sorted by time.
        runtimes: How long pods run.
        until: Microseconds after which it ends.
        seed: What all random draws hang on.
        scheduler_configuration: A KubeSchedulerConfiguration as JSON, or None for the defaults.
        scheduler_flags: Further flags of kube-scheduler.
        kwok: How nodes and pods are played.
        stages: The Stage manifests, if ``kwok.stages`` names files or holds them.
        latency: A latency model's name, or its numbers.
        expect: What must be true at the end.
    """

    name: str
    file: str
    description: str = ""
    fleet: tuple[Manifest, ...] = ()
    setup: tuple[Manifest, ...] = ()
    steps: tuple[Step, ...] = ()
    runtimes: tuple[Runtime, ...] = ()
    until: int = 600_000_000
    seed: int = 1
    scheduler_configuration: Json | None = None
    scheduler_flags: tuple[str, ...] = ()
    kwok: Kwok = field(default_factory=Kwok)
    stages: dict[str, tuple[Manifest, ...]] = field(default_factory=dict)
    latency: str | LatencyBlock = "zero"
    expect: Expectation | None = None


def load_scenario(name: str | Path, tell: Tell | None = None) -> Scenario:
    """Return the scenario of a file; ``-`` is standard input.

    Args:
        name: The file; files that it names are looked up relative to it.
        tell: Is told, now and then, how far the reading of a file has come.

    Raises:
        InvalidInputError: Something is wrong in it or in a file that it names; all faults are told.
    """
    found = load(str(name), judge=_judge, tell=tell)
    if len(found) != 1:
        words = f"{len(found)} scenarios in one file; give each a file of its own"
        raise InvalidInputError([found[1].fault(words)])
    return _Resolver(found[0], tell).scenario()


def _judge(obj: Any) -> Iterator[Finding]:
    """Yield what is wrong with a scenario's own fields."""
    if not isinstance(obj, dict) or obj.get("kind") != "Scenario":
        remedy = f"it needs apiVersion: {API_VERSION} and kind: Scenario"
        yield Finding("is not a Scenario", (), remedy)
        return
    try:
        ScenarioDocument.model_validate(obj)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            yield _finding(details, obj)


def _finding(details: ErrorDetails, obj: Json) -> Finding:
    """Return one of pydantic's errors in the API server's manner."""
    path = _path_in(obj, details["loc"])
    text = path_text(path)
    if details["type"] == "extra_forbidden":
        known = _known_beside(path)
        return Finding(f'{STRICT}unknown field "{text}"', path, nearest(str(path[-1]), known))
    if details["type"] == "missing":
        return Finding(f"{text}: Required value", path)
    words = details["msg"][0].lower() + details["msg"][1:]
    return Finding(f"{text}: Invalid value: {_shown(details['input'])}: {words}", path)


def _path_in(obj: Json, location: Iterable[str | int]) -> FieldPath:
    """Return pydantic's location without the names of union branches and of list wrappers."""
    path: list[str | int] = []
    here: Any = obj
    steps = list(location)
    for nth, step in enumerate(steps):
        if isinstance(here, dict) and (step in here or nth == len(steps) - 1):
            here = here.get(step)
            path.append(step)
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
            path.append(step)
    return tuple(path)


def _known_beside(path: FieldPath) -> tuple[str, ...]:
    """Return the names of the fields that may stand where ``path`` ends."""
    model: Any = ScenarioDocument
    for step in path[:-1]:
        if isinstance(step, str) and model is not None:
            model = _model_of_field(model, step)
    if model is None:
        return ()
    return tuple(info.alias or name for name, info in model.model_fields.items())


def _model_of_field(model: type[BaseModel], alias: str) -> type[BaseModel] | None:
    for info in model.model_fields.values():
        if info.alias == alias:
            return next(_models_in(info.annotation), None)
    return None


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in a type such as ``tuple[Annotated[Step, …], ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - fits a line


@dataclass(slots=True)
class _Resolver:
    """Replaces the names of files by what stands in them, and keeps all faults."""

    source: Manifest
    tell: Tell | None = None
    faults: list[Fault] = field(default_factory=list)

    def scenario(self) -> Scenario:
        """Return the scenario, or raise all faults."""
        document = ScenarioDocument.model_validate(self.source.object)
        spec, at = document.spec, ("spec",)
        self.judge_runtimes(spec.runtimes, spec.kwok)
        scenario = Scenario(
            name=document.metadata.name,
            file=self.source.file,
            description=spec.description or "",
            fleet=self.manifests(spec.fleet, (*at, "fleet")),
            setup=self.manifests(spec.setup, (*at, "setup")),
            steps=self.steps(spec.steps, (*at, "steps")),
            runtimes=spec.runtimes,
            until=spec.until,
            seed=spec.seed,
            scheduler_configuration=self.configuration(spec.scheduler_configuration),
            scheduler_flags=spec.scheduler_flags,
            kwok=spec.kwok,
            stages=self.stages(spec.kwok),
            latency=spec.latency,
            expect=spec.expect,
        )
        if self.faults:
            raise InvalidInputError(self.faults)
        return scenario

    def judge_runtimes(self, runtimes: tuple[Runtime, ...], kwok: Kwok) -> None:
        """Refuse run times that nobody would read: other stages say themselves how long."""
        own = [controller.stages for controller in kwok.controllers] or [None]
        if runtimes and "fast" not in [stages or kwok.stages for stages in own]:
            words = "spec.runtimes: Forbidden: only KWOK's fast stages end pods by their run times"
            self.faults.append(self.source.fault(words, ("spec", "runtimes")))

    def steps(self, steps: tuple[StepDocument, ...], at: FieldPath) -> tuple[Step, ...]:
        """Return the steps in order of time, those of the same time in their order."""
        done = [
            Step(step.at, tuple(self.actions(step, (*at, index))), step.note)
            for index, step in enumerate(steps)
        ]
        return tuple(sorted(done, key=lambda step: step.at))

    def actions(self, step: StepDocument, at: FieldPath) -> Iterator[Action]:
        """Yield what a step does."""
        if step.apply is not None:
            yield Apply(self.manifests(step.apply, (*at, "apply")))
        if step.create is not None:
            yield Create(self.manifests(step.create, (*at, "create")))
        for several in (step.delete, step.scale, step.patch):
            yield from several or ()
        if step.cordon is not None:
            yield Cordon(nodes=step.cordon)
        if step.uncordon is not None:
            yield Uncordon(nodes=step.uncordon)
        yield from (part for part in (step.drain, step.taint, step.label) if part is not None)
        yield from _commands(step)

    def manifests(
        self,
        sources: tuple[str | Json, ...],
        at: FieldPath,
        judge: Callable[[Any], Iterable[Finding]] = strict,
    ) -> tuple[Manifest, ...]:
        """Return the manifests of files and those that are given inline."""
        raw = _at(self.source.object, at)
        result: list[Manifest] = []
        for index, source in enumerate(sources):
            path = (*at, index) if isinstance(raw, list) else at
            if isinstance(source, str):
                result += self.file(source, path, judge)
            else:
                result.append(self.inline(source, path, judge))
        return tuple(result)

    def inline(
        self, obj: Json, path: FieldPath, judge: Callable[[Any], Iterable[Finding]]
    ) -> Manifest:
        """Return a manifest that stands in the scenario's file itself."""
        manifest = self.source.part(obj, path)
        self.faults += [manifest.fault(str(found), found.path) for found in judge(obj)]
        return manifest

    def file(
        self, name: str, path: FieldPath, judge: Callable[[Any], Iterable[Finding]]
    ) -> tuple[Manifest, ...]:
        """Return the manifests of a file that the scenario names."""
        folder = Path() if self.source.file == "<stdin>" else Path(self.source.file).parent
        resolved = folder / name
        if not resolved.exists():
            self.faults.append(self.source.fault(f"{name}: no such file", path))
            return ()
        try:
            return load(str(resolved), judge=judge, tell=self.tell)
        except InvalidInputError as error:
            self.faults += error.faults
            return ()

    def configuration(self, source: str | Json | None) -> Json | None:
        """Return the scheduler's configuration as JSON; what it says is judged elsewhere."""
        if source is None:
            return None
        at = ("spec", "schedulerConfiguration")
        found = self.manifests((source,), at, _judge_group(_SCHEDULER_GROUP))
        return found[0].object if found else None

    def stages(self, kwok: Kwok) -> dict[str, tuple[Manifest, ...]]:
        """Return the Stage manifests: under ``""`` the scenario's, then each controller's."""
        at: FieldPath = ("spec", "kwok")
        judge = _judge_group(_STAGE_GROUP)
        result = {}
        if not isinstance(kwok.stages, str):
            result[""] = self.manifests(kwok.stages, (*at, "stages"), judge)
        for index, controller in enumerate(kwok.controllers):
            if controller.stages is not None and not isinstance(controller.stages, str):
                path = (*at, "controllers", index, "stages")
                result[controller.name] = self.manifests(controller.stages, path, judge)
        return result


def _commands(step: StepDocument) -> Iterator[Action]:
    if step.kubectl is not None:
        yield Kubectl(step.kubectl, step.stdin)
    if step.kwok_stop is not None:
        yield KwokStop(step.kwok_stop)
    if step.kwok_start is not None:
        yield KwokStart(step.kwok_start)


def _judge_group(group: str) -> Callable[[Any], Iterable[Finding]]:
    """Return a judge that asks for an API group only; the rest is for who reads such objects."""

    def judge(obj: Any) -> Iterator[Finding]:
        version = obj.get("apiVersion") if isinstance(obj, dict) else None
        if not isinstance(version, str) or not version.startswith(group):
            yield Finding(f"apiVersion: Invalid value: {_shown(version)}: must be of {group}")

    return judge


def _at(obj: Any, path: FieldPath) -> Any:
    """Return what stands at a path, or None."""
    for step in path:
        obj = obj.get(step) if isinstance(obj, dict) else obj[step]
        if obj is None:
            return None
    return obj
