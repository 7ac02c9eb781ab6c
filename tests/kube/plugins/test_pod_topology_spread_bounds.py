"""PodTopologySpread where one of several keys is lacking, or one of several services selects."""

import numpy as np

from gpusched.api.core import Service
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.status import SKIP
from gpusched.kube.plugins.pod_topology_spread.filtering import SpreadState
from tests.kube.plugins.test_pod_topology_spread import SYSTEM, constraint, spread, world_of
from tests.kube.plugins.worlds import HOSTNAME, ZONE


def test_a_pod_on_a_node_that_lacks_one_of_the_keys_counts_for_no_constraint() -> None:
    world = world_of({"n1": 0}, {"n1": "a", "bare": None})
    waiting = world.pod("p", spread(constraint(ZONE), constraint(HOSTNAME)), labels={"app": "web"})
    state = CycleState()
    SYSTEM.pre_filter(state, waiting, world.snapshot)
    one = world.snapshot.nodes.copy_row(world.copy_of("bare"))
    for number in range(3):
        SYSTEM.add_pod(state, waiting, world.pod(f"q{number}", labels={"app": "web"}), one)
    counted = state.read("PreFilterPodTopologySpread")
    assert isinstance(counted, SpreadState)
    assert [each.pods.total() for each in counted.spreads] == [0, 0]


def test_a_service_elsewhere_does_not_hide_the_one_that_selects() -> None:
    world = world_of({"n1": 1}, {"n1": "a", "n2": "b"})
    for namespace in ("elsewhere", "default"):
        wire = {
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {"selector": {"app": "web"}},
        }
        world.objects.services.put((namespace, "web"), Service.model_validate(wire))
    waiting = world.pod("p", labels={"app": "web"})
    assert SYSTEM.pre_score(CycleState(), waiting, world.snapshot, np.arange(2)) != SKIP
