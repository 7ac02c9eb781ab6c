"""What a planted fault may be, and what is no behaviour and left alone."""

import ast
from pathlib import Path

import pytest

from tools.mutants import mutants_of, planted
from tools.mutation_scope import RECORDINGS, scope

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        pytest.param("a < b", {"a <= b", "a >= b"}, id="an order is off by one, or reversed"),
        pytest.param("a == b", {"a != b"}, id="equal becomes different"),
        pytest.param("a in b", {"a not in b"}, id="in becomes not in"),
        pytest.param("a // b", {"a * b"}, id="division becomes multiplication"),
        pytest.param("a += b", {"a -= b"}, id="adding becomes taking away"),
        pytest.param("a and b", {"a or b"}, id="and becomes or"),
        pytest.param("~a", {"a"}, id="an inversion is forgotten"),
        pytest.param("x = 3", {"x = 4"}, id="a number grows by one"),
        pytest.param("x = True", {"x = False"}, id="a truth is turned round"),
        pytest.param("x = 'ok'", {"x = 'XXok'"}, id="a text is damaged"),
        pytest.param("x = f'{a} ok'", {"x = f'{a}XX ok'"}, id="a text with values is damaged"),
        pytest.param("x = max(a)", {"x = min(a)"}, id="the largest becomes the smallest"),
        pytest.param("x = a.all()", {"x = a.any()"}, id="all becomes any"),
        pytest.param("if a:\n    f", {"if not a:\n    f"}, id="a condition is turned round"),
        pytest.param(
            "a = [b for b in c if d]", {"a = [b for b in c if not d]"}, id="so is a filter"
        ),
        pytest.param("f(a)", {"pass"}, id="a call for its effect is forgotten"),
        pytest.param("for a in b:\n    break", {"for a in b:\n    continue"}, id="a loop goes on"),
    ],
)
def test_a_fault_is_planted(source: str, faults: set[str]) -> None:
    mutants = mutants_of("m.py", source)
    assert {ast.unparse(planted(mutant, source)) for mutant in mutants} == faults


@pytest.mark.parametrize(
    "source",
    [
        pytest.param('"""What it is: 1."""', id="docstrings"),
        pytest.param("x: Literal[1] = a", id="annotations"),
        pytest.param("def f(a: Literal[1]) -> Literal[2]:\n    return a", id="signatures"),
        pytest.param("@dataclass(frozen=True)\nclass A:\n    a: int", id="decorators"),
        pytest.param("assert a > 1, 'never'", id="assertions"),
        pytest.param("raise InvariantError('never')", id="the words of our own bugs"),
        pytest.param("x = nodes.memo('key', f)", id="keys of memos"),
        pytest.param("X: TypeAlias = a | b", id="aliases of types"),
        pytest.param("__all__ = ['a']", id="the list of names"),
    ],
)
def test_what_is_no_behaviour_is_left_alone(source: str) -> None:
    assert mutants_of("m.py", source) == []


def test_whoever_watches_over_a_module_is_there() -> None:
    for path, aims in scope().items():
        assert (ROOT / path).is_file()
        assert all((ROOT / test).exists() for test in aims.tests)
        assert all((ROOT / RECORDINGS / f"{family}.jsonl.xz").is_file() for family in aims.families)
