"""What the notebooks share: plain Kubernetes objects as dictionaries, and `play` to run them.

Everything here is ordinary: an object is what ``kubectl apply`` takes, a scenario is what
``gpusched run`` takes. ``yaml_of`` shows either as YAML.
"""

import tempfile
from pathlib import Path
from typing import Any

import yaml

import gpusched
from gpusched.run.moves import PLACES
from gpusched.run.table import Table
from gpusched.sim.calendar import SECOND

FLEET = Path(__file__).parents[2] / "fleets" / "ai_factory_lab.yaml"
TOLERATION = {"key": "kwok.x-k8s.io/node", "operator": "Exists", "effect": "NoSchedule"}
Object = dict[str, Any]


def pod_spec(gpus: int, *, pool: str = "", priority: str = "", tolerate: bool = True) -> Object:
    """Return the spec of a pod of one container with some GPUs, for one pool or any."""
    limits = {"nvidia.com/gpu": gpus} if gpus else {}
    container = {"name": "main", "image": "nvidia/cuda:12.4.1-base-ubuntu22.04"}
    spec: Object = {"containers": [{**container, "resources": {"limits": limits}}]}
    if tolerate:
        spec["tolerations"] = [TOLERATION]
    if pool:
        spec["nodeSelector"] = {"gpu-pool": pool}
    if priority:
        spec["priorityClassName"] = priority
    return spec


def pod(name: str, gpus: int, **spec: Any) -> Object:
    """Return a pod."""
    meta = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod_spec(gpus, **spec)}


def deployment(name: str, replicas: int, gpus: int, **spec: Any) -> Object:
    """Return a Deployment of equal pods, which run for ever."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod_spec(gpus, **spec)}
    body = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": body}


def job(name: str, pods: int, gpus: int, **spec: Any) -> Object:
    """Return a Job whose pods may all run at once; give `play` its run time in ``runs``.

    Without one, KWOK ends a Job's pods as soon as they run.
    """
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"restartPolicy": "Never", **pod_spec(gpus, **spec)},
    }
    body = {"completions": pods, "parallelism": pods, "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": body}


def priority_class(name: str, value: int) -> Object:
    """Return a PriorityClass."""
    kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    return {**kind, "metadata": {"name": name}, "value": value}


def scenario(
    *steps: tuple[str, Object],
    until: str = "1m",
    runs: dict[str, str] | None = None,
    setup: tuple[Object, ...] = (),
    scheduler: Object | None = None,
    flags: tuple[str, ...] = (),
) -> Object:
    """Return a scenario on the lesson's fleet.

    Args:
        steps: (when, what to create or do): an object, or a step such as ``{"scale": …}``.
        until: When it ends.
        runs: How long the pods of each ``app`` run; others run for ever.
        setup: Objects that are there before.
        scheduler: A KubeSchedulerConfiguration.
        flags: Further flags of kube-scheduler.
    """
    spec: Object = {"fleet": str(FLEET), "setup": list(setup), "until": until}
    spec["schedulerFlags"] = list(flags)
    spec["steps"] = [{"at": at, **({"create": it} if "kind" in it else it)} for at, it in steps]
    spec["runtimes"] = [
        {"selector": {"matchLabels": {"app": app}}, "duration": length}
        for app, length in (runs or {}).items()
    ]
    if scheduler:
        spec["schedulerConfiguration"] = scheduler
    head = {"apiVersion": "gpusched.dev/v1alpha1", "kind": "Scenario"}
    return {**head, "metadata": {"name": "notebook"}, "spec": spec}


def scoring(strategy: str, weight: int = 1) -> Object:
    """Return a configuration whose NodeResourcesFit scores nodes by their GPUs."""
    resources = [{"name": "nvidia.com/gpu", "weight": 1}]
    arguments = {"scoringStrategy": {"type": strategy, "resources": resources}}
    profile = {
        "schedulerName": "default-scheduler",
        "plugins": {"multiPoint": {"enabled": [{"name": "NodeResourcesFit", "weight": weight}]}},
        "pluginConfig": [{"name": "NodeResourcesFit", "args": arguments}],
    }
    head = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}
    return {**head, "profiles": [profile]}


def in_use(run: gpusched.Run) -> dict[str, int]:
    """Return how many GPUs of each GPU node are in use at the end."""
    return {row["name"]: row["in_use"] for row in run.nodes() if row["gpus"]}


def play(*steps: tuple[str, Object], **more: Any) -> gpusched.Run:
    """Play a scenario and return its run; see `scenario`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scenario.yaml"
        file.write_text(yaml_of(scenario(*steps, **more)), encoding="utf-8")
        return gpusched.simulate(file)


def yaml_of(value: Object) -> str:
    """Return an object as YAML."""
    return yaml.safe_dump(value, sort_keys=False)


def story(run: gpusched.Run, name: str) -> Table:
    """Return where a pod of the default namespace was in the queue, and what moved it."""
    moves, places = run.record.moves, (*PLACES, "being tried")
    rows = [
        (at / SECOND, places[place], moves.events[event] if event >= 0 else "")
        for at, pod_, place, event in zip(
            moves.at, moves.pod, moves.place, moves.event, strict=True
        )
        if moves.pods[pod_] == f"default/{name}"
    ]
    return Table(("seconds", "place", "because_of"), rows, name)
