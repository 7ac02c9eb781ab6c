"""The cache: the order of nodes, ghosts, images, and that columns equal a recount at any time."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from gpusched.cluster.cache import Cache
from gpusched.cluster.pod import PodInfo
from gpusched.errors import InvariantError
from tests.cluster.builders import add_node, container, empty_cache, node, pod

ZONE = "topology.kubernetes.io/zone"
BETA_ZONE = "failure-domain.beta.kubernetes.io/zone"


def order(cache: Cache) -> list[str]:
    snapshot = cache.snapshot()
    return [snapshot.nodes.info(row).name for row in snapshot.order.tolist()]


def zoned(cache: Cache, zones: dict[str, str]) -> None:
    for name, zone in zones.items():
        add_node(cache, name, labels={ZONE: zone})


def test_nodes_are_listed_round_robin_over_zones() -> None:
    cache = empty_cache()
    zoned(cache, {"a1": "a", "a2": "a", "a3": "a", "b1": "b", "c1": "c", "c2": "c"})
    assert order(cache) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_a_zone_that_empties_comes_back_at_the_end() -> None:
    cache = empty_cache()
    zoned(cache, {"a1": "a", "b1": "b"})
    cache.remove_node("a1")
    add_node(cache, "a2", labels={ZONE: "a"})
    assert order(cache) == ["b1", "a2"]


def test_a_changed_zone_shows_only_when_a_node_comes_or_goes() -> None:
    cache = empty_cache()
    zoned(cache, {"x1": "x", "a1": "a", "a2": "a", "b1": "b"})
    before = order(cache)
    cache.update_node(node(cache, "x1", labels={ZONE: "b"}))
    assert order(cache) == before
    add_node(cache, "z")
    assert order(cache) == ["a1", "b1", "z", "a2", "x1"]


RECREATED = [
    pytest.param({}, ["n0", "n2", "n1"], id="without zones: the old places"),
    pytest.param({"n1": "b", "n2": "a"}, ["n0", "n2", "n1"], id="in other zones: the old places"),
    pytest.param({"n3": ""}, ["n0", "n1", "n2", "n3"], id="with one more: all anew"),
]


@pytest.mark.parametrize(("zones", "expected"), RECREATED)
def test_nodes_deleted_and_created_again_between_attempts_are_listed_anew_only_if_names_differ(
    zones: dict[str, str], expected: list[str]
) -> None:
    cache = empty_cache()
    zoned(cache, {"n0": "a", "n1": "a", "n2": "b"})
    order(cache)
    recreated = dict.fromkeys(("n0", "n1", "n2"), "") | zones
    for name in ("n0", "n1", "n2"):
        cache.remove_node(name)
    zoned(cache, recreated)
    assert order(cache) == expected


def test_an_attempt_in_between_lists_nodes_anew() -> None:
    cache = empty_cache()
    zoned(cache, {"n0": "a", "n1": "a", "n2": "b"})
    order(cache)
    cache.remove_node("n0")
    order(cache)
    zoned(cache, {"n0": "a"})
    assert order(cache) == ["n1", "n2", "n0"]


def test_a_node_of_another_name_in_place_of_one_has_all_listed_anew() -> None:
    cache = empty_cache()
    zoned(cache, {"n0": "a", "n1": "a", "n2": "b"})
    order(cache)
    cache.remove_node("n0")
    zoned(cache, {"n3": "b"})
    assert order(cache) == ["n1", "n2", "n3"]


def test_a_beta_zone_label_wins_even_if_it_is_empty() -> None:
    cache = empty_cache()
    assert node(cache, "n", labels={ZONE: "a", BETA_ZONE: ""}).zone == ""
    assert node(cache, "n", labels={ZONE: "a", BETA_ZONE: "b"}).zone == ":\x00:b"


def test_pods_wait_on_a_node_that_is_not_there_and_count_when_it_comes() -> None:
    cache = empty_cache()
    early = pod(cache, requests={"cpu": "2"})
    cache.add_pod(early, "late")
    assert len(cache.nodes) == 0
    assert cache.placed[early.shape]
    add_node(cache, "late")
    assert cache.nodes.requested[0].tolist() == [2000]
    cache.remove_node("late")
    ghost = cache.state("late")
    assert ghost is not None
    assert ghost.row == -1
    cache.remove_pod(early)
    assert cache.state("late") is None
    assert not cache.placed


def test_a_removed_pod_frees_its_host_port_even_if_another_one_holds_it() -> None:
    cache = empty_cache()
    add_node(cache, "n")
    user = container(ports=[{"containerPort": 80, "hostPort": 80}])
    pods = [pod(cache, name, containers=[user]) for name in "ab"]
    for each in pods:
        cache.add_pod(each, "n")
    cache.remove_pod(pods[0])
    state = cache.state("n")
    assert state is not None
    assert state.pods == [pods[1]]
    assert not state.ports


def test_nodes_without_host_ports_share_one_set_that_is_never_changed() -> None:
    cache = empty_cache()
    for name in "nm":
        add_node(cache, name)
    states = cache.nodes.states
    assert states[0].ports is states[1].ports
    tried = states[0].copy(0)
    tried.add(pod(cache, containers=[container(ports=[{"containerPort": 80, "hostPort": 80}])]))
    assert tried.ports
    assert not states[0].ports
    assert not states[1].ports


def test_the_last_pod_moves_into_the_gap() -> None:
    cache = empty_cache()
    add_node(cache, "n")
    pods = [pod(cache, name) for name in "abc"]
    for each in pods:
        cache.add_pod(each, "n")
    cache.remove_pod(pods[0])
    state = cache.state("n")
    assert state is not None
    assert [each.name for each in state.pods] == ["c", "b"]


def test_an_image_has_the_size_that_its_first_node_names() -> None:
    cache = empty_cache()
    for name, size in {"a": 5, "b": 7}.items():
        add_node(cache, name, images=[{"names": ["cuda:12"], "sizeBytes": size}])
    found = cache.images.get("cuda:12")
    assert found is not None
    assert (found.size, found.nodes) == (5, 2)
    cache.update_node(node(cache, "a"))
    assert (found.size, found.nodes) == (5, 1)
    cache.remove_node("b")
    assert cache.images.get("cuda:12") is None


def test_the_first_of_two_equal_image_names_on_a_node_counts() -> None:
    images = [{"names": ["x:1", "y:1"], "sizeBytes": 1}, {"names": ["y:1"], "sizeBytes": 2}]
    assert node(empty_cache(), "n", images=images).images == {"x:1": 1, "y:1": 1}


def test_a_node_that_is_not_there_can_neither_be_updated_nor_removed() -> None:
    cache = empty_cache()
    cache.add_pod(pod(cache), "ghost")
    with pytest.raises(InvariantError, match="node ghost is updated before it is added"):
        cache.update_node(node(cache, "ghost"))
    with pytest.raises(InvariantError, match="node ghost is removed twice"):
        cache.remove_node("ghost")


def test_a_copied_row_changes_alone() -> None:
    cache = empty_cache()
    add_node(cache, "n")
    cache.add_pod(pod(cache, requests={"cpu": "1"}), "n")
    one = cache.nodes.copy_row(0)
    one.add_pod(one.states[0], pod(cache, "q", requests={"cpu": "2", "new.com/thing": "1"}))
    assert one.requested[:, 0].tolist() == [3000, 0, 0, 1]
    assert cache.nodes.requested[:, 0].tolist() == [1000, 0, 0, 0]
    assert (len(one.states[0].pods), cache.nodes.pod_counts.tolist()) == (2, [1])


def test_answers_are_kept_until_a_node_changes_and_cannot_be_written_to() -> None:
    cache = empty_cache()
    add_node(cache, "n")
    calls: list[int] = []

    def count(nodes: Any) -> Any:
        calls.append(len(nodes))
        return nodes.allowed_pods.copy()

    kept = cache.nodes.memo("key", count)
    assert cache.nodes.memo("key", count) is kept
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 1
    add_node(cache, "m")
    cache.nodes.memo("key", count)
    assert calls == [1, 2]


def test_the_memory_for_answers_is_bounded() -> None:
    nodes = empty_cache().nodes
    for key in range(5000):
        nodes.memo(key, len)
    assert nodes.memo(0, lambda _nodes: "made anew") == "made anew"


class CacheMachine(RuleBasedStateMachine):
    """Nodes and pods come, change and go in any order."""

    pods: Bundle[PodInfo] = Bundle("pods")
    names = st.sampled_from(["n0", "n1", "n2", "n3"])

    def __init__(self) -> None:
        super().__init__()
        self.cache = empty_cache()
        self.live: set[str] = set()
        self.placed: dict[str, list[PodInfo]] = {}
        self.count = 0

    @rule(name=names, cpu=st.integers(0, 9), gpus=st.integers(0, 8))
    def put_node(self, name: str, cpu: int, gpus: int) -> None:
        allocatable = {"cpu": str(cpu), "pods": "4", **({"x.com/gpu": str(gpus)} if gpus else {})}
        info = node(self.cache, name, allocatable=allocatable, labels={ZONE: str(cpu % 2)})
        (self.cache.update_node if name in self.live else self.cache.add_node)(info)
        self.live.add(name)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def drop_node(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.live)))
        self.cache.remove_node(name)
        self.live.remove(name)

    @rule(target=pods, name=names, cpu=st.integers(0, 4), gpus=st.integers(0, 2))
    def bind(self, name: str, cpu: int, gpus: int) -> PodInfo:
        self.count += 1
        requests = {"cpu": str(cpu), "x.com/gpu": str(gpus)}
        bound = pod(self.cache, f"p{self.count}", requests=requests)
        self.cache.add_pod(bound, name)
        self.placed.setdefault(name, []).append(bound)
        return bound

    @rule(gone=pods)
    def unbind(self, gone: PodInfo) -> None:
        for pods in self.placed.values():
            if gone in pods:
                pods.remove(gone)
                self.cache.remove_pod(gone)

    @invariant()
    def columns_equal_a_recount(self) -> None:
        nodes = self.cache.nodes
        assert sorted(order(self.cache)) == sorted(self.live)
        gpu = self.cache.resources.find("x.com/gpu")
        for row, state in enumerate(nodes.states):
            here = self.placed.get(nodes.info(row).name, [])
            assert state.row == row
            assert sorted(each.name for each in state.pods) == sorted(each.name for each in here)
            assert nodes.pod_counts[row] == len(here)
            assert nodes.requested[0, row] == sum(each.accounted.amount(0) for each in here)
            if gpu is not None:
                assert nodes.requested[gpu, row] == sum(p.accounted.amount(gpu) for p in here)
                assert nodes.allocatable[gpu, row] == dict(nodes.info(row).allocatable).get(gpu, 0)
            assert nodes.nonzero_requested[0, row] == sum(p.accounted.nonzero_cpu for p in here)

    @invariant()
    def shapes_are_counted_where_they_are(self) -> None:
        counted = sum(sum(by_node.values()) for by_node in self.cache.placed.values())
        assert counted == sum(len(pods) for pods in self.placed.values())


TestCacheMachine = CacheMachine.TestCase
TestCacheMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
