"""A kubectl command line, taken apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

_SHORT = {"n": "namespace", "f": "filename", "o": "output", "l": "selector"}
_SWITCHES = (
    "force",
    "overwrite",
    "all",
    "ignore-daemonsets",
    "delete-emptydir-data",
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

    def with_words(self, words: Sequence[str]) -> "Arguments":
        """Return the same flags with other words."""
        return replace(self, words=tuple(words))


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
