"""Files as users write them when something is wrong: told with file, place, value and remedy."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.running import QUEUE_PRESSURE, ROOT, invoke

HEAD = "apiVersion: gpusched.dev/v1alpha1\nkind: Scenario\nmetadata: {name: s}\nspec:\n"
FLEET = f"  fleet: {ROOT}/fleets/ai_factory_lab.yaml\n"
PROFILE = (
    "  schedulerConfiguration:\n"
    "    apiVersion: kubescheduler.config.k8s.io/v1\n"
    "    kind: KubeSchedulerConfiguration\n"
    "    profiles: [{schedulerName: default-scheduler, %s}]\n"
)
POD = "apiVersion: v1, kind: Pod, metadata: {name: p, namespace: default%s}, spec: {%s}"
CONTAINER = "containers: [{name: c, image: i%s}]"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdefghijk")
)
OWNER = "{{apiVersion: a/v1, kind: B, name: {0}, uid: {0}, controller: true}}"
OWNERS = f", ownerReferences: [{OWNER.format('b1')}, {OWNER.format('b2')}]"
HUGE = "9" * 6000


def applying(meta: str = "", container: str = "", spec: str = "") -> str:
    pod = POD % (meta, spec or CONTAINER % container)
    return f"{HEAD}  until: 5s\n  steps:\n    - at: 1s\n      apply: {{{pod}}}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "{file}: no objects in it; is it the right file?", id="an empty file"),
        pytest.param("hello", "{file}:1: is not a Scenario", id="a file of words"),
        pytest.param("- a\n", "{file}:1: is not a Scenario", id="a list"),
        pytest.param(BOMB, "document contains excessive aliasing", id="a bomb of aliases"),
        pytest.param("a: " + "[" * 9000, "{file}:1: error converting YAML", id="deep nesting"),
        pytest.param("a:\n\tb: c\n", "{file}:2: error converting YAML", id="a tab"),
        pytest.param(
            HEAD + PROFILE % "plugins: {score: {enabled: [{name: NoSuchPlugin}]}}",
            "{file}: spec.schedulerConfiguration: initializing profiles: creating profile for "
            'scheduler name default-scheduler: ScorePlugin "NoSuchPlugin" does not exist',
            id="a plugin that is not there",
        ),
        pytest.param(
            applying(container=", resources: {limits: {cpu: 12Q}}"),
            "{file}:8: quantities must match the regular expression",
            id="a quantity with a wrong suffix",
        ),
        pytest.param(
            applying(spec=f"priority: 99999999999, {CONTAINER % ''}"),
            "{file}:8: json: cannot unmarshal number 99999999999 into Go struct field "
            "PodSpec.spec.priority of type int32",
            id="a priority beyond 32 bits",
        ),
        pytest.param(
            f"{HEAD}  seed: {HUGE}\n", "{file}:5: spec.seed: Invalid value", id="an enormous number"
        ),
        pytest.param(
            f'{{"spec": {HUGE}}}',
            "{file}:1: error parsing JSON: the number 9999",
            id="in JSON, too",
        ),
        pytest.param(
            f"{HEAD}  runtimes: [{{uniform: {{min: 10m, max: 5m}}}}]\n",
            "{file}:5: spec.runtimes[0].uniform: Invalid value: "
            '{"min": "10m", "max": "5m"}: min must not be longer than max',
            id="run times that end before they begin",
        ),
        pytest.param(
            f"{HEAD}  fleet: nowhere.yaml\n", "{file}:5: nowhere.yaml: no such file", id="no fleet"
        ),
    ],
)
def test_a_scenario_that_cannot_be_used_is_told_in_lines(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    done = invoke("run", path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert message.replace("{file}", str(path)) in done.stderr
    assert done.stderr.startswith(f"error: {path}:")
    assert done.exception is None or isinstance(done.exception, SystemExit)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        pytest.param(
            applying().replace("default", "nowhere"),
            'pod/p: namespaces "nowhere" not found',
            id="a namespace that is not there",
        ),
        pytest.param(
            applying(meta=OWNERS),
            "Only one reference can have Controller set to true",
            id="two owners that both control",
        ),
        pytest.param(
            f"{HEAD}{FLEET}  setup: {ROOT}/fleets/ai_factory_lab.yaml\n  until: 1s\n",
            'node/kwok-gpu-a100-0: nodes "kwok-gpu-a100-0" already exists',
            id="the same names twice",
        ),
        pytest.param(
            applying(
                spec=f"affinity: {{podAffinity: {{requiredDuringSchedulingIgnoredDuring"
                "Execution: [{topologyKey: z, labelSelector: {matchExpressions: "
                f"[{{key: a, operator: Inn}}]}}}}]}}}}, {CONTAINER % ''}"
            ),
            'operator: Invalid value: "Inn": not a valid selector operator',
            id="a selector with an unknown operator",
        ),
    ],
)
def test_what_the_server_would_refuse_is_refused(tmp_path: Path, text: str, refused: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    done = invoke("run", path, "-o", "wide")
    assert done.exit_code == 0
    assert refused in done.stdout


@pytest.mark.parametrize(
    ("prefix", "ends"),
    [
        pytest.param(b"", b"\r\n", id="line ends of Windows"),
        pytest.param(b"\xef\xbb\xbf", b"\n", id="a byte order mark"),
    ],
)
def test_files_from_windows_are_read(tmp_path: Path, prefix: bytes, ends: bytes) -> None:
    text = QUEUE_PRESSURE.read_text(encoding="utf-8").replace("../fleets", f"{ROOT}/fleets")
    text = text.replace("manifests/", f"{ROOT}/scenarios/manifests/")
    path = tmp_path / "s.yaml"
    path.write_bytes(prefix + text.encode().replace(b"\n", ends))
    assert "Pods: 32 Running, 8 Pending" in invoke("run", path).stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "kind: Scenario\n", "is a Scenario, not a timeline; play it with gpusched run",
            id="a scenario",
        ),
        pytest.param("", "not a timeline: it has no name and no duration", id="nothing"),
        pytest.param("[1]", "not a timeline: it has no name and no duration", id="a list"),
        pytest.param("name: x\n", "not a timeline: it has no duration", id="no end"),
        pytest.param("a: [" * 5000, "not a timeline:", id="deep nesting"),
        pytest.param("name: x\nduration: 5\nsteps: [3]\n", "not a timeline:", id="a bare step"),
    ],
)  # fmt: skip
def test_what_is_no_timeline_is_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(text, encoding="utf-8")
    done = invoke("timeline", path)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: {path}: {message}")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'{{"pods": {HUGE}}}', id="a number of six thousand digits"),
        pytest.param('{"a":' * 9000 + "1" + "}" * 9000, id="nine thousand levels"),
    ],
)
def test_a_case_beyond_measure_is_malformed_like_any_other(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(f"{text}\n", encoding="utf-8")
    done = invoke("decide", path)
    assert done.exit_code == 1
    assert f"{path}:1: not a case: it nests too deeply, or a number" in done.stdout
