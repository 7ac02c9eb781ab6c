"""Mutants: a module with one small fault planted in it, held in memory only.

What is mutated: comparisons, arithmetic, ``and``/``or``, ``not``/``-``/``~``, numbers, truth
values, texts, conditions, ``any``/``all``/``min``/``max``, ``break``/``continue``, and statements
that only call something. What is not: docstrings, annotations, type names, decorators, assertions,
the text of `InvariantError`, and the keys of memos, which are names and no behaviour.
"""

import ast
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from functools import singledispatch
from typing import Final

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
}  # fmt: skip
_OPERATORS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
_CALLS: Final = {"any": "all", "all": "any", "min": "max", "max": "min"}
_KEYED: Final = frozenset({"memo", "classes", "cast", "TypeVar"})
"""Calls whose first argument is a name and no behaviour."""


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One planted fault.

    Attributes:
        path: The module, from the root of the tree.
        line: Where the fault is.
        site: Its number among the module's nodes that can be mutated.
        variation: Which of the node's replacements.
        before: The node, as source.
        after: Its replacement, as source.
    """

    path: str
    line: int
    site: int
    variation: int
    before: str
    after: str

    def __str__(self) -> str:
        """Return one line for a report."""
        return f"{self.path}:{self.line}: {self.before}  ->  {self.after}"


def mutants_of(path: str, source: str) -> list[Mutant]:
    """Return every mutant of a module.

    >>> [str(mutant) for mutant in mutants_of("m.py", "x = a < 1")]
    ['m.py:1: a < 1  ->  a <= 1', 'm.py:1: a < 1  ->  a >= 1', 'm.py:1: 1  ->  2']
    """
    return [
        Mutant(path, getattr(node, "lineno", 0), site, variation, _text(node), _text(other))
        for site, node in enumerate(sites(ast.parse(source)))
        for variation, other in enumerate(_replacements(node))
    ]


def planted(mutant: Mutant, source: str) -> ast.Module:
    """Return the module's tree with the fault in it.

    >>> ast.unparse(planted(mutants_of("m.py", "x = a < 1")[1], "x = a < 1"))
    'x = a >= 1'
    """
    tree = ast.parse(source)
    node = list(sites(tree))[mutant.site]
    other = list(_replacements(node))[mutant.variation]
    result = _Replacement(node, other).visit(tree)
    assert isinstance(result, ast.Module)
    return ast.fix_missing_locations(result)


class _Replacement(ast.NodeTransformer):
    """Puts one node in another's place."""

    def __init__(self, node: ast.AST, other: ast.AST) -> None:
        self._node, self._other = node, other

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self._node:
            return self._other
        return super().generic_visit(node)


def sites(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every node that may be mutated, outer before inner."""
    yield node
    for child in _open_children(node):
        yield from sites(child)


@singledispatch
def _open_children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children that are behaviour."""
    if not isinstance(node, ast.Assert | ast.Import | ast.ImportFrom):
        yield from ast.iter_child_nodes(node)


@_open_children.register
def _(node: ast.FunctionDef) -> Iterator[ast.AST]:
    yield from (default for default in node.args.defaults + node.args.kw_defaults if default)
    yield from node.body


@_open_children.register
def _(node: ast.ClassDef) -> Iterator[ast.AST]:
    yield from node.body


@_open_children.register
def _(node: ast.AnnAssign) -> Iterator[ast.AST]:
    if node.value is not None and _text(node.annotation) != "TypeAlias":
        yield node.value


@_open_children.register
def _(node: ast.Assign) -> Iterator[ast.AST]:
    if _text(node.targets[0]) != "__all__":
        yield from ast.iter_child_nodes(node)


@_open_children.register
def _(node: ast.Expr) -> Iterator[ast.AST]:
    if not isinstance(node.value, ast.Constant):
        yield node.value


@_open_children.register
def _(node: ast.Call) -> Iterator[ast.AST]:
    name = _called(node)
    if name == "InvariantError":
        return
    yield from ast.iter_child_nodes(node.func)
    yield from node.args[1:] if name in _KEYED else node.args
    yield from (keyword.value for keyword in node.keywords)


@singledispatch
def _replacements(_node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may be put in a node's place."""
    yield from ()


@_replacements.register
def _(node: ast.Compare) -> Iterator[ast.AST]:
    for operator in _COMPARISONS[type(node.ops[0])]:
        yield ast.Compare(node.left, [operator(), *node.ops[1:]], node.comparators)


@_replacements.register
def _(node: ast.BinOp) -> Iterator[ast.AST]:
    if type(node.op) in _OPERATORS:
        yield ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)


@_replacements.register
def _(node: ast.AugAssign) -> Iterator[ast.AST]:
    if type(node.op) in _OPERATORS:
        yield ast.AugAssign(node.target, _OPERATORS[type(node.op)](), node.value)


@_replacements.register
def _(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


@_replacements.register
def _(node: ast.UnaryOp) -> Iterator[ast.AST]:
    yield node.operand


@_replacements.register
def _(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
    elif isinstance(node.value, str):
        yield ast.Constant(f"XX{node.value}")


@_replacements.register
def _(node: ast.Call) -> Iterator[ast.AST]:
    other = _CALLS.get(_called(node))
    if other is not None:
        callee = copy(node.func)
        setattr(callee, "id" if isinstance(callee, ast.Name) else "attr", other)
        yield ast.Call(callee, node.args, node.keywords)


@_replacements.register(ast.If)
@_replacements.register(ast.IfExp)
def _(node: ast.If | ast.IfExp) -> Iterator[ast.AST]:
    if not isinstance(node.test, ast.Compare | ast.UnaryOp):
        other = copy(node)
        other.test = ast.UnaryOp(ast.Not(), node.test)
        yield other


@_replacements.register
def _(node: ast.comprehension) -> Iterator[ast.AST]:
    for at, condition in enumerate(node.ifs):
        if not isinstance(condition, ast.Compare | ast.UnaryOp):
            other = copy(node)
            other.ifs = [*node.ifs]
            other.ifs[at] = ast.UnaryOp(ast.Not(), condition)
            yield other


@_replacements.register
def _(_node: ast.Break) -> Iterator[ast.AST]:
    yield ast.Continue()


@_replacements.register
def _(_node: ast.Continue) -> Iterator[ast.AST]:
    yield ast.Break()


@_replacements.register
def _(node: ast.Expr) -> Iterator[ast.AST]:
    if isinstance(node.value, ast.Call):
        yield ast.Pass()


def _called(node: ast.Call) -> str:
    """Return the last part of what is called."""
    callee = node.func
    if isinstance(callee, ast.Attribute):
        return callee.attr
    return callee.id if isinstance(callee, ast.Name) else ""


def _text(node: ast.AST) -> str:
    """Return a node's source in one line."""
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"
    return " ".join(ast.unparse(node).split())
