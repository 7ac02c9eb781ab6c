"""VolumeRestrictions: disks and claims that one pod has to itself."""

from typing import Any

import pytest

from gpusched.api.storage import PersistentVolumeClaim
from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Change
from gpusched.kube.framework.status import SKIP, Code
from gpusched.kube.plugins.volume_restrictions import VolumeRestrictions
from tests.cluster.builders import Json, add_node, empty_cache, pod

NO_DISK = "node(s) had no available disk"
IN_USE = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode "
    "already in-use by another pod"
)


def with_volumes(cache: Cache, name: str, *volumes: Json, namespace: str = "default") -> PodInfo:
    metadata = {"namespace": namespace}
    named = [{"name": f"v{at}", **volume} for at, volume in enumerate(volumes)]
    return pod(cache, name, metadata=metadata, volumes=named)


def using(claim: str) -> Json:
    return {"persistentVolumeClaim": {"claimName": claim}}


def cluster() -> Cache:
    cache = empty_cache()
    add_node(cache, "a")
    add_node(cache, "b")
    for name, mode in {"one": "ReadWriteOncePod", "many": "ReadWriteMany"}.items():
        wire = {"metadata": {"name": name, "namespace": "default"}, "spec": {"accessModes": [mode]}}
        cache.objects.claims.put(("default", name), PersistentVolumeClaim.model_validate(wire))
    return cache


def rejections(cache: Cache, who: PodInfo) -> list[tuple[str, list[bool]]]:
    plugin, state = VolumeRestrictions(), CycleState()
    result = plugin.pre_filter(state, who, cache.snapshot())
    if result.status == SKIP:
        return []
    found = plugin.filter(state, who, cache.nodes)
    assert all(each.code is Code.UNSCHEDULABLE for each in found)
    return [(each.reason, each.nodes.tolist()) for each in found if each.nodes.any()]


def disk(kind: str, *, read_only: bool = False, **source: Any) -> Json:
    return {kind: {**source, "readOnly": read_only}}


def rbd(*monitors: str, read_only: bool = False, **more: Any) -> Json:
    return {"rbd": {"monitors": monitors, "image": "i", "readOnly": read_only, **more}}


@pytest.mark.parametrize(
    ("mine", "theirs", "conflict"),
    [
        pytest.param(
            disk("gcePersistentDisk", pdName="d"),
            disk("gcePersistentDisk", pdName="d", read_only=True),
            True,
            id="one Google disk with a writer",
        ),
        pytest.param(
            disk("gcePersistentDisk", pdName="d", read_only=True),
            disk("gcePersistentDisk", pdName="d", read_only=True),
            False,
            id="one Google disk with readers only",
        ),
        pytest.param(
            disk("awsElasticBlockStore", volumeID="v", read_only=True),
            disk("awsElasticBlockStore", volumeID="v", read_only=True),
            True,
            id="one Amazon disk even with readers only",
        ),
        pytest.param(
            disk("iscsi", iqn="q", targetPortal="p1", lun=1),
            disk("iscsi", iqn="q", targetPortal="p2", lun=2),
            True,
            id="one iSCSI name behind two portals",
        ),
        pytest.param(
            disk("iscsi", iqn="q", read_only=True),
            disk("iscsi", iqn="q", read_only=True),
            False,
            id="one iSCSI name with readers only",
        ),
        pytest.param(rbd("m1", "m2"), rbd("m2", "m3"), True, id="one image with a shared monitor"),
        pytest.param(rbd("m1"), rbd("m2"), False, id="one image name at different monitors"),
        pytest.param(rbd("m1"), rbd("m1", pool="rbd"), True, id="the default pool by name"),
        pytest.param(rbd("m1"), rbd("m1", pool="p"), False, id="one image name in two pools"),
        pytest.param(
            rbd("m1", read_only=True), rbd("m1", read_only=True), False, id="an image with readers"
        ),
        pytest.param(
            disk("gcePersistentDisk", pdName="d"),
            disk("awsElasticBlockStore", volumeID="d"),
            False,
            id="disks of two kinds",
        ),
    ],
)
def test_disks_conflict(mine: Json, theirs: Json, conflict: bool) -> None:
    cache = cluster()
    cache.add_pod(with_volumes(cache, "theirs", theirs), "a")
    expected = [(NO_DISK, [True, False])] if conflict else []
    assert rejections(cache, with_volumes(cache, "mine", mine)) == expected


