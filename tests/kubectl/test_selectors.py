"""Selectors: what they choose, and what is said of bad ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.kubectl.field_selectors import parse_field_selector
from gpusched.kubectl.selectors import (
    Requirement,
    Selector,
    SelectorError,
    of_object,
    parse_selector,
)

LABELS = {"app": "web", "tier": "front", "cpus": "8"}


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ("app=web", True), ("app==web", True), ("app!=web", False), ("other!=web", True),
        ("app in (web, db)", True), ("app notin (web,db)", False), ("other notin (x)", True),
        ("app", True), ("!app", False), ("!other", True), ("cpus>7", True), ("cpus<8", False),
        ("app>1", False), ("app=web,tier=front", True), ("app=web,tier=back", False), ("", True),
        ("app=", False), ("other in ()", False),
    ],
)  # fmt: skip
def test_a_selector_chooses_by_labels(selector: str, chosen: bool) -> None:
    assert parse_selector(selector).matches(LABELS) is chosen


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b,,c", "found ',', expected: identifier after ','"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (x", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("=b", "found '=', expected: !, identifier, or 'end of string'"),
    ],
)
def test_a_bad_selector_is_refused_in_the_servers_words(selector: str, wanted: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse_selector(selector)
    assert str(caught.value) == wanted


def test_an_object_without_selector_selects_nothing() -> None:
    assert not of_object(None).matches({})
    assert of_object({}).matches({})


keys = st.sampled_from(["a", "b", "x.y/z"])
values = st.text("abc12", min_size=1, max_size=3)
requirements = st.one_of(
    st.builds(Requirement, keys, st.sampled_from(["=", "==", "!="]), st.tuples(values)),
    st.builds(Requirement, keys, st.sampled_from(["exists", "!"])),
    st.builds(
        Requirement,
        keys,
        st.sampled_from(["in", "notin"]),
        st.sets(values, min_size=1, max_size=3).map(lambda chosen: tuple(sorted(chosen))),
    ),
)


@pytest.mark.property
@given(st.lists(requirements, max_size=4))
def test_a_selector_reads_back_from_its_text(terms: list[Requirement]) -> None:
    selector = Selector(tuple(terms))
    assert parse_selector(str(selector)) == selector


def test_field_selectors_look_at_the_fields_that_the_server_offers() -> None:
    (term,) = parse_field_selector("status.phase!=Running", "Pod")
    assert term.matches({"status": {"phase": "Pending"}})
    assert not term.matches({"status": {"phase": "Running"}})
    with pytest.raises(SelectorError, match=r"^field label not supported: spec\.image$"):
        parse_field_selector("spec.image=x", "Pod")
