"""A scenario rewritten so that it can be played on a cluster beside what is there already.

Both worlds play the rewritten scenario, so nothing has to be mapped back: namespaces get a prefix,
objects get our label, nodes the annotation by which KWOK knows its own, run times become KWOK's
annotations, and every object of a step becomes a step of its own. This file must not know a
cluster.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from gpusched.api.config.duration import format_duration
from gpusched.api.load import Manifest
from gpusched.api.scenario import (
    Apply,
    Create,
    Delete,
    Kubectl,
    KwokStart,
    KwokStop,
    Label,
    Patch,
    Runtime,
    Scale,
    Scenario,
    Step,
)
from gpusched.cluster.selectors import EVERYTHING, LabelSelector
from gpusched.errors import Fault, InvalidInputError
from gpusched.run.runtimes import DELAY, JITTER
from gpusched.sim.kinds import KINDS, find_kind
from gpusched.sim.pod import Json

LABEL: Final = "gpusched.dev/live"
"""On everything that is created; its value names the play."""
KWOK_NODE: Final = "kwok.x-k8s.io/node"
"""The annotation by which a KWOK in a real cluster usually finds its nodes."""
NAME_LABEL: Final = "kubernetes.io/metadata.name"
_NANOSECONDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Preparation:
    """How a scenario is rewritten.

    Attributes:
        play: The name of this play: the value of our label.
        prefix: What is put before the name of every namespace.
        configured: Whether the cluster's scheduler is known to have the scenario's configuration,
            and its KWOK the scenario's processes and stages that end pods in time.
        kwok: A command that ``stop NAME`` or ``start NAME`` is put behind to end a KWOK process
            and to start it again; empty if there is none.
    """

    play: str
    prefix: str
    configured: bool = False
    kwok: str = ""


def prepared(scenario: Scenario, how: Preparation) -> Scenario:
    """Return the scenario as both worlds play it.

    Raises:
        InvalidInputError: It holds something that cannot be done to a cluster from outside.
    """
    faults = [Fault(words, scenario.file) for words in _impossible(scenario, how)]
    if faults:
        raise InvalidInputError(faults)
    rewriting = _Rewriting(how, scenario.runtimes)
    return replace(
        scenario,
        fleet=rewriting.manifests(scenario.fleet),
        setup=(*rewriting.namespaces(scenario), *rewriting.manifests(scenario.setup)),
        steps=tuple(rewriting.steps(scenario.steps)),
        runtimes=(),
        expect=None,
    )


def _impossible(scenario: Scenario, how: Preparation) -> Iterator[str]:
    actions = [action for step in scenario.steps for action in step.actions]
    if not how.kwok and any(isinstance(action, KwokStop | KwokStart) for action in actions):
        yield "spec.steps: kwokStop and kwokStart need a command that stops the cluster's KWOK"
    if _has_own_stages(scenario):
        yield "spec.kwok: a cluster's KWOK plays its own stages; only the fast ones can be compared"
    yield from _about_run_times(scenario.runtimes, how)
    if not how.configured:
        yield from _unconfigured(scenario)


def _unconfigured(scenario: Scenario) -> Iterator[str]:
    same = "say --configured if it is the same"
    if scenario.scheduler_configuration or scenario.scheduler_flags:
        words = "the cluster's scheduler has a configuration of its own"
        yield f"spec.schedulerConfiguration: {words}; {same}"
    if scenario.kwok.controllers:
        yield f"spec.kwok.controllers: the cluster has KWOK processes of its own; {same}"


def _about_run_times(runtimes: Sequence[Runtime], how: Preparation) -> Iterator[str]:
    if any(entry.exit_code or _range_of(entry) is None for entry in runtimes):
        yield "spec.runtimes: KWOK can only be given fixed and uniform ones with exit code 0"
    elif runtimes and not how.configured:
        words = "KWOK's fast stages know no run times; give it conformance/recorder/run-times.yaml"
        yield f"spec.runtimes: {words} and say --configured"


def _has_own_stages(scenario: Scenario) -> bool:
    named = [scenario.kwok.stages, *(each.stages for each in scenario.kwok.controllers)]
    return bool(scenario.stages) or any(stages not in (None, "fast") for stages in named)


def _range_of(entry: Runtime) -> tuple[int, int] | None:
    """Return the shortest and the longest run time of an entry, if KWOK can draw from it."""
    if entry.duration is not None:
        return entry.duration, entry.duration
    if entry.uniform is not None:
        return entry.uniform.min, entry.uniform.max
    return None


@dataclass(frozen=True, slots=True)
class _Rewriting:
    how: Preparation
    runtimes: tuple[Runtime, ...]

    def namespaces(self, scenario: Scenario) -> Iterator[Manifest]:
        """Yield the namespaces that the scenario takes for granted."""
        given = [*scenario.fleet, *scenario.setup]
        for step in scenario.steps:
            for action in step.actions:
                given += action.manifests if isinstance(action, Apply | Create) else ()
        made = {m.object["metadata"].get("name") for m in given if m.object["kind"] == "Namespace"}
        used = {_namespace_of(m.object) for m in given} - {"", *made}
        for name in sorted(used):
            obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            yield self.manifest(given[0].holding(obj))

    def manifests(self, manifests: Iterable[Manifest]) -> tuple[Manifest, ...]:
        """Return manifests rewritten."""
        return tuple(self.manifest(manifest) for manifest in manifests)

    def manifest(self, manifest: Manifest) -> Manifest:
        """Return one manifest rewritten."""
        obj: Json = json.loads(json.dumps(manifest.object))
        kind, meta = KINDS.get(obj["kind"]), obj.setdefault("metadata", {})
        meta["labels"] = {**(meta.get("labels") or {}), LABEL: self.how.play}
        if kind is not None and kind.namespaced:
            meta["namespace"] = self.how.prefix + (meta.get("namespace") or "default")
        if obj["kind"] == "Namespace":
            meta["name"] = self.how.prefix + meta["name"]
        if obj["kind"] == "Node":
            meta["annotations"] = {KWOK_NODE: "fake", **(meta.get("annotations") or {})}
        self._give_run_times(obj)
        return manifest.holding(self._renamed(obj))

    def steps(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Yield steps with one object or one other action each."""
        for step in steps:
            for action in step.actions:
                for single in self._singles(action):
                    yield replace(step, actions=(single,))

    def _singles(self, action: Any) -> Iterator[Any]:
        if isinstance(action, Apply | Create):
            for manifest in action.manifests:
                yield type(action)((self.manifest(manifest),))
        elif isinstance(action, Delete | Scale | Patch | Label):
            yield self._moved(action)
        elif isinstance(action, Kubectl):
            yield Kubectl(self._moved_words(action.arguments), action.stdin)
        else:
            yield action

    def _moved(self, action: Delete | Scale | Patch | Label) -> Any:
        kind = find_kind(action.kind)
        if kind is not None and kind.namespaced:
            namespace = self.how.prefix + (action.namespace or "default")
            return action.model_copy(update={"namespace": namespace})
        if kind is not None and kind.name == "Namespace" and not isinstance(action, Label):
            return action.model_copy(update={"name": self.how.prefix + action.name})
        return action

    def _moved_words(self, arguments: str) -> str:
        """Return kubectl's arguments with the prefix on the namespace that they name."""
        words = arguments.split(" ")
        for nth, word in enumerate(words[:-1]):
            if word in ("-n", "--namespace"):
                words[nth + 1] = self.how.prefix + words[nth + 1]
                return " ".join(words)
        return f"{arguments} -n {self.how.prefix}default"

    def _renamed(self, value: Any, name: str = "") -> Any:
        """Return a value with the prefix on namespaces that affinity terms and selectors name."""
        if isinstance(value, dict):
            return {key: self._renamed(item, key) for key, item in value.items()}
        if isinstance(value, list) and name == "namespaces":
            return [self.how.prefix + item for item in value]
        if isinstance(value, list):
            return [self._renamed_expression(self._renamed(item)) for item in value]
        return self.how.prefix + value if name == NAME_LABEL and isinstance(value, str) else value

    def _renamed_expression(self, item: Any) -> Any:
        if isinstance(item, dict) and item.get("key") == NAME_LABEL and "values" in item:
            return {**item, "values": [self.how.prefix + value for value in item["values"]]}
        return item

    def _give_run_times(self, obj: Json) -> None:
        """Write the run time of pods where KWOK looks for it."""
        place = obj if obj["kind"] == "Pod" else (obj.get("spec") or {}).get("template")
        if not isinstance(place, dict) or not self.runtimes:
            return
        meta = place.setdefault("metadata", {})
        namespace, labels = _namespace_of(obj), {**(meta.get("labels") or {}), **_job_labels(obj)}
        for entry in self.runtimes:
            chosen = EVERYTHING if entry.selector is None else LabelSelector.compile(entry.selector)
            here = entry.namespace is None or self.how.prefix + entry.namespace == namespace
            if here and chosen.matches(labels):
                meta["annotations"] = {**_told(entry), **(meta.get("annotations") or {})}
                return


def _job_labels(obj: Json) -> dict[str, str]:
    """Return the labels that pods get from their Job and that its manifest can tell."""
    if obj["kind"] != "Job":
        return {}
    return dict.fromkeys(("job-name", "batch.kubernetes.io/job-name"), obj["metadata"]["name"])


def _told(entry: Runtime) -> dict[str, str]:
    """Return the annotations from which KWOK draws a run time."""
    shortest, longest = _range_of(entry) or (0, 0)
    jitter = {JITTER: format_duration(longest * _NANOSECONDS)} if longest > shortest else {}
    return {DELAY: format_duration(shortest * _NANOSECONDS), **jitter}


def _namespace_of(obj: Json) -> str:
    kind = KINDS.get(obj["kind"])
    namespaced = kind is not None and kind.namespaced
    return (obj["metadata"].get("namespace") or "default") if namespaced else ""
