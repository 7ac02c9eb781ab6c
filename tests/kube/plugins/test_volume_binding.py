"""VolumeBinding: which volume a claim gets, what is remembered of it, and which events help."""

from typing import Any

import numpy as np
import pytest

from gpusched.api.storage import (
    CSIDriver,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
)
from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Change
from gpusched.kube.framework.status import SKIP, Code
from gpusched.kube.plugins.volume_binding import VolumeBinding
from tests.cluster.builders import Json, add_node, empty_cache, pod

AFFINITY = "node(s) didn't match PersistentVolume's node affinity"
NOTHING_TO_BIND = "node(s) didn't find available persistent volumes to bind"
NO_SPACE = "node(s) did not have enough free storage"
GONE = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
BOUND = {"pv.kubernetes.io/bind-completed": "yes"}
ON_A = {"nodeSelectorTerms": [{"matchExpressions": [
    {"key": "zone", "operator": "In", "values": ["a"]}
]}]}  # fmt: skip


def volume(name: str, size: str = "5Gi", **spec: Any) -> PersistentVolume:
    body = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "late",
        **spec,
    }
    return PersistentVolume.model_validate(
        {"metadata": {"name": name}, "spec": body, "status": {"phase": "Available"}}
    )


def claim(
    name: str = "c", size: str = "1Gi", annotations: Json | None = None, **spec: Any
) -> PersistentVolumeClaim:
    body = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
        "storageClassName": "late",
        **spec,
    }
    metadata = {
        "name": name,
        "namespace": "default",
        "uid": f"default/{name}",
        "annotations": annotations or {},
    }
    return PersistentVolumeClaim.model_validate({"metadata": metadata, "spec": body})


