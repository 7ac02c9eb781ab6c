"""Laws that hold for every configuration."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gpusched.api.config import (
    IN_TREE_PLUGINS,
    ConfigurationError,
    ExtensionPoint,
    SchedulerConfiguration,
    default_configuration,
    load_configuration,
)
from gpusched.api.config.duration import format_duration, parse_duration

HEADER: dict[str, Any] = {
    "apiVersion": "kubescheduler.config.k8s.io/v1",
    "kind": "KubeSchedulerConfiguration",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "args", "enabled", "kind", "x"]), inner)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(["parallelism", "profiles", "extenders", "leaderElection", "foo"])
SCORERS = sorted(n for n, points in IN_TREE_PLUGINS.items() if ExtensionPoint.SCORE in points)


def outcome(text: str) -> SchedulerConfiguration | tuple[str, str]:
    try:
        return load_configuration(text)
    except ConfigurationError as error:
        return error.stage.value, error.message


@pytest.mark.property
@given(st.text())
def test_any_text_is_read_or_refused_with_a_message(text: str) -> None:
    found = outcome(text)
    assert isinstance(found, SchedulerConfiguration) or found[1]


@pytest.mark.property
@given(st.dictionaries(FIELDS, JSON, max_size=3))
def test_any_fields_are_read_or_refused_with_a_message(fields: dict[str, Any]) -> None:
    found = outcome(json.dumps({**HEADER, **fields}))
    assert isinstance(found, SchedulerConfiguration) or found[1]


@pytest.mark.property
@given(
    st.lists(st.sampled_from(SCORERS), unique=True),
    st.lists(st.integers(0, 1000), min_size=20, max_size=20),
)
def test_json_and_yaml_of_one_configuration_mean_the_same(
    names: list[str], weights: list[int]
) -> None:
    enabled = [{"name": n, "weight": w} for n, w in zip(names, weights, strict=False)]
    whole = {**HEADER, "profiles": [{"plugins": {"score": {"enabled": enabled}}}]}
    found = outcome(json.dumps(whole))
    assert found == outcome(yaml.safe_dump(whole))
    assert isinstance(found, SchedulerConfiguration)
    scores = found.profiles[0].score_weights
    assert [scores[n] for n in names] == [w or 1 for _, w in zip(names, weights, strict=False)]


@pytest.mark.property
@given(st.lists(st.sampled_from(sorted(IN_TREE_PLUGINS)), unique=True))
def test_disabling_never_changes_the_order_of_the_others(names: list[str]) -> None:
    disabled = [{"name": name} for name in names]
    whole = {**HEADER, "profiles": [{"plugins": {"multiPoint": {"disabled": disabled}}}]}
    found = outcome(json.dumps(whole))
    if {"PrioritySort", "DefaultBinder"} & set(names):
        assert isinstance(found, tuple)
        return
    assert isinstance(found, SchedulerConfiguration)
    everything = default_configuration().profiles[0].plugins
    for point, left in found.profiles[0].plugins.items():
        assert left == tuple(name for name in everything[point] if name not in names)


@pytest.mark.property
@given(st.integers(-(10**18), 10**18))
def test_a_duration_is_read_as_it_is_printed(nanoseconds: int) -> None:
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds
