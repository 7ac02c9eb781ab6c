"""YAML: quoting and folding by example; whatever is written reads back."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gpusched.kubectl.yaml_text import to_yaml


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"a": "16"}, 'a: "16"\n'),
        ({"a": "off"}, 'a: "off"\n'),
        ({"a": ""}, 'a: ""\n'),
        ({"a": "x: y"}, "a: 'x: y'\n"),
        ({"a": "it's: x"}, "a: 'it''s: x'\n"),
        ({"a": "l1\nl2\n"}, "a: |\n  l1\n  l2\n"),
        ({"a": " l1\nl2"}, "a: |2-\n   l1\n  l2\n"),
        ({"a": "tab\t"}, 'a: "tab\\t"\n'),
        ({"a": {}, "b": []}, "a: {}\nb: []\n"),
        ([[1], {"a": [2]}], "- - 1\n- a:\n  - 2\n"),
        ({"a10": 1, "a9": 1, "a-b": 1, "ab": 1}, "a-b: 1\na9: 1\na10: 1\nab: 1\n"),
    ],
)
def test_yaml_is_spelled_as_upstream_spells_it(value: Any, wanted: str) -> None:
    assert to_yaml(value) == wanted


def test_long_text_is_folded_beyond_eighty_columns() -> None:
    assert to_yaml({"message": "word " * 20 + "end"}) == (
        "message: word word word word word word word word word word word word word word word\n"
        "  word word word word word end\n"
    )


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029\ufeff"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.property
@given(values)
def test_what_is_written_reads_back(value: Any) -> None:
    assert yaml.safe_load(to_yaml(value)) == value