def cluster(
    *objects: PersistentVolume | PersistentVolumeClaim,
    provisioner: str = "kubernetes.io/no-provisioner",
) -> Cache:
    """Return nodes a and b in zones of their names, and a class that binds late."""
    cache = empty_cache()
    for name in ("a", "b"):
        add_node(cache, name, labels={"zone": name})
    wire = {
        "metadata": {"name": "late"},
        "provisioner": provisioner,
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    cache.objects.storage_classes.put("late", StorageClass.model_validate(wire))
    for obj in objects:
        if isinstance(obj, PersistentVolume):
            cache.objects.volumes.put(obj.metadata.name, obj)
        else:
            cache.objects.claims.put(("default", obj.metadata.name), obj)
    return cache


def user(cache: Cache, *claims: str, name: str = "p") -> PodInfo:
    volumes = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    return pod(cache, name, volumes=volumes)


def attempt(plugin: VolumeBinding, cache: Cache, who: PodInfo) -> tuple[CycleState, Json]:
    """Return the state, and each node's reasons."""
    state = CycleState()
    result = plugin.pre_filter(state, who, cache.snapshot())
    assert result.status.is_success, result.status.message
    found: Json = {"a": [], "b": []}
    for rejection in plugin.filter(state, who, cache.nodes):
        assert rejection.code is Code.UNSCHEDULABLE_AND_UNRESOLVABLE
        for row in np.flatnonzero(rejection.nodes).tolist():
            found[cache.nodes.info(row).name].append(rejection.reason)
    return state, found


def matched(cache: Cache, *claims: str, node: str = "a") -> dict[str, str]:
    """Return claim -> volume on a node."""
    plugin = VolumeBinding()
    state, _ = attempt(plugin, cache, user(cache, *claims))
    volumes, _ = plugin.pre_bind(state, node)
    return {v.spec.claim_ref.name: v.metadata.name for v in volumes if v.spec.claim_ref}


@pytest.mark.parametrize(
    ("objects", "reasons"),
    [
        pytest.param(
            [
                claim(volumeName="v", annotations=BOUND),
                volume("v", nodeAffinity={"required": ON_A}),
            ],
            [AFFINITY],
            id="a bound volume in another zone",
        ),
        pytest.param(
            [claim(volumeName="v", annotations=BOUND)], [GONE], id="a bound volume that is gone"
        ),
        pytest.param([claim()], [NOTHING_TO_BIND], id="no volume at all"),
        pytest.param([claim(size="6Gi"), volume("v")], [NOTHING_TO_BIND], id="too small a volume"),
        pytest.param(
            [claim(), volume("v", volumeMode="Block")], [NOTHING_TO_BIND], id="another volume mode"
        ),
        pytest.param(
            [claim(accessModes=["ReadWriteMany"]), volume("v")],
            [NOTHING_TO_BIND],
            id="an access mode that the volume lacks",
        ),
        pytest.param(
            [claim(), volume("v", claimRef={"namespace": "default", "name": "other"})],
            [NOTHING_TO_BIND],
            id="a volume that is kept for another claim",
        ),
        pytest.param(
            [claim(annotations={"volume.kubernetes.io/selected-node": "a"}), volume("v")],
            [NOTHING_TO_BIND],
            id="another node selected before",
        ),
        pytest.param(
            [claim(), volume("v", nodeAffinity={"required": ON_A})],
            [NOTHING_TO_BIND],
            id="a free volume in another zone",
        ),
    ],
)
def test_node_b_is_turned_away_for(objects: list[Any], reasons: list[str]) -> None:
    cache = cluster(*objects)
    assert attempt(VolumeBinding(), cache, user(cache, "c"))[1]["b"] == reasons


def test_the_smallest_volume_that_is_large_enough_is_taken() -> None:
    cache = cluster(
        claim(size="2Gi"), volume("big", "9Gi"), volume("fit", "3Gi"), volume("low", "1Gi")
    )
    assert matched(cache, "c") == {"c": "fit"}


def test_of_several_claims_the_smallest_chooses_first() -> None:
    cache = cluster(
        claim("large", "2Gi"), claim("small", "1Gi"), volume("v2", "2Gi"), volume("v3", "3Gi")
    )
    assert matched(cache, "large", "small") == {"large": "v3", "small": "v2"}


def test_a_volume_kept_for_the_claim_wins_over_smaller_ones() -> None:
    kept = {"namespace": "default", "name": "c", "uid": "default/c"}
    cache = cluster(claim(), volume("small", "1Gi"), volume("mine", "9Gi", claimRef=kept))
    assert matched(cache, "c") == {"c": "mine"}


def test_of_equal_volumes_the_first_by_name_is_taken() -> None:
    assert matched(cluster(claim(), volume("v2"), volume("v1")), "c") == {"c": "v1"}


def test_a_reserved_volume_is_taken_until_it_is_given_back() -> None:
    cache, plugin = cluster(claim("c"), claim("d"), volume("v")), VolumeBinding()
    first, second = user(cache, "c"), user(cache, "d", name="q")
    state, _ = attempt(plugin, cache, first)
    assert plugin.reserve(state, first, cache.snapshot(), "a").is_success
    assert attempt(plugin, cache, second)[1] == {"a": [NOTHING_TO_BIND], "b": [NOTHING_TO_BIND]}
    plugin.unreserve(state, first, cache.snapshot(), "a")
    assert attempt(plugin, cache, second)[1] == {"a": [], "b": []}


def test_what_the_api_says_later_wins_over_what_was_assumed() -> None:
    cache, plugin = cluster(claim("c"), claim("d"), volume("v")), VolumeBinding()
    first = user(cache, "c")
    state, _ = attempt(plugin, cache, first)
    plugin.reserve(state, first, cache.snapshot(), "a")
    cache.objects.volumes.put("v", volume("v"))
    assert attempt(plugin, cache, user(cache, "d", name="q"))[1] == {"a": [], "b": []}


def test_a_claim_to_be_provisioned_is_tied_to_its_node() -> None:
    cache, plugin = cluster(claim(), provisioner="csi.example.com"), VolumeBinding()
    who = user(cache, "c")
    state, found = attempt(plugin, cache, who)
    assert found == {"a": [], "b": []}
    plugin.reserve(state, who, cache.snapshot(), "b")
    assert attempt(plugin, cache, who)[1] == {"a": [NOTHING_TO_BIND], "b": []}
    _, (written,) = plugin.pre_bind(state, "b")
    assert written.metadata.annotations == {"volume.kubernetes.io/selected-node": "b"}


def test_a_driver_that_reports_its_capacity_must_have_enough_near_the_node() -> None:
    cache = cluster(claim(size="2Gi"), provisioner="csi.example.com")
    driver = {"metadata": {"name": "csi.example.com"}, "spec": {"storageCapacity": True}}
    cache.objects.csi_drivers.put("csi.example.com", CSIDriver.model_validate(driver))
    near_a = {
        "metadata": {"name": "cap"},
        "storageClassName": "late",
        "capacity": "9Gi",
        "maximumVolumeSize": "2Gi",
        "nodeTopology": {"matchLabels": {"zone": "a"}},
    }
    capacity = CSIStorageCapacity.model_validate(near_a)
    cache.objects.csi_capacities.put(("default", "cap"), capacity)
    assert attempt(VolumeBinding(), cache, user(cache, "c"))[1] == {"a": [], "b": [NO_SPACE]}


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        pytest.param([], 'persistentvolumeclaim "c" not found', id="a claim that is missing"),
        pytest.param(
            [claim(storageClassName="")],
            "pod has unbound immediate PersistentVolumeClaims",
            id="a claim that should have been bound",
        ),
        pytest.param(
            [
                claim().model_copy(
                    update={"status": claim().status.model_copy(update={"phase": "Lost"})}
                )
            ],
            'persistentvolumeclaim "c" bound to non-existent persistentvolume ""',
            id="a lost claim",
        ),
    ],
)
def test_no_node_is_looked_at_for(objects: list[Any], message: str) -> None:
    cache = cluster(*objects)
    result = VolumeBinding().pre_filter(CycleState(), user(cache, "c"), cache.snapshot())
    assert result.status.code is Code.UNSCHEDULABLE_AND_UNRESOLVABLE
    assert result.status.message == message


