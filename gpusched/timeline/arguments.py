"""A kubectl command line, taken apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gpusched.controllers.protocol import Json

_SHORT = {"n": "namespace", "f": "filename", "o": "output", "l": "selector"}
_SWITCHES = (
    "force",
    "overwrite",
    "all",
    "ignore-daemonsets",
    "delete-emptydir-data",
    "disable-eviction",
    "ignore-not-found",
    "wait",
    "now",
    "show-labels",
    "A",
)


class UsageError(ValueError):
    """kubectl refuses a command before or without asking the server; the text is what it prints."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """Words and flags of one command.

    Attributes:
        words: What is not a flag, without the verb.
        flags: Long names of flags and their values; switches are ``true``.
        stdin: Standard input.
    """

    words: tuple[str, ...]
    flags: Mapping[str, str]
    stdin: str = ""

    @property
    def namespace(self) -> str:
        """The namespace that the command is about."""
        return self.flags.get("namespace", "default")

    def flag(self, name: str) -> str | None:
        """Return a flag's value, or None."""
        return self.flags.get(name)

    def switch(self, name: str) -> bool:
        """Return whether a switch is on."""
        return self.flags.get(name) == "true"

    @property
    def selects(self) -> bool:
        """Whether the command is about all objects of a kind, or those of a selector."""
        return self.switch("all") or self.flag("selector") is not None

    def with_words(self, words: Sequence[str]) -> "Arguments":
        """Return the same flags with other words."""
        return replace(self, words=tuple(words))


def parse_selector(text: str) -> Json:
    """Return a label selector of equalities and names as a ``LabelSelector``.

    >>> parse_selector("app=web,!old")["matchExpressions"][1]
    {'key': 'old', 'operator': 'DoesNotExist', 'values': []}
    """
    terms = [term.strip() for term in text.split(",") if term.strip()]
    return {"matchExpressions": [_requirement(term) for term in terms]}


def _requirement(term: str) -> Json:
    for sign, operator in (("!=", "NotIn"), ("==", "In"), ("=", "In")):
        key, found, value = term.partition(sign)
        if found:
            return {"key": key.strip(), "operator": operator, "values": [value.strip()]}
    operator = "DoesNotExist" if term.startswith("!") else "Exists"
    return {"key": term.lstrip("!").strip(), "operator": operator, "values": []}


def parse_arguments(words: Sequence[str], stdin: str = "") -> Arguments:
    """Return a command line's words and flags.

    >>> parse_arguments(["pod", "a", "-n", "x", "--force"]).flags
    {'namespace': 'x', 'force': 'true'}
    """
    plain: list[str] = []
    flags: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            plain.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        name = _SHORT.get(name, name)
        if equals:
            flags[name] = value
        elif name in _SWITCHES or not rest:
            flags[name] = "true"
        else:
            flags[name] = rest.pop(0)
    return Arguments(tuple(plain), flags, stdin)
