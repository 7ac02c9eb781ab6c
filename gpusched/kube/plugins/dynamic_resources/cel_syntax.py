"""The syntax of device selectors: celpy's grammar, places in the text, and literals.

Source: google/cel-go common/error.go, parser/unescape.go
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from celpy.celparser import CELParseError, CELParser
from celpy.evaluation import celbytes, celstr
from lark import Token, Tree

from gpusched.kube.plugins.dynamic_resources.cel_values import Uint, Value

Syntax: TypeAlias = Tree[Token]
_INT64: Final = range(-(2**63), 2**63)


class CelCompileError(Exception):
    """An expression that does not compile; the message is what follows ``CEL compile error: ``."""


class Expression:
    """One expression's text, and what is wrong with it where."""

    def __init__(self, source: str) -> None:
        self._source = source

    def parse(self) -> Syntax:
        """Return the syntax tree."""
        try:
            return CELParser().parse(self._source)
        except CELParseError as error:
            lines = self._source.split("\n")
            line, column = error.line or 0, error.column or 0
            if line < 1 or column < 1:  # the end of the input
                line, column = len(lines), len(lines[-1]) + 1
            at = sum(len(text) + 1 for text in lines[: line - 1]) + column - 1
            found = self._source[at : at + 1] or "<EOF>"
            raise self.error(at, f"Syntax error: mismatched input '{found}'") from None

    def error(self, at: int, text: str) -> CelCompileError:
        """Return an error that points at an offset of the expression."""
        line = self._source.count("\n", 0, at)
        column = at - (self._source.rfind("\n", 0, at) + 1)
        shown = self._source.split("\n")[line]
        return CelCompileError(
            f"compilation failed: ERROR: <input>:{line + 1}:{column + 1}: {text}\n"
            f" | {shown}\n | {'.' * column}^"
        )

    def no_overload(self, at: int, name: str, types: Sequence[str], shown: str = "") -> Exception:
        """Return what cel-go says of an operator or function on types that it does not take."""
        shown = f"{shown}({', '.join(types)})"
        return self.error(at, f"found no matching overload for '{name}' applied to '{shown}'")

    def undeclared(self, at: int, name: str) -> CelCompileError:
        """Return what cel-go says of an unknown name."""
        return self.error(at, f"undeclared reference to '{name}' (in container '')")

    def behind(self, tree: Syntax, text: str) -> int:
        """Return where the operator stands that follows ``tree``."""
        return self._source.index(text, tree.meta.end_pos)

    def opening(self, name: Syntax | Token) -> int:
        """Return where the parenthesis opens that follows a function's name."""
        assert isinstance(name, Token)
        return self._source.index("(", name.end_pos or 0)

    def literal(self, tree: Syntax) -> tuple[str, Value]:
        """Return static type and value of a literal."""
        token = tree.children[0]
        assert isinstance(token, Token)
        type_, value = _LITERALS[token.type](token)
        if type_ == "int" and value not in _INT64:
            raise self.error(tree.meta.start_pos, "invalid int literal")
        return type_, value


_LITERALS: Final[dict[str, Callable[[Token], tuple[str, Value]]]] = {
    "INT_LIT": lambda token: ("int", int(token, 16 if "x" in token else 10)),
    "UINT_LIT": lambda token: ("uint", Uint(int(token[:-1], 16 if "x" in token else 10))),
    "FLOAT_LIT": lambda token: ("double", float(token)),
    "STRING_LIT": lambda token: ("string", str(celstr(token))),
    "MLSTRING_LIT": lambda token: ("string", str(celstr(token))),
    "BYTES_LIT": lambda token: ("bytes", bytes(celbytes(token))),
    "BOOL_LIT": lambda token: ("bool", str(token) == "true"),
    "NULL_LIT": lambda _token: ("null_type", None),
}


def trees(tree: Syntax) -> list[Syntax]:
    """Return the children that are trees."""
    return [child for child in tree.children if isinstance(child, Tree)]


def arguments_of(tree: Syntax) -> list[Syntax]:
    """Return the expressions of an argument list, a list literal or a map literal."""
    listed = [c for c in trees(tree) if c.data in ("exprlist", "mapinits")]
    return trees(listed[0]) if listed else []


def innermost(tree: Syntax) -> Syntax:
    """Return the tree below rules that add nothing."""
    while len(tree.children) == 1 and isinstance(tree.children[0], Tree):
        tree = tree.children[0]
    return tree


def plain_name(tree: Syntax) -> str:
    """Return the identifier that an expression consists of, or an empty string."""
    tree = innermost(tree)
    return str(tree.children[0]) if tree.data == "ident" else ""
