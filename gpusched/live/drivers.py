"""The drivers of a scenario's storage classes, played on a real cluster.

No driver is part of Kubernetes. The controller that plays them in a simulation plays them here,
for the scenario's own classes alone: it reads and writes through the cluster.
"""

import threading
from collections.abc import Iterable
from typing import Any, Final

from gpusched.controllers.protocol import ApiError, Change, Create, Delete, Emit, Key, Update
from gpusched.controllers.volume_provisioner import VolumeProvisioner
from gpusched.controllers.volumes import CLAIM, VOLUME, class_of
from gpusched.live.clock import now, stamp
from gpusched.live.cluster import Cluster, Stream
from gpusched.live.preparing import LABEL
from gpusched.sim.pod import Json

NOBODY: Final = "kubernetes.io/no-provisioner"
"""The provisioner of classes whose volumes an administrator makes."""
_DRIVER: Final = VolumeProvisioner()


class Drivers:
    """Makes and removes the volumes of a scenario, from its creation until it is stopped.

    Args:
        cluster: Where.
        classes: The names of the scenario's storage classes that have a driver.
        play: The value of our label on what is made.
    """

    def __init__(self, cluster: Cluster, classes: Iterable[str], play: str) -> None:
        self._cluster = cluster
        self._classes = frozenset(classes)
        self._play = play
        self._turn = threading.Lock()
        self._streams: list[Stream] = []
        for kind in (CLAIM, VOLUME) if self._classes else ():
            _, version = cluster.listed(kind)
            stream = cluster.watch(kind, version)
            self._streams.append(stream)
            threading.Thread(target=self._follow, args=(kind, stream), daemon=True).start()

    def stop(self) -> None:
        """Do nothing any more."""
        for stream in self._streams:
            stream.close()

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        """Return an object as it is now, or None: what the controller reads."""
        return self._cluster.find(kind, namespace, name)

    def _follow(self, kind: str, stream: Stream) -> None:
        for verb, obj in stream.changes():
            if verb in ("ADDED", "MODIFIED") and class_of(obj) in self._classes:
                meta = obj["metadata"]
                key = (meta.get("namespace", ""), meta["name"])
                with self._turn:
                    self._see(Change(kind, "MODIFIED", key, None, {**obj, "kind": kind}))

    def _see(self, change: Change) -> None:
        for wake in _DRIVER.concerns(change, self):
            work, answer = _DRIVER.sync(wake.key, self), None
            try:
                while True:
                    answer = self._carry_out(work.send(answer))
            except (StopIteration, ApiError):
                continue  # a refused request is made again when the object changes

    def _carry_out(self, request: Any) -> Any:
        if isinstance(request, Create):
            meta = request.obj["metadata"]
            labelled = {**meta, "labels": {**(meta.get("labels") or {}), LABEL: self._play}}
            return self._cluster.create({**request.obj, "metadata": labelled})
        if isinstance(request, Delete):
            for key in request.keys:
                self._cluster.delete(request.kind, key)
            return [None] * len(request.keys)
        if isinstance(request, Update):
            meta = request.obj["metadata"]
            kept: Key = (meta.get("namespace", ""), meta["name"])
            finalizers = {"metadata": {"finalizers": meta.get("finalizers") or None}}
            return self._cluster.patch(request.obj["kind"], kept, finalizers, "merge")
        assert isinstance(request, Emit), "what a driver asks for"
        return self._cluster.create(_event(request))


def _event(request: Emit) -> Json:
    """Return an event as client-go's recorder writes it."""
    instant, about = now(), dict(request.regarding)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{about['name']}.{instant:x}", "namespace": about["namespace"]},
        "involvedObject": about,
        "type": request.type,
        "reason": request.reason,
        "message": request.message,
        "source": {"component": _DRIVER.name},
        "firstTimestamp": stamp(instant),
        "lastTimestamp": stamp(instant),
        "count": 1,
    }
