"""VolumeZone: bound volumes and the zones of nodes."""

import pytest

from gpusched.api.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from gpusched.cluster.cache import Cache
from gpusched.cluster.node import BETA_ZONE, REGION, ZONE
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Change
from gpusched.kube.framework.status import SKIP, Code
from gpusched.kube.plugins.volume_zone import VolumeZone
from tests.cluster.builders import add_node, empty_cache, pod

REASON = "node(s) had no available volume zone"


def volume(**labels: str) -> PersistentVolume:
    return PersistentVolume.model_validate({"metadata": {"name": "v", "labels": labels}})


def cluster(
    found: PersistentVolume | None = None, *, name: str = "v", storage_class: str = ""
) -> Cache:
    cache = empty_cache()
    add_node(cache, "ga", labels={ZONE: "a"})
    add_node(cache, "beta", labels={BETA_ZONE: "b"})
    add_node(cache, "nowhere")
    wire = {
        "metadata": {"name": "c", "namespace": "default"},
        "spec": {"volumeName": name, "storageClassName": storage_class},
    }
    cache.objects.claims.put(("default", "c"), PersistentVolumeClaim.model_validate(wire))
    if found is not None:
        cache.objects.volumes.put("v", found)
    for name_, mode in {"late": "WaitForFirstConsumer", "now": "Immediate", "open": None}.items():
        body = {"metadata": {"name": name_}, "volumeBindingMode": mode}
        cache.objects.storage_classes.put(name_, StorageClass.model_validate(body))
    return cache


def user(cache: Cache) -> PodInfo:
    return pod(cache, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}])


def away(cache: Cache) -> list[str]:
    plugin, state, who = VolumeZone(), CycleState(), user(cache)
    if plugin.pre_filter(state, who, cache.snapshot()).status == SKIP:
        return []
    found = plugin.filter(state, who, cache.nodes)
    alone = plugin.filter(CycleState(), who, cache.nodes)
    assert [r.nodes.tolist() for r in found] == [r.nodes.tolist() for r in alone]
    assert all((r.reason, r.code.label) == (REASON, "UnschedulableAndUnresolvable") for r in found)
    masks = [rejection.nodes for rejection in found]
    return [cache.nodes.info(row).name for row in range(3) if any(mask[row] for mask in masks)]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param({ZONE: "a"}, ["beta"], id="a GA label is not looked up under the beta one"),
        pytest.param({BETA_ZONE: "a"}, ["beta"], id="a beta label matches a node's GA label"),
        pytest.param({BETA_ZONE: "b"}, ["ga"], id="a beta label matches a node's beta label"),
        pytest.param({BETA_ZONE: "a__b"}, [], id="several zones"),
        pytest.param({BETA_ZONE: "a__"}, [], id="a label with an empty part asks nothing"),
        pytest.param({REGION: "r"}, ["ga", "beta"], id="a region that labelled nodes lack"),
        pytest.param({}, [], id="no labels"),
    ],
)
def test_nodes_are_turned_away(labels: dict[str, str], expected: list[str]) -> None:
    assert away(cluster(volume(**labels))) == expected


@pytest.mark.parametrize(
    ("cache", "message"),
    [
        pytest.param(cluster(), 'persistentvolume "v" not found', id="a lost volume"),
        pytest.param(
            cluster(name=""),
            "PersistentVolumeClaim had no pv name and storageClass name",
            id="neither volume nor class",
        ),
        pytest.param(
            cluster(name="", storage_class="gone"),
            'storageclass.storage.k8s.io "gone" not found',
            id="an unknown class",
        ),
        pytest.param(
            cluster(name="", storage_class="open"),
            'VolumeBindingMode not set for StorageClass "open"',
            id="a class without a binding mode",
        ),
        pytest.param(
            cluster(name="", storage_class="now"),
            "PersistentVolume had no name",
            id="a class that binds at once",
        ),
    ],
)
def test_the_pod_is_rejected_for(cache: Cache, message: str) -> None:
    status = VolumeZone().pre_filter(CycleState(), user(cache), cache.snapshot()).status
    assert (status.code, status.message) == (Code.UNSCHEDULABLE_AND_UNRESOLVABLE, message)
    (rejection,) = _without_pre_filter(cache)
    assert rejection == message


def _without_pre_filter(cache: Cache) -> list[str]:
    plugin = VolumeZone()
    plugin.pre_filter(CycleState(), user(cache), cache.snapshot())
    return [r.reason for r in plugin.filter(CycleState(), user(cache), cache.nodes)]


def test_a_claim_that_is_bound_late_has_no_zone_yet() -> None:
    cache = cluster(name="", storage_class="late")
    status = VolumeZone().pre_filter(CycleState(), user(cache), cache.snapshot()).status
    assert status == SKIP


def test_a_volume_that_moves_queues_pods_and_one_that_stays_does_not() -> None:
    cache = cluster()
    hint = VolumeZone().events_to_register()[-1].hint
    assert hint is not None
    here, there = volume(**{ZONE: "a"}), volume(**{ZONE: "b"})
    assert hint(user(cache), Change(None, here, cache.snapshot()))
    assert hint(user(cache), Change(here, there, cache.snapshot()))
    assert not hint(user(cache), Change(here, volume(**{ZONE: "a"}), cache.snapshot()))
