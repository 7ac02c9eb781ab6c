"""What leaves a cluster when it is captured."""

from pathlib import Path

from gpusched.face import simulate
from gpusched.live.capturing import Captured, reduced, write


def test_a_pod_is_captured_without_what_the_scheduler_does_not_read() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "a",
            "namespace": "lab",
            "uid": "1",
            "labels": {"app": "train"},
            "annotations": {"token": "secret"},
        },
        "spec": {
            "nodeName": "n",
            "serviceAccountName": "robot",
            "imagePullSecrets": [{"name": "secret"}],
            "containers": [
                {
                    "name": "main",
                    "image": "x",
                    "command": ["secret"],
                    "args": ["secret"],
                    "env": [{"name": "TOKEN", "value": "secret"}],
                    "envFrom": [{"secretRef": {"name": "secret"}}],
                    "resources": {"limits": {"nvidia.com/gpu": "1"}},
                    "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                }
            ],
            "volumes": [
                {"name": "v", "secret": {"secretName": "secret"}},
                {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            ],
        },
        "status": {"phase": "Running", "podIP": "10.0.0.1"},
    }
    assert reduced(pod) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "lab", "labels": {"app": "train"}},
        "spec": {
            "nodeName": "n",
            "containers": [
                {"name": "main", "image": "x", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
            ],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
        },
    }


def test_a_node_keeps_devices_taints_and_conditions() -> None:
    status = {
        "allocatable": {"nvidia.com/gpu": "7"},
        "capacity": {"nvidia.com/gpu": "8"},
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": "n",
            "labels": {"nvidia.com/gpu.product": "NVIDIA-A100"},
            "annotations": {"cluster.x-k8s.io/machine": "m"},
        },
        "spec": {"podCIDR": "10.0.0.0/24", "taints": [{"key": "gpu", "effect": "NoSchedule"}]},
        "status": {**status, "nodeInfo": {"machineID": "secret"}, "addresses": []},
    }
    assert reduced(node) == {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n", "labels": {"nvidia.com/gpu.product": "NVIDIA-A100"}},
        "spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]},
        "status": status,
    }


def test_what_is_written_can_be_simulated(tmp_path: Path) -> None:
    amounts = {"cpu": "4", "memory": "8Gi", "pods": "10"}
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n"},
        "status": {"capacity": amounts, "allocatable": amounts},
    }

    def pod(name: str, **spec: str) -> dict[str, object]:
        containers = [{"name": "main", "image": "x"}]
        meta = {"name": name, "namespace": "default"}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": meta,
            "spec": {**spec, "containers": containers},
        }

    captured = Captured((node,), (), (pod("a", nodeName="n"),), (pod("b"),), {"Running": 2}, {})
    run = simulate(write(captured, tmp_path / "fleet.yaml"))
    assert run.result()["differences"] == []
