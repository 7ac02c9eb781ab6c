"""The house itself: sizes, nesting, docstrings, names and the face."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "gpusched"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_NESTING = 3
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base"}
BLOCKS = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Try)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body
    has_docstring = (
        isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    )
    if has_docstring:
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def nesting(node: ast.AST, depth: int = 0) -> int:
    """Depth of blocks; an ``elif`` does not deepen."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        deeper = depth + (isinstance(child, BLOCKS) and not is_elif)
        deepest = max(deepest, nesting(child, deeper))
    return deepest


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_module_is_small_flat_and_says_what_it_is(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    faults = []
    if source.count("\n") > MAX_MODULE_LINES:
        faults.append(f"{source.count(chr(10))} lines")
    if source.strip() and not ast.get_docstring(tree):
        faults.append("no module docstring")
    for function in functions(tree):
        if code_lines(function) > MAX_FUNCTION_LINES:
            faults.append(f"{function.name} has {code_lines(function)} lines of code")
        if nesting(function) > MAX_NESTING:
            faults.append(f"{function.name} is nested {nesting(function)} deep")
    assert not faults


def test_no_room_is_a_drawer() -> None:
    names = {part for path in MODULES for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert not names & BANNED_NAMES


def test_the_face_is_small_and_cheap() -> None:
    script = (
        "import sys, gpusched\n"
        "assert len(gpusched.__all__) <= 15, gpusched.__all__\n"
        "heavy = {'matplotlib', 'kubernetes', 'celpy', 'sphinx'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
