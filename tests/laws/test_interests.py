"""Nobody misses a change of a pod for not having been told of it."""

from copy import deepcopy
from typing import Any

import pytest

from gpusched.controllers.protocol import Change
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.kubelet import Kubelet
from gpusched.sim.watchers import Watchers
from gpusched.sim.workers import Worker
from tests.laws.lab import Lab
from tests.laws.walks import digest, walk
from tests.sim.claim_builders import (
    World,
    claim,
    claiming,
    device_class,
    devices,
    obj,
    pod,
    storage_class,
    storing,
    template,
    volume_claim,
)

pytestmark = pytest.mark.property
STEPS = 150


class Untold:
    """Asks everybody who was not told of a change whether there was something to do.

    Attributes:
        spared: How many times somebody was not told.
    """

    def __init__(self, plane: ControlPlane) -> None:
        self.spared = 0
        self._plane = plane
        plane.store.watch("Pod", self._see)

    def _see(self, change: Change) -> None:
        store = self._plane.store
        told = store.watchers.audience(change.facets, change.new.template.traits)
        assert told == Watchers.audience(self._fresh(), change.facets, change.new.template.traits)
        listeners = {getattr(handler, "__self__", None) for handler in told}
        for worker in self._plane.workers:
            if "Pod" in worker.controller.watches and worker not in listeners:
                self._ask_controller(worker, change)
        for kubelet in self._plane.kubelets.values():
            if kubelet not in listeners:
                self._ask_kubelet(kubelet, change)

    def _fresh(self) -> Watchers:
        """Return the watchers as if nothing had been remembered of whom pods concern."""
        known = self._plane.store.watchers
        fresh = Watchers(self._plane.loop, 0, known._there_is)
        fresh._of_pods = known._of_pods
        return fresh

    def _ask_controller(self, worker: Worker, change: Change) -> None:
        self.spared += 1
        before = deepcopy(vars(worker.controller))
        found = list(worker.controller.concerns(change, self._plane.store))
        assert not found, f"{worker.controller.name} misses {change}"
        assert vars(worker.controller) == before, f"{worker.controller.name} misses {change}"

    def _ask_kubelet(self, kubelet: Kubelet, change: Change) -> None:
        self.spared += 1
        planned = deepcopy(_plans(kubelet))
        kubelet._see_pod(change)
        assert _plans(kubelet) == planned, f"KWOK misses {change}"


def _plans(kubelet: Kubelet) -> Any:
    return {due[0]: keys for due, keys in kubelet._due.items()}


@pytest.mark.parametrize("latency", ["zero", "recorded-v1.36"])
@pytest.mark.parametrize("seed", range(4))
def test_who_is_not_told_has_nothing_to_do(seed: int, latency: str) -> None:
    lab = Lab("auto", seed, latency)
    untold = Untold(lab.plane)
    lab.play(walk(seed, STEPS))
    assert untold.spared > STEPS // 2


def test_who_is_not_told_of_claims_and_quotas_has_nothing_to_do() -> None:
    world = World("a", "b")
    untold = Untold(world.plane)
    world.add(device_class(), devices("a", 4), template("one"))
    world.add(claiming("second", resourceClaimTemplateName="one"), pod("early"))
    world.until(2)
    world.add(owned_by("early", world.pod("early").uid, claim("mine")))
    world.add(owned_by("nobody", "gone", pod("orphan")))
    world.add(storing("writer", "disk"))
    world.add(pod("scribbler", volumes=[{"name": "s", "ephemeral": SCRATCH}]))
    world.until(5)
    world.add(claim("shared"), claiming("first", resourceClaimName="shared"))
    world.add(storage_class("disk"), volume_claim("disk", storageClassName="disk"))
    world.until(10)
    world.add(QUOTA, pod("counted"), pod("failing"))
    world.until(15)
    world.plane.api.patch_pod(("default", "failing"), phase="Failed")
    world.plane.api.patch_pod(("default", "first"), phase="Succeeded")
    world.until(20)
    for name in ("first", "second", "writer", "scribbler", "counted", "early"):
        world.delete("Pod", name)
    world.until(60)
    world.delete("ResourceQuota", "most")
    world.delete("Pod", "failing")
    world.until(90)
    assert not list(world.plane.store.pods())
    assert untold.spared


def owned_by(name: str, uid: str, owned: dict[str, Any]) -> dict[str, Any]:
    """Return an object that a pod controls."""
    owner = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid, "controller": True}
    owned["metadata"]["ownerReferences"] = [owner]
    return owned


QUOTA = obj(
    "ResourceQuota", "most", metadata={"namespace": "default"}, spec={"hard": {"pods": "9"}}
)
SCRATCH = {
    "volumeClaimTemplate": {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "disk",
            "resources": {"requests": {"storage": "1Gi"}},
        }
    }
}


@pytest.mark.parametrize("seed", range(4))
def test_telling_everybody_of_everything_makes_no_difference(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = digest(seed, STEPS, "auto")

    def everybody(watchers: Watchers, *_: object) -> list[Any]:
        return [handler for handler, _ in watchers._of_pods]

    monkeypatch.setattr(Watchers, "audience", everybody)
    assert digest(seed, STEPS, "auto") == told


@pytest.mark.parametrize("latency", ["zero", "recorded-v1.36"])
@pytest.mark.parametrize("seed", range(4))
def test_keeping_every_state_before_a_change_makes_no_difference(
    seed: int, latency: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = digest(seed, STEPS, "auto", latency)
    monkeypatch.setattr(Watchers, "reads_before", lambda *_: True)
    assert digest(seed, STEPS, "auto", latency) == told
