"""What the scheduler saw at a row of a run's journal: its frameworks, the cluster, the pod."""

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from gpusched.api.config import (
    SchedulerConfiguration,
    default_configuration,
    load_configuration,
)
from gpusched.cluster.cache import Cache, Snapshot
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo
from gpusched.cluster.resources import ResourceNames
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.nominator import Nominator
from gpusched.kube.plugins import IN_TREE
from gpusched.run.record import RunRecord
from gpusched.run.replay import Replay
from gpusched.sim.pod import Json, Pod
from gpusched.sim.scheduler.compiling import WATCHED, Compiler, lister_key


@dataclass(frozen=True, slots=True)
class Scene:
    """A scheduler's view.

    Attributes:
        frameworks: By scheduler name.
        snapshot: The cluster.
        waiting: The pods without a node, by ``namespace/name``.
    """

    frameworks: Mapping[str, Framework]
    snapshot: Snapshot
    waiting: Mapping[str, PodInfo]


def scene_of(record: RunRecord, rows: int) -> Scene:
    """Return what the scheduler saw once the first ``rows`` rows had been written."""
    replay = Replay(record.rows[:rows])
    for _ in replay.advance():
        pass
    cache = Cache(ResourceNames(), ClusterObjects())
    nominator = Nominator()
    compiler = Compiler(cache.resources, record.calendar)
    for obj in replay.objects.values():
        _add(cache, compiler, obj)
    waiting = {}
    for pod in sorted(replay.pods.values(), key=_order):
        info = compiler.pod(pod)
        if not _place(cache, nominator, pod, info):
            waiting[info.key] = info
    profiles = _configuration(record).profiles
    frameworks = {
        profile.scheduler_name: Framework(profile, IN_TREE, nominator) for profile in profiles
    }
    return Scene(frameworks, cache.snapshot(), waiting)


def _order(pod: Pod) -> tuple[bool, int]:
    """Return a pod's turn: waiting ones first, the others by their last write.

    Siblings share what is compiled of the first, so that one must have no node; and the scheduler
    puts a pod behind the others of its node whenever it hears of a change.
    """
    return bool(pod.node), pod.version


def _configuration(record: RunRecord) -> SchedulerConfiguration:
    if record.configuration is None:
        return default_configuration()
    return load_configuration(yaml.safe_dump(record.configuration))


def _add(cache: Cache, compiler: Compiler, obj: Json) -> None:
    if obj["kind"] == "Node":
        cache.add_node(compiler.node(obj))
        return
    kind = WATCHED.get(obj["kind"])
    if kind is not None:
        meta = obj["metadata"]
        key = lister_key(kind, (meta.get("namespace", ""), meta["name"]))
        kind.lister(cache.objects).put(key, compiler.other(obj))


def _place(cache: Cache, nominator: Nominator, pod: Pod, info: PodInfo) -> bool:
    """Put a pod on its node; return False if it has none and still waits for one."""
    if pod.node:
        if not pod.terminal:
            cache.add_pod(info, pod.node)
        return True
    if pod.nominated:
        nominator.add(info, pod.nominated)
    return pod.terminal
