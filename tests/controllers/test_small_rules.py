"""Small rules of controllers, by table."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.controllers import taints
from gpusched.controllers.garbage_collector import scattered
from gpusched.controllers.job_backoff import Backoff
from gpusched.controllers.job_indexes import format_indexes, parse_indexes
from gpusched.controllers.protocol import SECOND
from gpusched.controllers.selectors import selects

NO_EXECUTE = {"key": "k", "value": "v", "effect": "NoExecute"}


@given(st.sets(st.integers(0, 200)))
def test_indexes_survive_being_written(indexes: set[int]) -> None:
    assert parse_indexes(format_indexes(indexes)) == sorted(indexes)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        pytest.param(0, 0, id="no failure, no wait"),
        pytest.param(1, 10, id="ten seconds after the first"),
        pytest.param(2, 20, id="twice that after the second"),
        pytest.param(7, 600, id="ten minutes at most"),
        pytest.param(99, 600, id="and no overflow"),
    ],
)
def test_backoff_of_a_job(failures: int, seconds: int) -> None:
    record = Backoff(failures, 5 * SECOND if failures else None)
    assert record.remaining(5 * SECOND) == seconds * SECOND


@pytest.mark.parametrize(
    ("tolerations", "seconds"),
    [
        pytest.param([], 0, id="not tolerated"),
        pytest.param([{"operator": "Exists"}], None, id="everything tolerated for ever"),
        pytest.param(
            [{"key": "k", "operator": "Equal", "value": "v", "tolerationSeconds": 10}],
            10,
            id="tolerated for ten seconds",
        ),
        pytest.param(
            [{"key": "k", "operator": "Equal", "value": "w"}],
            0,
            id="another value is not tolerated",
        ),
        pytest.param(
            [{"key": "k", "operator": "Exists", "effect": "NoSchedule"}],
            0,
            id="another effect is not tolerated",
        ),
    ],
)
def test_how_long_a_taint_is_tolerated(
    tolerations: list[dict[str, Any]], seconds: int | None
) -> None:
    assert taints.toleration_seconds([NO_EXECUTE], tolerations) == seconds


@pytest.mark.parametrize(
    ("node", "keys"),
    [
        pytest.param({"spec": {"unschedulable": True}}, ["unschedulable"], id="cordoned"),
        pytest.param(
            {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}},
            ["unreachable"],
            id="lost",
        ),
        pytest.param(
            {"spec": {"taints": [{"key": "mine", "effect": "NoSchedule"}]}},
            None,
            id="nothing to do",
        ),
        pytest.param(
            {"spec": {"taints": [{"key": taints.NOT_READY, "effect": "NoSchedule"}]}},
            [],
            id="ready again",
        ),
    ],
)
def test_taints_follow_the_state_of_a_node(node: dict[str, Any], keys: list[str] | None) -> None:
    found = taints.reconciled(node)
    names = None if found is None else [item["key"].rpartition("/")[2] for item in found]
    assert names == keys


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        pytest.param(None, False, id="no selector selects nothing"),
        pytest.param({}, True, id="an empty one everything"),
        pytest.param({"matchLabels": {"a": "1"}}, True, id="equal label"),
        pytest.param({"matchLabels": {"a": "2"}}, False, id="other value"),
        pytest.param(
            {"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}, True, id="absent"
        ),
        pytest.param(
            {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]},
            False,
            id="excluded",
        ),
    ],
)
def test_label_selectors(selector: dict[str, Any] | None, selected: bool) -> None:
    assert selects(selector, {"a": "1"}) is selected


@given(st.integers(8, 60), st.data())
def test_every_stretch_of_a_scattered_order_takes_its_share_of_the_young(
    count: int, data: st.DataObject
) -> None:
    order = scattered(range(count))
    assert sorted(order) == list(range(count))
    young = data.draw(st.integers(1, count - 1))
    begin = data.draw(st.integers(0, count - 1))
    stretch = order[begin : data.draw(st.integers(begin + 1, count))]
    share = len(stretch) * young / count
    assert abs(sum(index >= count - young for index in stretch) - share) < 4
