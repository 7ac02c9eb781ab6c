"""Device selectors compiled: syntax by celpy's grammar, meaning as cel-go gives it.

celpy's own evaluator is not used: it words errors, types and missing keys otherwise, raises where
cel-go finds values of different types unequal, and is many times slower. Static types are worked
out as far as it takes for cel-go's verdict on ordinary mistakes (unknown names and fields,
operators and functions applied to the wrong types); only the first mistake is told. Optional
field selection (``a.?b``) is not in celpy's grammar.

Source: google/cel-go checker, interpreter; kubernetes/dynamic-resource-allocation cel/compile.go,
v0.36.1
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from lark import Tree

from gpusched.kube.plugins.dynamic_resources import cel_values as values
from gpusched.kube.plugins.dynamic_resources.cel_functions import (
    ANYTHING,
    GLOBALS,
    METHODS,
    Function,
)
from gpusched.kube.plugins.dynamic_resources.cel_macros import MACROS, Each
from gpusched.kube.plugins.dynamic_resources.cel_operators import (
    OPERATORS,
    common,
    may_be_equal,
    outer,
    parameters,
)
from gpusched.kube.plugins.dynamic_resources.cel_syntax import (
    CelCompileError,
    Expression,
    Syntax,
    arguments_of,
    innermost,
    plain_name,
    trees,
)
from gpusched.kube.plugins.dynamic_resources.cel_values import CelError, CelType, Value

Scope: TypeAlias = Mapping[str, Value]
Run: TypeAlias = Callable[[Scope], Value]
Types: TypeAlias = Mapping[str, str]

DEVICE: Final = "kubernetes.DRADevice"
_FIELDS: Final = {
    "driver": "string",
    "allowMultipleAllocations": "bool",
    "attributes": "map(string, map(string, any))",
    "capacity": "map(string, map(string, kubernetes.Quantity))",
}
_TYPE_NAMES: Final = frozenset(
    {"bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"}
)
_RANGES: Final = frozenset({"list", "map", "dyn", "?"})


@dataclass(frozen=True, slots=True)
class Node:
    """A compiled part of an expression.

    Attributes:
        type: Its static type; ``any`` for attributes, ``?`` where it is not worked out.
        run: Gives its value.
        at: Where messages about it point: an offset into the expression.
    """

    type: str
    run: Run
    at: int


def compile_expression(expression: str) -> Run:
    """Return a function of ``{"device": ...}`` that gives the expression's value.

    Raises:
        CelCompileError: It is no valid device selector.
    """
    text = Expression(expression)
    node = _Compiler(text).compile(text.parse(), {"device": DEVICE})
    if node.type not in ("bool", "any", "?"):
        shown = node.type.replace("any", "google.protobuf.Any")
        raise CelCompileError(f"must evaluate to bool or the unknown type, not {shown}")
    return node.run


class _Compiler:
    """Turns one expression's syntax tree into functions."""

    def __init__(self, text: Expression) -> None:
        self._text = text
        self._rules: dict[str, Callable[[Syntax, Types], Node]] = {
            "expr": self._conditional,
            "conditionalor": self._logic,
            "conditionaland": self._logic,
            "relation": self._binary,
            "addition": self._binary,
            "multiplication": self._binary,
            "unary": self._unary,
            "member_dot": self._select,
            "member_dot_arg": self._method,
            "member_index": self._index,
            "ident": self._ident,
            "dot_ident": self._ident,
            "ident_arg": self._function,
            "dot_ident_arg": self._function,
            "list_lit": self._list,
            "map_lit": self._map,
            "literal": self._literal,
        }

    def compile(self, tree: Syntax, types: Types) -> Node:
        """Return a syntax tree compiled, given the static types of the names in scope."""
        while len(tree.children) == 1 and isinstance(tree.children[0], Tree):
            if tree.data in ("list_lit", "map_lit"):
                break
            tree = tree.children[0]
        rule = self._rules.get(tree.data)
        if rule is None:
            raise self._text.error(
                tree.meta.start_pos, "Syntax error: objects cannot be built here"
            )
        return rule(tree, types)

    # Operators.

    def _conditional(self, tree: Syntax, types: Types) -> Node:
        test, one, other = (self.compile(child, types) for child in trees(tree))
        at = self._text.behind(trees(tree)[0], "?")
        if test.type not in ANYTHING | {"bool"} or not may_be_equal(one.type, other.type):
            raise self._text.no_overload(at, "_?_:_", (test.type, one.type, other.type))

        def run(scope: Scope) -> Value:
            return one.run(scope) if values.truth(test.run(scope)) else other.run(scope)

        return Node(common(one.type, other.type), run, at)

    def _logic(self, tree: Syntax, types: Types) -> Node:
        left, right = (self.compile(child, types) for child in trees(tree))
        symbol, decisive = ("&&", False) if tree.data == "conditionaland" else ("||", True)
        at = self._text.behind(trees(tree)[0], symbol)
        if {left.type, right.type} - ANYTHING - {"bool"}:
            raise self._text.no_overload(at, f"_{symbol}_", (left.type, right.type))

        def run(scope: Scope) -> bool:
            failed: CelError | None = None
            for side in (left, right):
                try:
                    if values.truth(side.run(scope)) is decisive:
                        return decisive
                except CelError as error:
                    failed = failed or error
            if failed is not None:
                raise failed
            return not decisive

        return Node("bool", run, at)

    def _binary(self, tree: Syntax, types: Types) -> Node:
        operation, last = trees(tree)
        first = trees(operation)[0]
        left, right = self.compile(first, types), self.compile(last, types)
        operator = OPERATORS[operation.data]
        at = self._text.behind(first, operator.symbol)
        result = operator.type_of(left.type, right.type)
        if result is None:
            raise self._text.no_overload(at, operator.name, (left.type, right.type))
        return Node(result, lambda scope: operator.run(left.run(scope), right.run(scope)), at)

    def _unary(self, tree: Syntax, types: Types) -> Node:
        sign, child = trees(tree)
        operand = self.compile(child, types)
        at = tree.meta.start_pos
        negates = sign.data == "unary_neg"
        allowed = {"int", "double"} if negates else {"bool"}
        if operand.type not in ANYTHING | allowed:
            raise self._text.no_overload(at, "-_" if negates else "!_", (operand.type,))
        if negates:
            return Node(operand.type, lambda scope: values.negative(operand.run(scope)), at)
        return Node("bool", lambda scope: not values.truth(operand.run(scope)), at)

    # Members.

    def _select(self, tree: Syntax, types: Types) -> Node:
        operand = self.compile(trees(tree)[0], types)
        at = self._text.behind(trees(tree)[0], ".")
        field = str(tree.children[1])
        return Node(
            self._field_type(operand, field, at),
            lambda scope: values.lookup(operand.run(scope), field),
            at,
        )

    def _field_type(self, operand: Node, field: str, at: int) -> str:
        if operand.type == DEVICE:
            if field not in _FIELDS:
                raise self._text.error(at, f"undefined field '{field}'")
            return _FIELDS[field]
        if outer(operand.type) == "map":
            return (*parameters(operand.type), "?", "?")[1]
        if operand.type not in ANYTHING:
            raise self._text.error(at, f"type '{operand.type}' does not support field selection")
        return "dyn" if operand.type == "any" else operand.type

    def _index(self, tree: Syntax, types: Types) -> Node:
        operand, key = (self.compile(child, types) for child in trees(tree))
        at = self._text.behind(trees(tree)[0], "[")
        kind, inside = outer(operand.type), parameters(operand.type)
        wanted = "int" if kind == "list" else (*inside, "?")[0]
        if kind not in ("list", "map", *ANYTHING) or not may_be_equal(wanted, key.type):
            raise self._text.no_overload(at, "_[_]", (operand.type, key.type))
        result = (*inside, "?")[-1 if not inside else len(inside) - 1]
        return Node(
            "dyn" if operand.type == "any" else result,
            lambda scope: values.lookup(operand.run(scope), key.run(scope)),
            at,
        )

    def _method(self, tree: Syntax, types: Types) -> Node:
        receiver, name = trees(tree)[0], str(tree.children[1])
        arguments = arguments_of(tree)
        at = self._text.opening(tree.children[1])
        namespace = plain_name(receiver)
        if namespace == "cel" and name == "bind" and len(arguments) == 3:  # noqa: PLR2004 - name, value, body
            return self._bind(arguments, types, at)
        if namespace and namespace not in types:
            if f"{namespace}.{name}" not in GLOBALS:
                raise self._text.undeclared(receiver.meta.start_pos, namespace)
            return self._call(GLOBALS[f"{namespace}.{name}"], arguments, types, at)
        if (name, len(arguments) - 1) in MACROS:
            return self._macro(name, receiver, arguments, types)
        if name not in METHODS and name not in GLOBALS:
            raise self._text.undeclared(at, name)
        method = METHODS.get(name, Function(name, (), terse=False))
        return self._call(method, (receiver, *arguments), types, at, method=True)

    def _function(self, tree: Syntax, types: Types) -> Node:
        name, arguments = str(tree.children[0]), arguments_of(tree)
        at = self._text.opening(tree.children[0])
        if name == "has" and len(arguments) == 1:
            return self._has(arguments[0], types, at)
        if name not in GLOBALS:
            raise self._text.undeclared(at, name)
        return self._call(GLOBALS[name], arguments, types, at)

    def _call(
        self,
        function: Function,
        trees: Sequence[Syntax],
        types: Types,
        at: int,
        *,
        method: bool = False,
    ) -> Node:
        arguments = [self.compile(tree, types) for tree in trees]
        given = [argument.type for argument in arguments]
        fitting = [overload for overload in function.overloads if overload.takes(given)]
        if not fitting:
            receiver = f"{given.pop(0)}." if method else ""
            raise self._text.no_overload(at, function.name, given, receiver)
        results = {overload.result for overload in fitting}
        runs = [argument.run for argument in arguments]
        return Node(
            results.pop() if len(results) == 1 else "?",
            lambda scope: function.call([run(scope) for run in runs]),
            at,
        )

    # Macros.

    def _has(self, argument: Syntax, types: Types, at: int) -> Node:
        tree = innermost(argument)
        if tree.data != "member_dot":
            raise self._text.error(tree.meta.start_pos, "invalid argument to has() macro")
        operand, field = self.compile(trees(tree)[0], types), str(tree.children[1])
        self._field_type(operand, field, at)

        def run(scope: Scope) -> bool:
            container = operand.run(scope)
            return isinstance(container, values.DomainMap) or (
                isinstance(container, dict) and field in container
            )

        return Node("bool", run, at)

    def _bind(self, arguments: Sequence[Syntax], types: Types, at: int) -> Node:
        name = plain_name(arguments[0])
        if not name:
            raise self._text.error(arguments[0].meta.start_pos, "argument must be a simple name")
        bound = self.compile(arguments[1], types)
        body = self.compile(arguments[2], {**types, name: bound.type})
        return Node(body.type, lambda scope: body.run({**scope, name: bound.run(scope)}), at)

    def _macro(
        self, name: str, receiver: Syntax, arguments: Sequence[Syntax], types: Types
    ) -> Node:
        container = self.compile(receiver, types)
        if outer(container.type) not in _RANGES:
            text = "cannot be range of a comprehension (must be list, map, or dynamic)"
            raise self._text.error(container.at, f"expression of type '{container.type}' {text}")
        variable = plain_name(arguments[0])
        inner = {**types, variable: (*parameters(container.type), "?")[0]}
        bodies = [self.compile(argument, inner) for argument in arguments[1:]]
        result, function = MACROS[name, len(bodies)]

        def run(scope: Scope) -> Value:
            def one(body: Node) -> Each:
                return lambda element: body.run({**scope, variable: element})

            return function(container.run(scope), *(one(body) for body in bodies))

        return Node(result, run, container.at)

    # Names and literals.

    def _ident(self, tree: Syntax, types: Types) -> Node:
        name, at = str(tree.children[0]), tree.meta.start_pos
        if name in types:
            return Node(types[name], lambda scope: scope[name], at)
        if name in _TYPE_NAMES:
            return Node("type", lambda _scope: CelType(name), at)
        raise self._text.undeclared(at, name)

    def _list(self, tree: Syntax, types: Types) -> Node:
        items = [self.compile(item, types) for item in arguments_of(tree)]
        element = self._homogeneous(items)
        return Node(
            f"list({element})" if items else "list",
            lambda scope: [item.run(scope) for item in items],
            tree.meta.start_pos,
        )

    def _homogeneous(self, nodes: Sequence[Node]) -> str:
        """Kubernetes wants the elements of a literal to be of one type."""
        found = "?"
        for node in nodes:
            if not may_be_equal(found, node.type):
                raise self._text.error(node.at, f"expected type '{found}' but found '{node.type}'")
            found = common(found, node.type)
        return found

    def _map(self, tree: Syntax, types: Types) -> Node:
        nodes = [self.compile(entry, types) for entry in arguments_of(tree)]
        keys, items = nodes[::2], nodes[1::2]
        inside = (self._homogeneous(keys), self._homogeneous(items))

        def run(scope: Scope) -> Value:
            return {key.run(scope): item.run(scope) for key, item in zip(keys, items, strict=True)}

        return Node(f"map({inside[0]}, {inside[1]})" if nodes else "map", run, tree.meta.start_pos)

    def _literal(self, tree: Syntax, _types: Types) -> Node:
        type_, value = self._text.literal(tree)
        return Node(type_, lambda _scope: value, tree.meta.start_pos)
