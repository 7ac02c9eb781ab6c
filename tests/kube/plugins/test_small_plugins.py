"""SchedulingGates, PrioritySort, DefaultBinder, ImageLocality."""

from typing import Any

import numpy as np
import pytest

from gpusched.cluster.cache import Cache
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Change
from gpusched.kube.framework.status import SUCCESS, Code, Status
from gpusched.kube.plugins.default_binder import DefaultBinder
from gpusched.kube.plugins.image_locality import ImageLocality, normalized_image_name
from gpusched.kube.plugins.priority_sort import PrioritySort
from gpusched.kube.plugins.scheduling_gates import SchedulingGates
from tests.cluster.builders import add_node, container, empty_cache, pod

MIB = 1024 * 1024


def test_gates_keep_a_pod_out_and_are_named() -> None:
    cache = empty_cache()
    gates = [{"name": "quota"}, {"name": "example.com/ready"}]
    found = SchedulingGates().pre_enqueue(pod(cache, schedulingGates=gates), cache.snapshot())
    assert found == Status(
        Code.UNSCHEDULABLE_AND_UNRESOLVABLE,
        ("waiting for scheduling gates: [quota example.com/ready]",),
    )
    assert SchedulingGates().pre_enqueue(pod(cache), cache.snapshot()) == SUCCESS


def test_only_the_pods_own_gates_wake_it() -> None:
    cache = empty_cache()
    (registration,) = SchedulingGates().events_to_register()
    assert registration.hint is not None
    waiting = pod(cache)
    assert registration.hint(waiting, Change(waiting, pod(cache), cache.snapshot()))
    assert not registration.hint(waiting, Change(waiting, pod(cache, "q"), cache.snapshot()))


def test_priority_comes_before_time() -> None:
    cache, plugin = empty_cache(), PrioritySort()
    low, high = pod(cache, "low"), pod(cache, "high", priority=10)
    assert plugin.sort_key(high, 5) < plugin.sort_key(low, 1) < plugin.sort_key(low, 2)


def test_the_binder_is_a_name_only() -> None:
    assert DefaultBinder().name == "DefaultBinder"


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        pytest.param("cuda", "cuda:latest", id="no tag"),
        pytest.param("cuda:12", "cuda:12", id="a tag"),
        pytest.param("localhost:5000/cuda", "localhost:5000/cuda:latest", id="a port is no tag"),
        pytest.param("cuda@sha256:ab", "cuda@sha256:ab", id="a digest"),
    ],
)
def test_an_image_without_a_tag_is_the_latest(name: str, normal: str) -> None:
    assert normalized_image_name(name) == normal


def image_scores(cache: Cache, **spec: Any) -> Any:
    rows = np.arange(len(cache.nodes))
    found = ImageLocality().score(CycleState(), pod(cache, **spec), cache.snapshot(), rows)
    assert not isinstance(found, Status)
    return found.tolist()


def with_images(**sizes: int) -> Cache:
    """Return two nodes; the first has images of so many MiB."""
    cache = empty_cache()
    images = [{"names": [f"{name}:1"], "sizeBytes": size * MIB} for name, size in sizes.items()]
    add_node(cache, "a", images=images)
    add_node(cache, "b")
    return cache


@pytest.mark.parametrize(
    ("sizes", "images", "scores"),
    [
        pytest.param({"x": 1000}, ["x:1"], [48, 0], id="half of the nodes have it: half its size"),
        pytest.param({"x": 40}, ["x:1"], [0, 0], id="too small to matter"),
        pytest.param({"x": 9000}, ["x:1"], [100, 0], id="more than 1000 MiB counts as 1000"),
        pytest.param({"x": 1000}, ["x:1", "x:1"], [49, 0], id="two containers count it twice"),
        pytest.param({"x": 1000}, ["y:1"], [0, 0], id="another image"),
    ],
)
def test_images_that_lie_there_score(
    sizes: dict[str, int], images: list[str], scores: list[int]
) -> None:
    containers = [container(f"c{at}", image=image) for at, image in enumerate(images)]
    assert image_scores(with_images(**sizes), containers=containers) == scores


def test_init_containers_count_too() -> None:
    init = container("i", image="x:1")
    found = image_scores(with_images(x=2000), containers=[container()], initContainers=[init])
    assert found == [49, 0]
