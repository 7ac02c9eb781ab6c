"""The lesson's checklist, item by item: each test is named after its item.

Left out, since no simulator of decisions can hold them: L1-06 (chart and migStrategy of the
fake-gpu-operator), L1-41 (DCGM series) and L1-42 (teardown of a kind cluster).
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import gpusched
from gpusched import Run
from gpusched.kubectl import run as kubectl
from gpusched.kubectl.evidence import (
    Environment,
    EvidenceFile,
    collect,
    console,
    verdicts,
    write_report,
)

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "scenarios"
MANIFESTS = SCENARIOS / "manifests"
GPU = "nvidia.com/gpu"
FLEET = {
    "kwok-gpu-a100-0": ("a100", 8, "NVIDIA-A100-SXM4-80GB"),
    "kwok-gpu-a100-1": ("a100", 8, "NVIDIA-A100-SXM4-80GB"),
    "kwok-gpu-h100-0": ("h100", 8, "NVIDIA-H100-80GB-HBM3"),
    "kwok-gpu-l40s-0": ("l40s", 4, "NVIDIA-L40S"),
    "kwok-gpu-l40s-1": ("l40s", 4, "NVIDIA-L40S"),
}
CONTROL_PLANE, WORKER = "ai-factory-lab-control-plane", "ai-factory-lab-worker"
TAINT = "1 node(s) had untolerated taint(s)"
INSUFFICIENT = f"6 Insufficient {GPU}"
NO_MATCH = "6 node(s) didn't match Pod's node affinity/selector"
FOLDER = "portfolio-lab/06-validation-reports/evidence/k8s-20260101-000100"


@pytest.fixture(scope="module")
def lesson() -> Run:
    return gpusched.simulate(SCENARIOS / "lesson_all.yaml")


@pytest.fixture(scope="module")
def nodes(lesson: Run) -> dict[str, Any]:
    return {node["metadata"]["name"]: node for node in lesson.record.moment().objects("Node")}


@pytest.fixture(scope="module")
def files(lesson: Run) -> dict[str, EvidenceFile]:
    return {file.name: file for file in collect(lesson.record.moment())}


@pytest.fixture(scope="module")
def report(lesson: Run) -> str:
    return write_report(lesson.record.moment(), Environment(evidence=FOLDER))


def ask(lesson: Run, command: str) -> str:
    outcome = kubectl(lesson.record.moment(), command.split())
    assert outcome.exit_status == 0, outcome.stderr
    return outcome.stdout


def message(lesson: Run, pod: str) -> str:
    (row,) = lesson.pending().where(name=pod)
    return str(row["message"])


def queue_pressure(lesson: Run, phase: str) -> list[Any]:
    rows = lesson.pods().where(phase=phase)
    return [row for row in rows if row["name"].startswith("queue-pressure-")]


def manifest(name: str) -> Any:
    return yaml.safe_load((MANIFESTS / name).read_text())


def section(report: str, title: str) -> list[str]:
    """Return a section's lines that are not empty."""
    body = report.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    return [line for line in body.splitlines() if line]


# The fleet.


def test_l1_01_seven_nodes_of_which_two_have_no_gpus(nodes: dict[str, Any]) -> None:
    assert sorted(nodes) == sorted([CONTROL_PLANE, WORKER, *FLEET])
    taints = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
    assert nodes[CONTROL_PLANE]["spec"]["taints"] == taints
    assert nodes[WORKER]["metadata"]["labels"]["node-purpose"] == "system"
    assert not nodes[WORKER]["spec"].get("taints")


def test_l1_02_the_names_of_the_kwok_nodes(nodes: dict[str, Any]) -> None:
    assert {name for name in nodes if name.startswith("kwok-")} == set(FLEET)


def test_l1_03_thirty_two_gpus(nodes: dict[str, Any]) -> None:
    for name, (_, gpus, _) in FLEET.items():
        status = nodes[name]["status"]
        assert status["allocatable"][GPU] == status["capacity"][GPU] == str(gpus)
    assert sum(gpus for _, gpus, _ in FLEET.values()) == 32
    assert all(GPU not in nodes[name]["status"]["allocatable"] for name in (CONTROL_PLANE, WORKER))


def test_l1_04_every_fake_node_has_96_cpus_a_terabyte_and_110_pods(nodes: dict[str, Any]) -> None:
    for name in FLEET:
        allocatable = nodes[name]["status"]["allocatable"]
        assert (allocatable["cpu"], allocatable["pods"]) == ("96", "110")
        assert allocatable["memory"] in ("1024Gi", "1Ti")


def test_l1_05_products(nodes: dict[str, Any]) -> None:
    for name, (_, _, product) in FLEET.items():
        assert nodes[name]["metadata"]["labels"]["nvidia.com/gpu.product"] == product


