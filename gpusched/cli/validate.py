"""``gpusched validate``: is this what Kubernetes, and gpusched, would take?"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import click

from gpusched.api.config import ConfigurationError, load_configuration
from gpusched.api.decode import Finding, strict
from gpusched.api.load import load
from gpusched.api.scenario import load_scenario
from gpusched.cli.progress import loading
from gpusched.decide.accepting import UnreadableObjectError, accept
from gpusched.errors import Fault, InvalidInputError
from gpusched.kubectl.yaml_text import to_yaml
from gpusched.kwok.stage import load_stages

_SCHEDULER: Final = "kubescheduler.config.k8s.io/"
_STAGES: Final = "kwok.x-k8s.io/"


@click.command(epilog="Exit status: 0 everything is valid, 1 something is not, 2 usage.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def validate(files: tuple[str, ...]) -> None:
    """Check manifests, fleets, scenarios and scheduler configurations (- for standard input).

    Fields, types and values are judged as the API server and kube-scheduler 1.36 judge them; all
    faults of all files are told.
    """
    faults: list[Fault] = []
    for name in files:
        try:
            click.echo(f"{name}: valid ({_judged(name)})")
        except InvalidInputError as error:
            faults += error.faults
    if faults:
        raise InvalidInputError(faults)


def _judged(name: str) -> str:
    """Return what is in a file, as ``2 Pod, 1 Node``.

    Raises:
        InvalidInputError: Something is wrong in it.
    """
    with loading() as tell:
        found = load(name, judge=_judge, tell=tell)
    counts = Counter(str(manifest.object.get("kind")) for manifest in found)
    if counts["Scenario"] and name == "-":
        raise InvalidInputError([Fault("give the scenario's file by name", "<stdin>")])
    if counts["Scenario"]:
        _judge_scenario(name)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))


def _judge_scenario(name: str) -> None:
    scenario = load_scenario(name)
    if scenario.scheduler_configuration is None:
        return
    try:
        load_configuration(to_yaml(scenario.scheduler_configuration))
    except ConfigurationError as error:
        words = f"spec.schedulerConfiguration: {error}"
        raise InvalidInputError([Fault(words, scenario.file)]) from None


def _judge(obj: Any) -> Iterator[Finding]:
    if not isinstance(obj, dict):
        yield from strict(obj)
        return
    version = str(obj.get("apiVersion", ""))
    if obj.get("kind") == "Scenario":
        return
    if version.startswith(_SCHEDULER):
        yield from _configuration(obj)
    elif version.startswith(_STAGES):
        yield from _stage(obj)
    else:
        yield from _object(obj)


def _configuration(obj: dict[str, Any]) -> Iterator[Finding]:
    try:
        load_configuration(to_yaml(obj))
    except ConfigurationError as error:
        yield Finding(str(error))


def _stage(obj: dict[str, Any]) -> Iterator[Finding]:
    try:
        load_stages(to_yaml(obj))
    except (InvalidInputError, ValueError) as error:
        yield Finding(str(error))


def _object(obj: dict[str, Any]) -> Iterator[Finding]:
    """Judge a Kubernetes object: first its fields and types, then its values."""
    found = list(strict(obj))
    yield from found
    if found:
        return
    try:
        refusals = accept(_identified(obj)).errors
    except UnreadableObjectError as error:
        refusals = (str(error),)
    for refusal in refusals:
        yield Finding(refusal, (refusal.partition(": ")[0],))


def _identified(obj: dict[str, Any]) -> dict[str, Any]:
    """Return an object with the UID, and the generated name, that the server would give it."""
    metadata = dict(obj.get("metadata") or {})
    metadata.setdefault("uid", "uid")
    if metadata.get("generateName") and not metadata.get("name"):
        metadata["name"] = f"{metadata['generateName']}xxxxx"
    return {**obj, "metadata": metadata}
