"""One play of a scenario on a real cluster, from the first refusal to the last deletion."""

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final, NoReturn

from gpusched.api.load import Manifest
from gpusched.api.scenario import Scenario
from gpusched.live.capturing import capture
from gpusched.live.cleaning import clean
from gpusched.live.clock import now, sleep
from gpusched.live.cluster import Cluster, ClusterError
from gpusched.live.drivers import NOBODY, Drivers
from gpusched.live.playing import LivePlayer, Pace
from gpusched.live.preparing import LABEL, Preparation, prepared
from gpusched.live.recording import record_from
from gpusched.live.watching import Watcher
from gpusched.live.world import ClusterWorld
from gpusched.run.record import RunRecord
from gpusched.sim.calendar import SECOND
from gpusched.sim.kinds import KINDS
from gpusched.sim.pod import Json

_LOOK_PATIENCE: Final = 60 * SECOND
_LOOK_AGAIN: Final = 20_000
_CLUSTER_ONLY: Final = {kind.name for kind in KINDS.values() if not kind.namespaced}


@dataclass(frozen=True, slots=True)
class LiveRun:
    """What a play has left.

    Attributes:
        record: What was seen, as a run.
        scenario: The prepared scenario, with the times at which its steps were really played.
        existing: What was there before, as far as a scheduler reads it.
    """

    record: RunRecord
    scenario: Scenario
    existing: tuple[Json, ...] = ()


def play_live(
    cluster: Cluster,
    scenario: Scenario,
    how: Preparation,
    pace: Pace | None = None,
    *,
    wait_for_namespaces: bool = True,
) -> LiveRun:
    """Play a scenario on a cluster, record it, and take away what was created.

    Ctrl-C and SIGTERM end the play early; what was created is taken away then, too.

    Raises:
        InvalidInputError: The scenario cannot be played from outside.
        ClusterError: Something of the same name is there already.
    """
    ready = prepared(scenario, how)
    _refuse_existing(cluster, [*ready.fleet, *ready.setup])
    concerns = Concerns(how.play, _names(ready, "Namespace"), _names(ready, "Node"))
    existing = standing(capture(cluster, with_pods=True).objects)
    classes = driven_classes(ready, existing)
    with _ending_by_signal():
        try:
            let_the_scheduler_look(cluster, how)
            watcher = Watcher(cluster, concerns)
            drivers = Drivers(cluster, classes, how.play)
            try:
                world = ClusterWorld(cluster, how.kwok)
                played = LivePlayer(cluster, world, watcher, pace or Pace()).play(ready)
            finally:
                watcher.stop()
                drivers.stop()
        finally:
            clean(cluster, how.play, wait_for_namespaces=wait_for_namespaces)
    return LiveRun(record_from(played, watcher.heard()), played.scenario, existing)


def let_the_scheduler_look(cluster: Cluster, how: Preparation) -> None:
    """Create a pod that fits nowhere, wait until it was tried, and delete it.

    A scheduler updates its list of nodes only when it tries a pod. Nodes that were deleted and are
    created anew under their names before that would keep the places of the old ones in that list,
    and ties fall by it.

    Raises:
        ClusterError: Nobody tries it for a minute.
    """
    labels, namespace = {LABEL: how.play}, f"{how.prefix}look"
    meta = {"name": namespace, "labels": labels}
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    name = "look"
    spec = {"containers": [{"name": name, "image": name}], "nodeSelector": {LABEL: "nowhere"}}
    meta = {"name": name, "namespace": namespace, "labels": labels}
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    until = now() + _LOOK_PATIENCE
    while not cluster.read("Pod", namespace, name)["status"].get("conditions"):
        if now() > until:
            raise ClusterError("no scheduler tries the pods that are created; is it running?")
        sleep(_LOOK_AGAIN)
    cluster.delete("Pod", (namespace, name), 0)
    cluster.delete("Namespace", ("", namespace))


def standing(objects: Iterable[Json]) -> tuple[Json, ...]:
    """Return what is not on its way out: all but what plays have left in namespaces that end."""
    found = list(objects)
    leaving = {
        obj["metadata"]["name"] for obj in found if obj["kind"] == "Namespace" and _is_ours(obj)
    }
    return tuple(
        obj
        for obj in found
        if not _is_ours(obj) and obj["metadata"].get("namespace") not in leaving
    )


def _is_ours(obj: Json) -> bool:
    return LABEL in (obj["metadata"].get("labels") or {})


@dataclass(frozen=True, slots=True)
class Concerns:
    """Says whether an object belongs to a play: by its label, its namespace, or its node.

    Attributes:
        play: The value of our label.
        namespaces: The play's.
        nodes: The play's; what happens to them is told in the namespace ``default``.
    """

    play: str
    namespaces: frozenset[str]
    nodes: frozenset[str]

    def __call__(self, obj: Json) -> bool:
        """Return whether it does."""
        meta, about = obj["metadata"], obj.get("involvedObject") or {}
        if (meta.get("labels") or {}).get(LABEL) == self.play:
            return True
        if about.get("kind") == "Node":
            return about.get("name") in self.nodes
        return meta.get("namespace") in self.namespaces


def _names(scenario: Scenario, kind: str) -> frozenset[str]:
    return frozenset(obj["metadata"].get("name", "") for obj in _made(scenario, kind))


def _made(scenario: Scenario, kind: str) -> Iterator[Json]:
    """Yield the objects of a kind that a scenario creates."""
    given = [*scenario.fleet, *scenario.setup]
    for step in scenario.steps:
        for action in step.actions:
            given += getattr(action, "manifests", ())
    return (manifest.object for manifest in given if manifest.object["kind"] == kind)


def driven_classes(scenario: Scenario, existing: Iterable[Json]) -> list[str]:
    """Return the names of the storage classes whose volumes a driver makes.

    Raises:
        ClusterError: The cluster has that driver, which would make them a second time.
    """
    there = {obj["provisioner"] for obj in existing if obj["kind"] == "StorageClass"}
    names = []
    for obj in _made(scenario, "StorageClass"):
        driver, name = obj.get("provisioner"), obj["metadata"]["name"]
        if driver == NOBODY:
            continue
        if driver in there:
            raise ClusterError(f"storageclass/{name}: the cluster has a driver {driver} of its own")
        names.append(name)
    return names


def _refuse_existing(cluster: Cluster, manifests: list[Manifest]) -> None:
    for manifest in manifests:
        kind, name = manifest.object["kind"], manifest.object["metadata"]["name"]
        if kind in _CLUSTER_ONLY and cluster.find(kind, "", name) is not None:
            words = f"{KINDS[kind].singular}/{name} is there already and is never touched"
            raise ClusterError(f"{words}; if it is left from a play: gpusched live clean")


@contextmanager
def _ending_by_signal() -> Iterator[None]:
    """Let SIGTERM end a play as Ctrl-C does; a second signal must not stop the cleaning."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in usual:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in usual:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
