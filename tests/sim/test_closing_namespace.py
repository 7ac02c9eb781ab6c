"""A namespace that is being terminated takes nothing new in: no binding, no eviction, no event."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gpusched.controllers.protocol import ApiError
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete, evict
from tests.sim.builders import Json, plane, pod, workload

KEY = ("gpu-demo", "p")
REFUSED = (
    'pods "p" is forbidden: unable to create new content in namespace gpu-demo because it is'
    " being terminated"
)


def closing(*objects: Json) -> ControlPlane:
    """Return a plane whose namespace of a waiting pod and of some objects is going."""
    built = plane()
    named = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gpu-demo"}}
    waiting = pod("p")
    for obj in (waiting, *objects):
        obj["metadata"]["namespace"] = "gpu-demo"
    for obj in (named, waiting, *objects):
        built.api.create(obj)
    built.run(SECOND)
    delete(built.store, "Namespace", ("", "gpu-demo"))
    return built


@pytest.mark.parametrize(
    "post",
    [
        pytest.param(lambda built: built.api.bind(KEY, "a"), id="a binding"),
        pytest.param(lambda built: evict(built.store, KEY), id="an eviction"),
    ],
)
def test_nothing_is_posted_to_its_pods(post: Callable[[ControlPlane], None]) -> None:
    built = closing()
    with pytest.raises(ApiError) as caught:
        post(built)
    assert (caught.value.code, caught.value.message) == (403, REFUSED)


def test_it_tells_of_nothing_new() -> None:
    built = closing(workload("Deployment", "web", 2))
    before = [(record.reason, record.message) for record in built.store.events]
    built.api.scale("Deployment", ("gpu-demo", "web"), 1)
    built.run(2 * SECOND)
    assert len(list(built.store.pods("gpu-demo"))) == 2  # the waiting one and the web's last
    assert [(record.reason, record.message) for record in built.store.events] == before


def test_a_namespace_of_its_name_opens_anew() -> None:
    built = closing()
    named = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gpu-demo"}}
    with pytest.raises(ApiError) as caught:
        built.api.create(named)
    assert caught.value.message == ('object is being deleted: namespaces "gpu-demo" already exists')
    built.run(30 * SECOND)
    built.api.create(named)
    again = pod("p")
    again["metadata"]["namespace"] = "gpu-demo"
    built.api.create(again)
    assert built.api.bind(KEY, "a").node == "a"


def test_its_events_go_with_it() -> None:
    built = closing(workload("Deployment", "web", 2))
    told = built.store.event(0)
    built.store.add_event(replace(told, regarding={**told.regarding, "namespace": "elsewhere"}))
    assert {record.namespace for record in built.store.events} == {"gpu-demo", "elsewhere"}
    built.run(20 * SECOND)
    assert [record.namespace for record in built.store.events] == ["elsewhere"]
