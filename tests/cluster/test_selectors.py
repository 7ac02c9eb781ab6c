"""Selectors: what matches, what cannot be parsed; whole columns agree with single nodes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.api.meta import LabelSelector as ApiLabelSelector
from gpusched.api.placement import NodeSelector as ApiNodeSelector
from gpusched.cluster.node_affinity import required_node_affinity
from gpusched.cluster.requirements import Requirement
from gpusched.cluster.selectors import EVERYTHING, NOTHING, LabelSelector, NodeSelector
from tests.cluster.builders import Json, add_node, empty_cache, pod

LABEL_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def labels(**selector: Any) -> LabelSelector:
    return LabelSelector.compile(ApiLabelSelector.model_validate(selector))


def expression(key: str, operator: str, *values: str) -> Json:
    return {"key": key, "operator": operator, "values": values}


def nodes_where(*terms: Json) -> NodeSelector:
    return NodeSelector.compile(ApiNodeSelector.model_validate({"nodeSelectorTerms": terms}))


def expressions(*found: Json) -> Json:
    return {"matchExpressions": found}


def fields(*found: Json) -> Json:
    return {"matchFields": found}


@pytest.mark.parametrize(
    ("requirement", "value", "holds"),
    [
        pytest.param(Requirement("k", "In", ("a", "b")), "b", True, id="In: one of the values"),
        pytest.param(Requirement("k", "In", ("a",)), None, False, id="In: the label is missing"),
        pytest.param(Requirement("k", "NotIn", ("a",)), "a", False, id="NotIn: one of the values"),
        pytest.param(Requirement("k", "NotIn", ("a",)), None, True, id="NotIn: missing is fine"),
        pytest.param(Requirement("k", "Exists"), "", True, id="Exists: an empty value exists"),
        pytest.param(Requirement("k", "Exists"), None, False, id="Exists: missing"),
        pytest.param(Requirement("k", "DoesNotExist"), "", False, id="DoesNotExist: it does"),
        pytest.param(Requirement("k", "DoesNotExist"), None, True, id="DoesNotExist: missing"),
        pytest.param(Requirement("k", "Gt", ("8",)), "9", True, id="Gt: larger"),
        pytest.param(Requirement("k", "Gt", ("8",)), "8", False, id="Gt: equal is not larger"),
        pytest.param(Requirement("k", "Gt", ("8",)), "+9", True, id="Gt: a sign is a number's"),
        pytest.param(Requirement("k", "Gt", ("8",)), "9.5", False, id="Gt: no whole number"),
        pytest.param(Requirement("k", "Gt", ("8",)), str(2**63), False, id="Gt: beyond 64 bits"),
        pytest.param(Requirement("k", "Lt", ("8",)), "-9", True, id="Lt: smaller"),
        pytest.param(Requirement("k", "Lt", ("8",)), "8", False, id="Lt: equal is not smaller"),
        pytest.param(Requirement("k", "Lt", ("8",)), None, False, id="Lt: missing"),
    ],
)
def test_a_requirement_on_a_label(requirement: Requirement, value: str | None, holds: bool) -> None:
    assert requirement.holds(value) is holds


def test_an_absent_label_selector_matches_nothing_and_an_empty_one_everything() -> None:
    assert LabelSelector.compile(None) is NOTHING
    assert not NOTHING.matches({})
    assert not NOTHING.is_empty
    assert labels() == EVERYTHING
    assert labels().matches({"a": "b"})
    assert labels().is_empty


def test_all_labels_and_expressions_must_hold() -> None:
    selector = labels(matchLabels={"a": "1"}, matchExpressions=[expression("b", "Exists")])
    assert selector.matches({"a": "1", "b": ""})
    assert not selector.matches({"a": "1"})
    assert not selector.matches({"a": "2", "b": ""})
    more = selector.plus([Requirement("c", "In", ("x",))])
    assert not more.matches({"a": "1", "b": ""})
    assert more.matches({"a": "1", "b": "", "c": "x"})
    assert NOTHING.plus([Requirement("c", "Exists")]) is NOTHING


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        pytest.param(
            expression("k", "Gt", "1"),
            '"Gt" is not a valid label selector operator',
            id="an operator of node selectors",
        ),
        pytest.param(
            expression("k", "In"),
            "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
            id="In without values",
        ),
        pytest.param(
            expression("k", "In", "-4"),
            f'values[0][k]: Invalid value: "-4": {LABEL_TEXT}',
            id="a value that is no label value",
        ),
    ],
)
def test_a_bad_label_selector_matches_nothing_and_says_why(bad: Json, error: str) -> None:
    selector = labels(matchExpressions=[bad])
    assert (selector.error, selector.matches({"k": "1"})) == (error, False)


@pytest.mark.parametrize(
    ("term", "errors"),
    [
        pytest.param(
            expressions(expression("gen", "In", "x", "-4")),
            [f'[0].matchExpressions[0].values[1][gen]: Invalid value: "-4": {LABEL_TEXT}'],
            id="a value that is no label value",
        ),
        pytest.param(
            expressions(expression("gen", "Gt", "x")),
            [
                (
                    '[0].matchExpressions[0].values[0]: Invalid value: "x": '
                    "for 'Gt', 'Lt' operators, the value must be an integer"
                )
            ],
            id="Gt of no number",
        ),
        pytest.param(
            expressions(expression("gen", "Lt", "1", "2")),
            [
                (
                    '[0].matchExpressions[0].values: Invalid value: ["1","2"]: '
                    "for 'Gt', 'Lt' operators, exactly one value is required"
                )
            ],
            id="Lt of two values",
        ),
        pytest.param(
            expressions(expression("gen", "Exists", "a")),
            [
                (
                    '[0].matchExpressions[0].values: Invalid value: ["a"]: '
                    "values set must be empty for exists and does not exist"
                )
            ],
            id="Exists with a value",
        ),
        pytest.param(
            expressions(expression("gen", "Nope")),
            [
                (
                    '[0].matchExpressions[0].operator: Unsupported value: "Nope": '
                    'supported values: "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"'
                )
            ],
            id="an unknown operator",
        ),
        pytest.param(
            fields(expression("metadata.name", "In", "a", "b")),
            ['[0].matchFields[0].values: Invalid value: ["a","b"]: must have one element'],
            id="two names in one field",
        ),
        pytest.param(
            fields(expression("metadata.name", "Exists")),
            [
                (
                    '[0].matchFields[0].operator: Unsupported value: "Exists": supported values: '
                    '"In", "NotIn"'
                )
            ],
            id="a field's operator",
        ),
    ],
)
def test_a_term_that_cannot_be_parsed_matches_no_node(term: Json, errors: list[str]) -> None:
    cache = empty_cache()
    add_node(cache, "a", labels={"gen": "5"})
    selector = nodes_where(term)
    assert list(selector.errors) == errors
    assert not selector.matches(cache.nodes).any()
    assert not selector.matches_one({"gen": "5"}, "a")


def test_terms_are_alternatives_and_empty_ones_match_nothing() -> None:
    selector = nodes_where({}, expressions(expression("gpu", "In", "a100")))
    assert selector.matches_one({"gpu": "a100"}, "n")
    assert not selector.matches_one({}, "n")
    assert not nodes_where().matches_one({}, "n")


@pytest.mark.parametrize(
    ("terms", "names"),
    [
        pytest.param([fields(expression("metadata.name", "In", "a"))], {"a"}, id="one name"),
        pytest.param(
            [fields(expression("metadata.name", "In", name)) for name in "ab"],
            {"a", "b"},
            id="terms are joined",
        ),
        pytest.param(
            [fields(*(expression("metadata.name", "In", name) for name in "ab"))],
            set(),
            id="fields of one term are intersected",
        ),
        pytest.param(
            [fields(expression("metadata.name", "In", "a")), {}],
            None,
            id="even an empty term leaves the names open",
        ),
        pytest.param(
            [fields(expression("metadata.name", "NotIn", "a"))], None, id="NotIn names none"
        ),
        pytest.param([], None, id="no term at all"),
    ],
)
def test_the_only_names_that_can_match(terms: list[Json], names: set[str] | None) -> None:
    assert nodes_where(*terms).names == names


_values = st.sampled_from(["1", "2", "10", "x", ""])
_requirements = st.one_of(
    st.builds(
        lambda key, operator, values: expression(key, operator, *values),
        st.sampled_from("ab"),
        st.sampled_from(["In", "NotIn"]),
        st.lists(_values, min_size=1, max_size=3),
    ),
    st.builds(expression, st.sampled_from("ab"), st.sampled_from(["Exists", "DoesNotExist"])),
    st.builds(
        expression,
        st.sampled_from("ab"),
        st.sampled_from(["Gt", "Lt"]),
        st.sampled_from(["1", "5"]),
    ),
)
_fields = st.builds(
    expression,
    st.just("metadata.name"),
    st.sampled_from(["In", "NotIn"]),
    st.sampled_from(["n0", "n2", "gone"]),
)
_terms = st.builds(
    lambda found, names: {**expressions(*found), **fields(*names)},
    st.lists(_requirements, max_size=3),
    st.lists(_fields, max_size=1),
)


@pytest.mark.property
@given(
    st.lists(st.dictionaries(st.sampled_from("ab"), _values), max_size=5),
    st.lists(_terms, max_size=3),
)
def test_columns_agree_with_single_nodes(nodes: list[dict[str, str]], terms: list[Json]) -> None:
    cache = empty_cache()
    for at, found in enumerate(nodes):
        add_node(cache, f"n{at}", labels=found)
    selector = nodes_where(*terms)
    alone = [selector.matches_one(found, f"n{at}") for at, found in enumerate(nodes)]
    assert selector.matches(cache.nodes).tolist() == alone


def test_a_pod_asks_by_node_selector_and_by_affinity_at_once() -> None:
    cache = empty_cache()
    for name, found in {"a": {"x": "1"}, "b": {"y": "1"}, "c": {"x": "1", "y": "1"}}.items():
        add_node(cache, name, labels=found)
    term = expressions(expression("y", "Exists"))
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    asks = pod(cache, nodeSelector={"x": "1"}, affinity={"nodeAffinity": required}).shape
    assert required_node_affinity(asks).matches(cache.nodes).tolist() == [False, False, True]
    assert required_node_affinity(asks).matches_one({"x": "1", "y": ""}, "d")
    assert not required_node_affinity(asks).matches_one({"y": ""}, "d")
    assert required_node_affinity(pod(cache).shape).is_open