def test_l1_07_labels(nodes: dict[str, Any]) -> None:
    for name, (pool, _, product) in FLEET.items():
        assert (
            nodes[name]["metadata"]["labels"].items()
            >= {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/os": "linux",
                "kubernetes.io/hostname": name,
                "node-role.kubernetes.io/gpu-worker": "",
                "type": "kwok",
                "gpu-pool": pool,
                "run.ai/simulated-gpu-node-pool": pool,
                "nvidia.com/gpu.product": product,
            }.items()
        )


def test_l1_08_annotations(nodes: dict[str, Any]) -> None:
    for name in FLEET:
        wanted = {"kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0"}
        assert nodes[name]["metadata"]["annotations"].items() >= wanted.items()


def test_l1_09_taint(nodes: dict[str, Any]) -> None:
    for name in FLEET:
        taint = {"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}
        assert nodes[name]["spec"]["taints"] == [taint]


def test_l1_10_versions(nodes: dict[str, Any]) -> None:
    kubelets = {name: node["status"]["nodeInfo"]["kubeletVersion"] for name, node in nodes.items()}
    assert {kubelets[name] for name in FLEET} == {"kwok-v0.7.0"}
    assert kubelets[CONTROL_PLANE] == "v1.36.1"


def test_l1_11_five_ready_nodes_with_both_columns_filled(lesson: Run) -> None:
    lines = ask(lesson, "get nodes -L nvidia.com/gpu.product -L gpu-pool").splitlines()
    shown = {line.split()[0]: line.split() for line in lines[1:]}
    for name, (pool, _, product) in FLEET.items():
        assert shown[name][1] == "Ready"
        assert shown[name][-2:] == [product, pool]


def test_l1_12_checkpoint_view(lesson: Run) -> None:
    columns = (
        "NAME:.metadata.name,POOL:.metadata.labels.gpu-pool,"
        r"PRODUCT:.metadata.labels.nvidia\.com/gpu\.product,"
        r"GPUS:.status.allocatable.nvidia\.com/gpu"
    )
    lines = ask(lesson, f"get nodes -l type=kwok -o custom-columns={columns}").splitlines()
    rows = [tuple(line.split()) for line in lines[1:]]
    assert rows == [
        (name, pool, product, str(gpus)) for name, (pool, gpus, product) in FLEET.items()
    ]


def test_l1_13_applying_everything_again_changes_nothing(tmp_path: Path) -> None:
    text = (SCENARIOS / "lesson_all.yaml").read_text().replace("../fleets", f"{ROOT}/fleets")
    text = text.replace("manifests/", f"{MANIFESTS}/")
    files = ("namespace", "cuda_batch_small", "cuda_train_16gpu", "cuda_needs_b200",
             "queue_pressure")  # fmt: skip
    again = "".join(f"    - at: 30s\n      apply: {MANIFESTS}/{file}.yaml\n" for file in files)
    (tmp_path / "twice.yaml").write_text(text.replace("  until: 1m\n", f"{again}  until: 1m\n"))
    once = gpusched.simulate(SCENARIOS / "lesson_all.yaml")
    twice = gpusched.simulate(tmp_path / "twice.yaml")
    assert list(twice.pods()) == list(once.pods())
    assert not twice.result()["refusals"]


# The inputs.


def test_l1_20_cuda_batch_small() -> None:
    pod = manifest("cuda_batch_small.yaml")
    assert pod["metadata"]["labels"] == {"lab": "ai-factory-ops", "scenario": "schedulable"}
    assert pod["spec"]["nodeSelector"] == {"gpu-pool": "a100"}
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["containers"][0]["resources"] == {"limits": {GPU: 1}}


def test_l1_21_cuda_train_16gpu() -> None:
    pod = manifest("cuda_train_16gpu.yaml")
    assert pod["metadata"]["labels"]["scenario"] == "pending-capacity"
    assert "nodeSelector" not in pod["spec"]
    (container,) = pod["spec"]["containers"]
    assert (container["command"], container["resources"]["limits"]) == (
        ["sleep", "infinity"],
        {GPU: 16},
    )


def test_l1_22_cuda_needs_b200() -> None:
    pod = manifest("cuda_needs_b200.yaml")
    assert pod["metadata"]["labels"]["scenario"] == "pending-selector"
    assert pod["spec"]["nodeSelector"] == {"gpu-pool": "b200"}
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {GPU: 1}


def test_l1_23_queue_pressure() -> None:
    deployment = manifest("queue_pressure.yaml")
    spec = deployment["spec"]
    assert spec["replicas"] == 40
    labels = spec["template"]["metadata"]["labels"]
    assert (labels["app"], labels["scenario"]) == ("queue-pressure", "queue-pressure")
    assert "nodeSelector" not in spec["template"]["spec"]
    assert spec["template"]["spec"]["containers"][0]["resources"]["limits"] == {GPU: 1}


def test_l1_24_a_limit_without_a_request_is_the_request(lesson: Run) -> None:
    for pod in lesson.record.moment().objects("Pod"):
        resources = pod["spec"]["containers"][0]["resources"]
        assert resources["requests"][GPU] == resources["limits"][GPU]


# The results.


def test_l1_30_batch_small_runs_on_an_a100(lesson: Run) -> None:
    (row,) = lesson.pods().where(name="cuda-batch-small")
    assert (row["phase"], row["node"]) in {
        ("Running", "kwok-gpu-a100-0"),
        ("Running", "kwok-gpu-a100-1"),
    }


def test_l1_31_train_16gpu_waits_for_capacity(lesson: Run) -> None:
    text = message(lesson, "cuda-train-16gpu")
    assert text.startswith(f"0/7 nodes are available: {TAINT}, {INSUFFICIENT}. ")


def test_l1_32_needs_b200_waits_for_a_label(lesson: Run) -> None:
    text = message(lesson, "cuda-needs-b200")
    assert text.startswith(f"0/7 nodes are available: {TAINT}, {NO_MATCH}. ")
    assert "Insufficient" not in text


def test_l1_33_queue_pressure_31_run_and_9_wait(lesson: Run) -> None:
    assert len(queue_pressure(lesson, "Running")) == 31
    assert len(queue_pressure(lesson, "Pending")) == 9
    alone = gpusched.simulate(SCENARIOS / "queue_pressure.yaml")
    assert alone.phases() == {"Pending": 8, "Running": 32}


def test_l1_34_the_namespace_has_43_pods(lesson: Run) -> None:
    assert lesson.phases() == {"Pending": 11, "Running": 32}
    assert {row["namespace"] for row in lesson.pods()} == {"gpu-demo"}


def test_l1_35_every_gpu_is_allocated(lesson: Run) -> None:
    described = ask(lesson, "describe nodes")
    assert (
        re.findall(rf"  {GPU}  +(\d+) +(\d+)\n", described)
        == [(str(gpus), str(gpus)) for _, gpus, _ in FLEET.values()] + []
    )


def test_l1_36_a_waiting_pod_of_queue_pressure(lesson: Run) -> None:
    for row in queue_pressure(lesson, "Pending"):
        assert f"{TAINT}, {INSUFFICIENT}" in row["message"]


def test_l1_37_the_order_decides(tmp_path: Path) -> None:
    steps = [
        {"at": "0s", "apply": f"{MANIFESTS}/namespace.yaml"},
        {"at": "1s", "apply": f"{MANIFESTS}/queue_pressure.yaml"},
        {"at": "2s", "apply": f"{MANIFESTS}/cuda_batch_small.yaml"},
    ]
    document = {
        "apiVersion": "gpusched.dev/v1alpha1",
        "kind": "Scenario",
        "metadata": {"name": "other-order"},
        "spec": {"fleet": str(ROOT / "fleets/ai_factory_lab.yaml"), "steps": steps, "until": "1m"},
    }
    file = tmp_path / "other_order.json"
    file.write_text(json.dumps(document))
    other = gpusched.simulate(file)
    assert other.pending().where(name="cuda-batch-small")
    assert len(queue_pressure(other, "Running")) == 32


def test_l1_38_a_bare_pod_stays_running() -> None:
    long = gpusched.simulate(SCENARIOS / "cuda_batch_small.yaml", until="24h")
    assert long.phases() == {"Running": 1}


def test_l1_39_after_eight_seconds_everything_has_settled(lesson: Run) -> None:
    moment = lesson.record.moment(9_000_000)
    phases = [pod["status"]["phase"] for pod in moment.objects("Pod")]
    assert (phases.count("Running"), phases.count("Pending")) == (32, 11)
    events = kubectl(moment, ["get", "events", "-n", "gpu-demo"]).stdout.splitlines()
    assert len(events[1:]) >= 20


def test_l1_40_counting_with_grep(lesson: Run) -> None:
    lines = ask(lesson, "get pods -n gpu-demo -l app=queue-pressure").splitlines()
    assert sum("Running" in line for line in lines) == 31


# The evidence.


@pytest.mark.parametrize(
    ("file", "command", "rows"),
    [
        pytest.param("nodes.txt", "kubectl get nodes -o wide --show-labels", 7, id="l1-50"),
        pytest.param("nodes-describe.txt", "kubectl describe nodes", None, id="l1-51"),
        pytest.param("pods-all.txt", "kubectl get pods -A -o wide", 43, id="l1-52"),
        pytest.param("pods-gpu-demo.txt", "kubectl get pods -n gpu-demo -o wide", 43, id="l1-53"),
        pytest.param(
            "pending-pods.txt",
            "kubectl get pods -A --field-selector=status.phase=Pending -o wide",
            11,
            id="l1-54",
        ),
        pytest.param(
            "events.txt", "kubectl get events -A --sort-by=.lastTimestamp", None, id="l1-55"
        ),
        pytest.param(
            "gpu-allocatable.txt",
            "kubectl get nodes -o custom-columns=NAME:.metadata.name,"
            r"GPU_ALLOC:.status.allocatable.nvidia\.com/gpu,"
            r"GPU_CAP:.status.capacity.nvidia\.com/gpu",
            7,
            id="l1-56",
        ),
    ],
)
def test_l1_50_to_56_the_evidence_files(
    files: dict[str, EvidenceFile], file: str, command: str, rows: int | None
) -> None:
    text = files[file].text
    assert text.startswith(f"$ {command}\n\n")
    if rows is not None:
        assert len(text.splitlines()) == 2 + 1 + rows
    if file == "gpu-allocatable.txt":
        assert text.count("<none>") == 4, "the two nodes without GPUs"


def test_l1_57_one_description_for_each_waiting_pod(files: dict[str, EvidenceFile]) -> None:
    described = [name for name in files if name.startswith("describe-pod-")]
    assert len(described) == 11
    assert "describe-pod-cuda-train-16gpu.txt" in described
    assert "describe-pod-cuda-needs-b200.txt" in described


def test_l1_57_no_description_without_the_namespace(tmp_path: Path) -> None:
    file = tmp_path / "empty.yaml"
    file.write_text(
        "apiVersion: gpusched.dev/v1alpha1\nkind: Scenario\nmetadata: {name: e}\nspec: {}\n"
    )
    moment = gpusched.simulate(file).record.moment()
    assert not [f.name for f in collect(moment) if f.name.startswith("describe-pod-")]


def test_l1_58_eighteen_files_and_what_the_console_says(files: dict[str, EvidenceFile]) -> None:
    assert len(files) == 18
    said = console(FOLDER, list(files.values()), "local-simulation-report.md").splitlines()
    assert said[0] == f"Collecting Kubernetes evidence into {FOLDER}"
    assert said[1:-1] == [f"  wrote {name}" for name in files]
    assert said[-1].startswith("Done. Reference this directory")


# The report.


def test_l1_60_headings(report: str) -> None:
    lines = report.splitlines()
    assert lines[0].startswith("# ")
    assert lines[2].startswith("Source: a simulated run")
    assert [line[3:] for line in lines if line.startswith("## ")] == [
        "Environment",
        "Simulated fleet",
        "Scenario results",
        "What this run proves",
        "What this run does NOT prove",
        "Notes / surprises",
    ]


def test_l1_61_environment_rows(report: str) -> None:
    rows = [line.split("|")[1].strip() for line in section(report, "Environment")[2:]]
    assert rows == [
        "Date",
        "Host OS",
        "kind version",
        "Kubernetes version",
        "KWOK release",
        "GPU layer",
        "Evidence directory",
    ]


def test_l1_62_fleet_table(report: str) -> None:
    lines = section(report, "Simulated fleet")
    assert lines[0] == "| Node | Pool | GPUs |"
    wanted = [f"| {name} | {pool} | {gpus} |" for name, (pool, gpus, _) in FLEET.items()]
    assert lines[2:7] == wanted
    assert "32 GPUs" in lines[7]


def test_l1_63_scenario_table(report: str) -> None:
    lines = section(report, "Scenario results")
    assert lines[0] == "| # | Scenario | Expected | Observed | Evidence file |"
    assert [line.split("|")[1].strip() for line in lines[2:6]] == ["1", "2", "3", "4"]
    assert lines[6] == "Totals of namespace gpu-demo: 32 Running, 11 Pending."


def test_l1_64_what_is_not_proved(report: str) -> None:
    text = "\n".join(section(report, "What this run does NOT prove"))
    for word in ("CUDA", "Driver", "runtime", "NCCL", "NVLink", "NVSwitch", "MIG",
                 "GPUDirect RDMA", "GPU memory", "Real telemetry"):  # fmt: skip
        assert word in text


def test_l1_65_a_simulated_run_says_so_and_completes_nothing_real(report: str) -> None:
    assert "can never mark the real-hardware part complete" in report
    for title in ("Environment", "Simulated fleet", "Scenario results"):
        assert "simulated" in "\n".join(section(report, title))


def test_l1_66_verdicts_by_rule(lesson: Run) -> None:
    found = {verdict.scenario: verdict for verdict in verdicts(lesson.record.moment())}
    assert all(verdict.met for verdict in found.values())
    assert found["queue-pressure"].observed == "31 Running, 9 Pending, 32 of 32 GPUs used"
    early = verdicts(lesson.record.moment(0))
    assert not any(verdict.met for verdict in early), "nothing has been applied yet"
