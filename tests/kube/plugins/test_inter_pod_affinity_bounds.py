"""InterPodAffinity where one of several terms is enough, and whose terms cannot be parsed."""

import pytest

from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.plugins.inter_pod_affinity import InterPodAffinity
from gpusched.kube.plugins.inter_pod_affinity.hints import EVENTS
from tests.kube.plugins.worlds import ZONE, Json, World


def required(kind: str, *terms: Json) -> Json:
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}}


def test_a_new_node_with_one_of_the_keys_wakes() -> None:
    world = World()
    web = {"labelSelector": {"matchLabels": {"app": "web"}}}
    terms = [{"topologyKey": key, **web} for key in (ZONE, "rack")]
    waiting = world.pod("p", required("podAffinity", *terms))
    hints = {each.event.resource.value: each.hint for each in EVENTS}
    hint = hints["Node"]
    assert hint is not None
    assert hint(waiting, world.change(None, world.node_info("n", {ZONE: "a"})))
    assert not hint(waiting, world.change(None, world.node_info("n", {"row": "1"})))


@pytest.mark.parametrize(
    ("kind", "place"),
    [("podAffinity", "requiredAffinityTerms"), ("podAntiAffinity", "requiredAntiAffinityTerms")],
)
def test_terms_that_cannot_be_parsed_are_named(kind: str, place: str) -> None:
    world = World()
    world.nodes({"n": "a"})
    selector = {"matchExpressions": [{"key": "app", "operator": "Near", "values": ["web"]}]}
    waiting = world.pod("p", required(kind, {"topologyKey": ZONE, "labelSelector": selector}))
    status = InterPodAffinity.create(None).pre_filter(CycleState(), waiting, world.snapshot).status
    text = '"Near" is not a valid label selector operator'
    assert status.message == f"parsing pod: {place}: {text}"