def test_an_exclusive_claim_in_use_turns_away_every_node() -> None:
    cache = cluster()
    cache.add_pod(with_volumes(cache, "user", using("one")), "b")
    assert rejections(cache, with_volumes(cache, "p", using("one"))) == [(IN_USE, [True, True])]
    assert rejections(cache, with_volumes(cache, "p", using("many"))) == []


def test_a_claim_of_the_same_name_elsewhere_is_another_claim() -> None:
    cache = cluster()
    cache.add_pod(with_volumes(cache, "user", using("one"), namespace="other"), "b")
    assert rejections(cache, with_volumes(cache, "p", using("one"))) == []


def test_when_pods_go_namespaces_are_not_told_apart_as_upstream() -> None:
    cache, plugin, state = cluster(), VolumeRestrictions(), CycleState()
    cache.add_pod(with_volumes(cache, "user", using("one")), "b")
    who = with_volumes(cache, "p", using("one"))
    stranger = with_volumes(cache, "s", using("one"), namespace="other")
    plugin.pre_filter(state, who, cache.snapshot())
    trial = state.clone()
    assert plugin.remove_pod(trial, who, stranger, cache.nodes).is_success
    assert not plugin.filter(trial, who, cache.nodes)
    assert plugin.filter(state, who, cache.nodes)
    assert plugin.add_pod(trial, who, stranger, cache.nodes).is_success
    assert plugin.filter(trial, who, cache.nodes)


def test_a_missing_claim_rejects_the_pod() -> None:
    cache = cluster()
    who = with_volumes(cache, "p", using("gone"))
    status = VolumeRestrictions().pre_filter(CycleState(), who, cache.snapshot()).status
    assert status.code is Code.UNSCHEDULABLE_AND_UNRESOLVABLE
    assert status.message == 'persistentvolumeclaim "gone" not found'


def test_without_pre_filter_everything_fails_in_upstreams_words() -> None:
    cache, plugin = cluster(), VolumeRestrictions()
    who = with_volumes(cache, "p", using("one"))
    (rejection,) = plugin.filter(CycleState(), who, cache.nodes)
    assert rejection.reason == 'cannot read "PreFilterVolumeRestrictions" from cycleState'
    assert rejection.code is Code.ERROR
    assert plugin.add_pod(CycleState(), who, who, cache.nodes).code is Code.ERROR


@pytest.mark.parametrize(
    ("gone", "helps"),
    [
        pytest.param([using("one")], True, id="a pod with the claim"),
        pytest.param([using("many")], False, id="a pod with another claim"),
        pytest.param([disk("gcePersistentDisk", pdName="d")], True, id="a pod with the disk"),
        pytest.param([], False, id="a pod without volumes"),
    ],
)
def test_the_deletion_queues_a_waiting_pod_of(gone: list[Json], helps: bool) -> None:
    cache = cluster()
    waiting = with_volumes(cache, "p", using("one"), disk("gcePersistentDisk", pdName="d"))
    hint = VolumeRestrictions().events_to_register()[0].hint
    assert hint is not None
    deleted = with_volumes(cache, "gone", *gone)
    assert hint(waiting, Change(deleted, None, cache.snapshot())) is helps
    elsewhere = with_volumes(cache, "gone", *gone, namespace="other")
    assert not hint(waiting, Change(elsewhere, None, cache.snapshot()))
