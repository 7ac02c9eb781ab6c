"""kubectl's JSONPath: examples with upstream's messages, and laws."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.kubectl.jsonpath import JsonPathError, Template

POD = {
    "kind": "Pod",
    "items": [
        {"name": "a", "gpus": 1, "labels": {"app.x/y": "1", "b": "2"}},
        {"name": "b", "gpus": 8, "ready": True, "tags": ["x", "y"]},
        {"name": "c", "ready": False, "tags": []},
    ],
}


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        pytest.param("{.kind} is {.kind}", "Pod is Pod", id="text between actions stays"),
        pytest.param("kind", "kind", id="without braces all is text"),
        pytest.param("{.items[*].name}", "a b c", id="results are joined by blanks"),
        pytest.param("{.items[1:].name}", "b c", id="a slice without end"),
        pytest.param("{.items[-1].name}", "c", id="a negative index counts from the end"),
        pytest.param("{.items[0:3:2].name}", "a c", id="a slice with a step"),
        pytest.param("{.items[0,2].name}", "a c", id="a union of indexes"),
        pytest.param("{.items[0]['name','gpus']}", "a 1", id="a union of keys"),
        pytest.param("{.items[0].labels.app\\.x/y}", "1", id="a dot escaped in a key"),
        pytest.param("{.items[0]['labels']['b']}", "2", id="keys in brackets"),
        pytest.param("{..name}", "a b c", id="descent into everything"),
        pytest.param("{.items[?(@.gpus>1)].name}", "b", id="a filter with a number"),
        pytest.param('{.items[?(@.name!="b")].name}', "a c", id="a filter with a text"),
        pytest.param("{.items[?(@.ready==true)].name}", "b", id="a filter with a truth"),
        pytest.param("{.items[?(@.ready)].name}", "b c", id="a filter for presence"),
        pytest.param("{.items[0].labels}", '{"app.x/y":"1","b":"2"}', id="an object as JSON"),
        pytest.param("{.items[1].tags}", '["x","y"]', id="a list as JSON"),
        pytest.param("{.nope}", "", id="a missing key gives nothing"),
        pytest.param('{range .items[*]}{.name}{"\\n"}{end}.', "a\nb\nc\n.", id="a range"),
        pytest.param("{range .items[*]}{range .tags[*]}{@}{end}|{end}", "|xy||", id="nested"),
        pytest.param("{range .nope[*]}{.name}{end}!", "!", id="a range over nothing"),
        pytest.param("{range .items[*]}{.name}:", "a:b:c::", id="a range without end"),
    ],
)  # fmt: skip
def test_a_template_renders(template: str, wanted: str) -> None:
    assert Template(template).render(POD) == wanted


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("{.a", "unclosed action"),
        ("{.a[}", "unterminated array"),
        ("{.a[x]}", "invalid array index x"),
        ("{.a[?(@.b}", "unterminated filter"),
        ("{.a[?(@.b)}", "unclosed array expect ]"),
        ('{"a}', "unterminated quoted string"),
        ("{....a}", "invalid multiple recursive descent"),
        ("{~}", "unrecognized character in action: U+007E '~'"),
    ],
)
def test_a_malformed_template_is_refused_in_upstreams_words(template: str, wanted: str) -> None:
    with pytest.raises(JsonPathError) as caught:
        Template(template)
    assert str(caught.value) == wanted


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("{.items[3]}", "array index out of bounds: index 3, length 3"),
        ("{.items[2:1]}", "starting index 2 is greater than ending index 1"),
        ("{.items[0:2:0]}", "step must be > 0"),
        ("{.kind[0]}", "string is not array or slice"),
        ("{.items[?(@.gpus<'x')]}", "incompatible types for comparison"),
        ("{end}", "not in range, nothing to end"),
        ("{foo}", "unrecognized identifier foo"),
    ],
)
def test_a_template_that_does_not_fit_says_so(template: str, wanted: str) -> None:
    with pytest.raises(JsonPathError) as caught:
        Template(template).render(POD)
    assert str(caught.value) == wanted


def test_a_missing_key_is_an_error_where_it_is_not_allowed() -> None:
    with pytest.raises(JsonPathError, match=r"^nope is not found$"):
        Template("{.nope}", missing_allowed=False).render(POD)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner),
    max_leaves=8,
)


@pytest.mark.property
@given(st.lists(json_values, max_size=6))
def test_a_wildcard_finds_what_is_there(items: list[Any]) -> None:
    assert Template("{.items[*]}").find({"items": items}) == [items]


@pytest.mark.property
@given(st.lists(json_values, max_size=6), st.integers(0, 7), st.integers(0, 7))
def test_a_slice_is_a_slice(items: list[Any], start: int, end: int) -> None:
    template = Template(f"{{.items[{start}:{end}]}}")
    if start == end or start < end <= len(items):
        assert template.find({"items": items}) == [items[start:end]]
    else:
        with pytest.raises(JsonPathError):
            template.find({"items": items})


@pytest.mark.property
@given(st.text(alphabet="ab .,\n\t'", max_size=12))
def test_text_outside_braces_is_printed_as_it_is(text: str) -> None:
    assert Template(text).render({}) == text
