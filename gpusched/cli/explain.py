"""``gpusched explain``: why a pod is where it is, or waits."""

import json
from pathlib import Path
from typing import Any

import click

from gpusched.api.config import ConfigurationError
from gpusched.api.load import load
from gpusched.cli.parameters import DURATION
from gpusched.cli.saved import check_moment, chosen_run, run_option
from gpusched.decide import MalformedCaseError, case_of_manifests
from gpusched.decide.case import Case
from gpusched.errors import Fault, InvalidInputError
from gpusched.explain import Explanation, annotations, as_text, explain_case, explain_pod
from gpusched.kubectl.yaml_text import to_yaml
from gpusched.run.record import RunRecord


@click.command()
@click.argument("pod", metavar="[NAMESPACE/]POD")
@run_option
@click.option("-n", "--namespace", help="The pod's namespace.  [default: the only one that has it]")
@click.option("--at", type=DURATION, metavar="TIME", help="Attempts until then, e.g. 90s.")
@click.option("--attempt", type=click.IntRange(min=1), help="Which attempt.  [default: the last]")
@click.option("-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table")
@click.option("--annotations", "annotated", is_flag=True, help="Print only the annotations "
              "of kube-scheduler-simulator, on the pod's own manifest.")  # fmt: skip
@click.option("--objects", multiple=True, metavar="FILE", help="Manifests instead of a run.")
@click.option("--config", metavar="FILE", help="A KubeSchedulerConfiguration for --objects.")
def explain(  # noqa: PLR0913 - one parameter for each option
    pod: str,
    *,
    folder: Path | None,
    namespace: str | None,
    at: int | None,
    attempt: int | None,
    output: str,
    annotated: bool,
    objects: tuple[str, ...],
    config: str | None,
) -> None:
    """Say why POD is where it is, or waits: every node, every plugin, every score.

    The pod is one of a saved run or, with --objects, an unbound pod among manifests.
    """
    if objects:
        case = _case(objects, config)
        key = _key(pod, namespace, [_key_of(obj) for obj in case.pending])
        found = _explained(case, key)
        manifest = next(dict(obj) for obj in case.pending if _key_of(obj) == key)
    else:
        record = chosen_run(folder)
        check_moment(record, at)
        key = _key(pod, namespace, [f"{p.pod.namespace}/{p.pod.name}" for p in record.lives])
        found = explain_pod(record, key, until=at, number=attempt)
        manifest = _manifest(record, key, at)
    click.echo(_printed(found, manifest, output, annotated=annotated), nl=False)


def _case(objects: tuple[str, ...], config: str | None) -> Case:
    text = Path(config).read_text(encoding="utf-8", errors="replace") if config else ""
    there = [manifest.object for manifest in load(objects)]
    return Case.read(case_of_manifests(there, None, text))


def _explained(case: Case, key: str) -> Explanation:
    try:
        return explain_case(case, key)
    except (ConfigurationError, MalformedCaseError) as error:
        raise InvalidInputError([Fault(str(error))]) from None


def _key_of(obj: Any) -> str:
    meta = obj.get("metadata") or {}
    return f"{meta.get('namespace') or 'default'}/{meta.get('name')}"


def _key(pod: str, namespace: str | None, known: list[str]) -> str:
    """Return ``namespace/name``; the namespace may be left out where only one has the pod."""
    pod = pod.removeprefix("pod/").removeprefix("pods/")
    if namespace is not None or "/" in pod:
        return pod if "/" in pod else f"{namespace}/{pod}"
    found = sorted({key for key in known if key.partition("/")[2] == pod})
    if len(found) > 1:
        spaces = ", ".join(key.partition("/")[0] for key in found)
        raise InvalidInputError([Fault(f"pod {pod} is in several namespaces ({spaces}): add -n")])
    return found[0] if found else f"default/{pod}"


def _manifest(record: RunRecord, key: str, at: int | None) -> dict[str, Any]:
    found = (obj for obj in record.moment(at).objects("Pod") if _key_of(obj) == key)
    namespace, _, name = key.partition("/")
    gone = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}}
    return next(found, gone)


def _printed(found: Explanation, manifest: dict[str, Any], output: str, *, annotated: bool) -> str:
    value: Any = found.to_json()
    if annotated:
        meta = manifest["metadata"]
        notes = {**(meta.get("annotations") or {}), **annotations(found)}
        value = {**manifest, "metadata": {**meta, "annotations": notes}}
        output = "yaml" if output == "table" else output
    if output == "table":
        return as_text(found)
    if output == "json":
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return to_yaml(value)