def test_a_pod_without_claims_skips_filter_and_may_be_reserved() -> None:
    cache, plugin, state = cluster(), VolumeBinding(), CycleState()
    who = user(cache)
    assert plugin.pre_filter(state, who, cache.snapshot()).status == SKIP
    assert plugin.reserve(state, who, cache.snapshot(), "a").is_success


def test_without_pre_filter_everything_fails_in_upstreams_words() -> None:
    cache, plugin = cluster(), VolumeBinding()
    (rejection,) = plugin.filter(CycleState(), user(cache, "c"), cache.nodes)
    assert (rejection.reason, rejection.code) == ("not found", Code.ERROR)
    status = plugin.reserve(CycleState(), user(cache, "c"), cache.snapshot(), "a")
    assert (status.message, status.code) == ("not found", Code.ERROR)


def test_more_room_queues_waiting_pods_and_less_does_not() -> None:
    cache = cluster()
    (hint,) = [
        h.hint
        for h in VolumeBinding().events_to_register()
        if h.event.resource.value.endswith("CSIStorageCapacity")
    ]
    assert hint is not None

    def capacity(size: str) -> CSIStorageCapacity:
        return CSIStorageCapacity.model_validate({"metadata": {"name": "x"}, "capacity": size})

    def asked(old: CSIStorageCapacity | None, new: CSIStorageCapacity) -> bool:
        return hint(user(cache, "c"), Change(old, new, cache.snapshot()))

    assert asked(None, capacity("1Gi"))
    assert asked(capacity("1Gi"), capacity("2Gi"))
    assert not asked(capacity("2Gi"), capacity("2Gi"))


def test_only_the_pods_own_claims_queue_it() -> None:
    cache = cluster()
    (hint,) = [
        h.hint
        for h in VolumeBinding().events_to_register()
        if h.event.resource.value == "PersistentVolumeClaim"
    ]
    assert hint is not None
    assert hint(user(cache, "c"), Change(None, claim("c"), cache.snapshot()))
    assert not hint(user(cache, "c"), Change(None, claim("d"), cache.snapshot()))
