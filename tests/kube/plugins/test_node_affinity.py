"""NodeAffinity: whom it turns away, how it narrows the search, and what its preferences cost."""

from typing import Any

import numpy as np
import pytest

from gpusched.api.config import NodeAffinityArgs
from gpusched.cluster.cache import Cache
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.events import Change
from gpusched.kube.framework.status import Code, Status
from gpusched.kube.plugins.node_affinity import NodeAffinity
from tests.cluster.builders import Json, add_node, empty_cache, node, pod

REASON = "node(s) didn't match Pod's node affinity/selector"
ENFORCED = "node(s) didn't match scheduler-enforced node affinity"
LABEL_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def expression(key: str, operator: str, *values: str) -> Json:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}


def named(*names: str) -> Json:
    found = [{"key": "metadata.name", "operator": "In", "values": [name]} for name in names]
    return {"matchFields": found}


def affinity(
    required: list[Json] | None = None, preferred: list[tuple[int, Json]] | None = None
) -> Json:
    found: Json = {}
    if required is not None:
        terms = {"nodeSelectorTerms": required}
        found["requiredDuringSchedulingIgnoredDuringExecution"] = terms
    if preferred is not None:
        found["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": weight, "preference": term} for weight, term in preferred
        ]
    return found


def fleet() -> Cache:
    cache = empty_cache()
    for name, pool in {"a": "a100", "b": "h100", "c": "h100"}.items():
        add_node(cache, name, labels={"pool": pool})
    add_node(cache, "d")
    return cache


def rejections(plugin: NodeAffinity, cache: Cache, **spec: Any) -> list[tuple[str, list[bool]]]:
    found = plugin.filter(CycleState(), pod(cache, **spec), cache.nodes)
    assert all(each.code is Code.UNSCHEDULABLE_AND_UNRESOLVABLE for each in found)
    return [(each.reason, each.nodes.tolist()) for each in found]


def test_a_node_selector_turns_away_other_nodes() -> None:
    found = rejections(NodeAffinity(), fleet(), nodeSelector={"pool": "h100"})
    assert found == [(REASON, [True, False, False, True])]
    assert rejections(NodeAffinity(), fleet()) == []


def test_what_the_configuration_adds_is_asked_first() -> None:
    plugin = NodeAffinity(NodeAffinityArgs(affinity([expression("pool", "Exists")])))
    found = rejections(plugin, fleet(), nodeSelector={"pool": "h100"})
    assert found == [
        (ENFORCED, [False, False, False, True]),
        (REASON, [True, False, False, False]),
    ]
    assert rejections(plugin, fleet()) == [(ENFORCED, [False, False, False, True])]


@pytest.mark.parametrize(
    ("required", "code", "names"),
    [
        pytest.param(None, Code.SKIP, None, id="nothing is asked for"),
        pytest.param([expression("pool", "Exists")], Code.SUCCESS, None, id="labels do not narrow"),
        pytest.param([named("a"), named("b")], Code.SUCCESS, {"a", "b"}, id="names narrow"),
        pytest.param(
            [named("a"), expression("pool", "Exists")], Code.SUCCESS, None, id="one open term"
        ),
        pytest.param(
            [named("a", "b")],
            Code.UNSCHEDULABLE_AND_UNRESOLVABLE,
            None,
            id="names that exclude each other turn the pod away",
        ),
        pytest.param([], Code.SUCCESS, None, id="an empty list of terms does not narrow"),
    ],
)
def test_names_narrow_the_search(
    required: list[Json] | None, code: Code, names: set[str] | None
) -> None:
    cache = fleet()
    waiting = pod(cache, affinity={"nodeAffinity": affinity(required)})
    found = NodeAffinity().pre_filter(CycleState(), waiting, cache.snapshot())
    assert (found.status.code, found.node_names) == (code, names)
    if code is Code.UNSCHEDULABLE_AND_UNRESOLVABLE:
        assert found.status.message == "pod affinity terms conflict"


def scored(plugin: NodeAffinity, preferred: list[tuple[int, Json]]) -> Any:
    cache = fleet()
    waiting = pod(cache, affinity={"nodeAffinity": affinity(preferred=preferred)})
    found = plugin.score(CycleState(), waiting, cache.snapshot(), np.arange(4))
    assert not isinstance(found, Status)
    return found.tolist()


def test_weights_of_matching_terms_add_up() -> None:
    h100, some = expression("pool", "In", "h100"), expression("pool", "Exists")
    assert scored(NodeAffinity(), [(3, h100), (10, some)]) == [10, 13, 13, 0]
    assert scored(NodeAffinity(), [(0, h100), (5, {})]) == [0, 0, 0, 0]
    added = NodeAffinity(NodeAffinityArgs(affinity(preferred=[(1, some)])))
    assert scored(added, [(3, h100)]) == [1, 4, 4, 0]


def test_scores_are_in_proportion_to_the_best() -> None:
    normal = NodeAffinity().normalize_score(CycleState(), pod(empty_cache()), np.array([10, 13, 0]))
    assert normal.tolist() == [76, 100, 0]


@pytest.mark.parametrize(
    ("preferred", "status"),
    [
        pytest.param(None, Status(Code.SKIP), id="no list at all skips"),
        pytest.param([], Status(Code.SUCCESS), id="an empty list does not skip"),
        pytest.param(
            [(1, expression("pool", "In", "x")), (1, expression("gen", "Gt", "-4"))],
            Status(
                Code.ERROR,
                (f'[1].matchExpressions[0].values[0][gen]: Invalid value: "-4": {LABEL_TEXT}',),
            ),
            id="one bad term is told bare",
        ),
        pytest.param(
            [(1, expression("gen", "Gt", "x")), (1, expression("gen", "Lt", "y"))],
            Status(
                Code.ERROR,
                (
                    (
                        "[[0].matchExpressions[0].values[0]: Invalid value: \"x\": for 'Gt', 'Lt' "
                        "operators, the value must be an integer, "
                        "[1].matchExpressions[0].values[0]: Invalid value: \"y\": for 'Gt', 'Lt' "
                        "operators, the value must be an integer]"
                    ),
                ),
            ),
            id="two bad terms are told in brackets",
        ),
        pytest.param([(0, expression("gen", "Gt", "x"))], Status(Code.SUCCESS), id="weight 0"),
    ],
)
def test_preferences_are_parsed_before_scoring(
    preferred: list[tuple[int, Json]] | None, status: Status
) -> None:
    cache = fleet()
    waiting = pod(cache, affinity={"nodeAffinity": affinity(preferred=preferred)})
    plugin, rows = NodeAffinity(), np.arange(4)
    assert plugin.pre_score(CycleState(), waiting, cache.snapshot(), rows) == status
    if status.code is Code.ERROR:
        assert plugin.score(CycleState(), waiting, cache.snapshot(), rows) == status


def test_a_node_wakes_if_it_matches_now_and_did_not_before() -> None:
    cache = fleet()
    waiting = pod(cache, nodeSelector={"pool": "x"})
    (registration,) = NodeAffinity().events_to_register()
    assert registration.hint is not None
    good, bad = node(cache, "n", labels={"pool": "x"}), node(cache, "n")
    snapshot = cache.snapshot()
    assert registration.hint(waiting, Change(None, good, snapshot))
    assert registration.hint(waiting, Change(bad, good, snapshot))
    assert not registration.hint(waiting, Change(good, good, snapshot))
    assert not registration.hint(waiting, Change(None, bad, snapshot))
