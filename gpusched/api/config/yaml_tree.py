"""YAML as the Go library of Kubernetes reads it: YAML 1.1 scalars, keys sorted, its error texts.

The tree that comes out is what that library would print as JSON: numbers in Go's spelling, keys in
byte order, of a repeated key the last value. This module knows no field of any kind.

Source: sigs.k8s.io/yaml yaml.go, v1.6.0; go.yaml.in/yaml/v2 {decode,resolve}.go, v2.4.3
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gpusched.api.config.tree import JsonObject, Number, UnreadableError

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_INTEGER: Final = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|[1-9][0-9]*|0)")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LARGEST: Final = 2**64
_PLAIN_FLOAT: Final = (1e-6, 1e21)


@dataclass(slots=True)
class _Reader:
    repeated: list[str] = field(default_factory=list)

    def value(self, node: Node) -> Any:
        if isinstance(node, ScalarNode):
            return self.scalar(node)
        if isinstance(node, SequenceNode):
            return [self.value(item) for item in node.value]
        return JsonObject(tuple(sorted(self.pairs(node).items(), key=_bytes_of_key)))

    def pairs(self, node: Node) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in _entries(node):
            if _is_merge(key_node):
                for source in _merged(value_node):
                    found |= self.pairs(source)
                continue
            key = self.key(key_node)
            if key in found:
                line = value_node.start_mark.line + 1
                self.repeated.append(f'  line {line}: key "{key}" already set in map')
            found[key] = self.value(value_node)
        return found

    def key(self, node: Node) -> str:
        value = self.scalar(node) if isinstance(node, ScalarNode) else None
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(node.value if value is None else value)

    def scalar(self, node: ScalarNode) -> Any:
        """Resolve a plain scalar; a quoted one, or one that is tagged as text, stays text."""
        text: str = node.value
        if node.style:
            return text
        if text in _WORDS:
            return _WORDS[text]
        digits = text.replace("_", "")
        if _INTEGER.fullmatch(digits):
            number = _integer(digits)
            if -_LARGEST // 2 <= number < _LARGEST:
                return Number(str(number))
        if _FLOAT.fullmatch(digits):
            return Number(_go_float(float(digits)))
        return text


def _bytes_of_key(pair: tuple[str, Any]) -> bytes:
    return pair[0].encode()


def _entries(node: Node) -> Iterator[tuple[Node, Node]]:
    if isinstance(node, MappingNode):
        yield from node.value


def _is_merge(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value == "<<" and not node.style


def _merged(node: Node) -> list[Node]:
    """Return the mappings that ``<<`` names, the weakest first."""
    if isinstance(node, SequenceNode):
        return list(reversed(node.value))
    return [node]


def _integer(digits: str) -> int:
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-").lower()
    if digits[:2] in ("0x", "0o", "0b"):
        return sign * int(digits, 0)
    return sign * int(digits, 8 if digits.startswith("0") else 10)


def _go_float(number: float) -> str:
    """Return a number as Go's JSON encoder prints it."""
    if number == 0:
        return "0"
    if math.isfinite(number) and _PLAIN_FLOAT[0] <= abs(number) < _PLAIN_FLOAT[1]:
        return str(int(number)) if number == int(number) else repr(number)
    mantissa, _, exponent = repr(number).partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}" if exponent else mantissa


def read_yaml(text: str) -> tuple[Any, str]:
    """Read the first YAML document of ``text``.

    Returns:
        The document's value, and what strict reading says of repeated keys (or an empty string).

    Raises:
        UnreadableError: The text is not YAML.
    """
    loader = _LOADER(text)
    try:
        node = loader.get_node() if loader.check_node() else None
    except yaml.MarkedYAMLError as problem:
        raise UnreadableError(_syntax_error(problem)) from None
    except yaml.YAMLError:
        raise UnreadableError("yaml: control characters are not allowed") from None
    finally:
        loader.dispose()
    reader = _Reader()
    value = None if node is None else reader.value(node)
    if not reader.repeated:
        return value, ""
    return value, "\n".join(["yaml: unmarshal errors:", *reader.repeated])


def _syntax_error(problem: yaml.MarkedYAMLError) -> str:
    """Return the Go library's text, whose line number is one short for parser errors."""
    if isinstance(problem, yaml.composer.ComposerError):
        return f"yaml: {problem.problem}"
    mark = problem.problem_mark or problem.context_mark
    line = mark.line if mark else 0
    if line and isinstance(problem, yaml.scanner.ScannerError):
        line += 1
    return f"yaml: line {line}: {problem.problem}" if line else f"yaml: {problem.problem}"
