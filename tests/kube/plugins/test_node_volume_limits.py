"""NodeVolumeLimits: what counts, and against which limit; with fresh recordings of all volumes."""

import json
import lzma
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from gpusched.api.storage import (
    CSINode,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodInfo
from gpusched.decide import Settings, TieBreak, answer
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Change
from gpusched.kube.framework.status import SKIP, Code
from gpusched.kube.plugins.node_volume_limits import NodeVolumeLimits
from gpusched.kube.plugins.node_volume_limits.migration import migrated_volume
from tests.cluster.builders import Json, add_node, empty_cache, pod
from tests.decide.comparison import differences

FRESH: Final = Path(__file__).parents[2] / "golden/volumes/cases.jsonl.xz"
REASON: Final = "node(s) exceed max volume count"
EBS: Final = {"awsElasticBlockStore": {"volumeID": "vol-1"}}


def fresh_cases() -> list[Any]:
    text = lzma.decompress(FRESH.read_bytes()).decode()
    cases = [json.loads(line) for line in text.splitlines()]
    return [pytest.param(case, id=case["case"]["name"]) for case in cases]


@pytest.mark.golden
@pytest.mark.parametrize("recording", fresh_cases())
def test_we_decide_as_kube_scheduler_did_where_volumes_come_in_all_kinds(recording: Json) -> None:
    found = answer(recording["case"], Settings(tie_break=TieBreak.NAME))
    assert differences(recording["expect"], found.expect) == []


def csi_node(name: str, **limits: int) -> CSINode:
    drivers = [
        {"name": driver.replace("_", "."), "nodeID": name, "allocatable": {"count": count}}
        for driver, count in limits.items()
    ]
    return CSINode.model_validate({"metadata": {"name": name}, "spec": {"drivers": drivers}})


def cluster() -> Cache:
    """Return a node that takes one volume of each driver, and one that no CSINode describes."""
    cache = empty_cache()
    add_node(cache, "one")
    add_node(cache, "open")
    limits = {"csi_example_com": 1, "ebs_csi_aws_com": 1}
    cache.objects.csi_nodes.put("one", csi_node("one", **limits))
    for name in ("v1", "v2"):
        source = {"driver": "csi.example.com", "volumeHandle": name}
        volume: Json = {"metadata": {"name": name}, "spec": {"csi": source}}
        cache.objects.volumes.put(name, PersistentVolume.model_validate(volume))
    for name, spec in {
        "c1": {"volumeName": "v1"},
        "c2": {"volumeName": "v2"},
        "later": {"storageClassName": "csi"},
        "disk": {"storageClassName": "ebs"},
        "files": {"storageClassName": "files"},
        "lost": {"volumeName": "v9", "storageClassName": "csi"},
    }.items():
        wire: Json = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
        cache.objects.claims.put(("default", name), PersistentVolumeClaim.model_validate(wire))
    for name, provisioner in {
        "csi": "csi.example.com",
        "ebs": "kubernetes.io/aws-ebs",
        "files": "kubernetes.io/azure-file",
    }.items():
        wire = {"metadata": {"name": name}, "provisioner": provisioner}
        cache.objects.storage_classes.put(name, StorageClass.model_validate(wire))
    return cache


def user(cache: Cache, *volumes: str | Json, name: str = "p") -> PodInfo:
    sources = [
        {"persistentVolumeClaim": {"claimName": each}} if isinstance(each, str) else each
        for each in volumes
    ]
    listed = [{"name": f"v{at}", **source} for at, source in enumerate(sources)]
    return pod(cache, name, volumes=listed)


def full_nodes(cache: Cache, who: PodInfo) -> list[str]:
    plugin, state = NodeVolumeLimits(), CycleState()
    if plugin.pre_filter(state, who, cache.snapshot()).status == SKIP:
        return []
    found = plugin.filter(state, who, cache.nodes)
    assert all((r.reason, r.code) == (REASON, Code.UNSCHEDULABLE) for r in found)
    return [cache.nodes.info(row).name for r in found for row in np.flatnonzero(r.nodes).tolist()]


@pytest.mark.parametrize(
    ("present", "wanted", "full"),
    [
        pytest.param([], ["c1"], False, id="one volume fits"),
        pytest.param([], ["c1", "c2"], True, id="two volumes are one too many"),
        pytest.param(["c1"], ["c1"], False, id="a volume that is there already"),
        pytest.param(["c1"], ["c2"], True, id="a volume beside another"),
        pytest.param(["c1"], [EBS], False, id="volumes of two drivers"),
        pytest.param([EBS], ["disk"], True, id="a migrated disk beside one that is to come"),
        pytest.param([], ["later", "c1"], True, id="a volume that is still to be made"),
        pytest.param([], ["lost", "c1"], True, id="a lost volume counts for its class"),
        pytest.param(["c1"], ["files"], False, id="a provisioner that nobody counts"),
        pytest.param(["c1"], [{"emptyDir": {}}], False, id="a pod without claims"),
        pytest.param(["gone", "c1"], ["c2"], True, id="a claim that is gone does not count"),
    ],
)
def test_the_limited_node_is_full(
    present: list[str | Json], wanted: list[str | Json], full: bool
) -> None:
    cache = cluster()
    cache.add_pod(user(cache, *present, name="there"), "one")
    assert full_nodes(cache, user(cache, *wanted)) == (["one"] if full else [])


def test_what_is_attached_counts_even_without_a_pod() -> None:
    cache = cluster()
    spec = {
        "attacher": "csi.example.com",
        "nodeName": "one",
        "source": {"persistentVolumeName": "v1"},
    }
    attachment = VolumeAttachment.model_validate({"metadata": {"name": "x"}, "spec": spec})
    cache.objects.volume_attachments.put("x", attachment)
    assert full_nodes(cache, user(cache, "c2")) == ["one"]


def test_a_missing_claim_is_unresolvable_where_nobody_said_so_before() -> None:
    cache, plugin = cluster(), NodeVolumeLimits()
    who = user(cache, "gone")
    plugin.pre_filter(CycleState(), who, cache.snapshot())
    (rejection,) = plugin.filter(CycleState(), who, cache.nodes)
    assert rejection.code is Code.UNSCHEDULABLE_AND_UNRESOLVABLE
    expected = 'looking up PVC default/gone: persistentvolumeclaim "gone" not found'
    assert rejection.reason == expected


@pytest.mark.parametrize(
    ("zones", "handle"),
    [
        pytest.param("", "/d", id="no zone"),
        pytest.param("us-east1-b", "us-east1-b/d", id="one zone"),
        pytest.param("us-east1-b__us-east1-c", "us-east1/d", id="two zones of a region"),
        pytest.param("us-east1-b__us-west1-c", None, id="two regions"),
        pytest.param("a__b", None, id="names that are no zones"),
    ],
)
def test_a_google_disk_is_told_apart_by_its_place(zones: str, handle: str | None) -> None:
    labels = {"topology.kubernetes.io/zone": zones} if zones else {}
    wire = {"metadata": {"labels": labels}, "spec": {"gcePersistentDisk": {"pdName": "d"}}}
    expected = None if handle is None else ("pd.csi.storage.gke.io", handle)
    assert migrated_volume(PersistentVolume.model_validate(wire)) == expected


def test_only_a_higher_limit_queues_waiting_pods() -> None:
    cache = cluster()
    hint = NodeVolumeLimits().events_to_register()[1].hint
    assert hint is not None

    def asked(before: int, after: int) -> bool:
        old, new = csi_node("one", d=before), csi_node("one", d=after)
        return hint(user(cache, "c1"), Change(old, new, cache.snapshot()))

    assert asked(1, 2)
    assert not asked(2, 2)
    assert not asked(2, 1)
