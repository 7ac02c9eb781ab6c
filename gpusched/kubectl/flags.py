"""Command lines as kubectl reads them: flags anywhere, long, short, joined, with its complaints.

Source: spf13/pflag v1.0.9 flag.go, as kubernetes/kubectl v0.36.1 uses it
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from gpusched.kubectl.go_format import quote
from gpusched.kubectl.output import CommandError

_TRUE: Final = frozenset(("1", "t", "T", "true", "TRUE", "True"))
_FALSE: Final = frozenset(("0", "f", "F", "false", "FALSE", "False"))
_DURATION: Final = re.compile(r"[-+]?(0|([0-9.]+(ns|us|µs|ms|s|m|h))+)")


class FlagType(Enum):
    """What a flag's value may be."""

    SWITCH = auto()
    TEXT = auto()
    LIST = auto()
    NUMBER = auto()
    DURATION = auto()


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag of a command.

    Attributes:
        name: Without dashes.
        type: What its value may be.
        short: One letter, or empty.
        default: Its value when it is not given.
    """

    name: str
    type: FlagType = FlagType.TEXT
    short: str = ""
    default: Any = None


GLOBAL_FLAGS: Final = (
    Flag("namespace", short="n", default="default"),
    *(Flag(name) for name in ("context", "kubeconfig", "cluster", "user", "request-timeout")),
    Flag("server", short="s"),
    Flag("v", FlagType.NUMBER, short="v"),
)
"""Flags that every command takes; all but the namespace mean nothing to a recorded view."""


@dataclass(slots=True)
class Arguments:
    """A command line, taken apart.

    Attributes:
        flags: Values by flag name, defaults included.
        positional: What is no flag, in order.
        given: Names of the flags that were given.
    """

    flags: dict[str, Any] = field(default_factory=dict)
    positional: list[str] = field(default_factory=list)
    given: set[str] = field(default_factory=set)


def parse_flags(command: str, flags: Sequence[Flag], argv: Sequence[str]) -> Arguments:
    """Return what ``argv`` says.

    Args:
        command: E.g. ``kubectl get``, for the hint after a complaint.
        flags: The flags of the command.
        argv: The words after the command.

    Raises:
        CommandError: A flag is unknown, lacks its value or has a bad one.
    """
    parser = _Parser([*flags, *GLOBAL_FLAGS], list(argv))
    try:
        return parser.parse()
    except CommandError as error:
        raise CommandError(f"{error}\nSee '{command} --help' for usage.") from None


class _Parser:
    def __init__(self, flags: Sequence[Flag], words: list[str]) -> None:
        self._long = {flag.name: flag for flag in flags}
        self._short = {flag.short: flag for flag in flags if flag.short}
        self._words = words
        self._found = Arguments({flag.name: _default(flag) for flag in flags})

    def parse(self) -> Arguments:
        while self._words:
            word = self._words.pop(0)
            if word == "--":
                self._found.positional += self._words
                break
            if word.startswith("--"):
                self._read_long(word)
            elif word.startswith("-") and word != "-":
                self._read_short(word)
            else:
                self._found.positional.append(word)
        return self._found

    def _read_long(self, word: str) -> None:
        name, has_value, value = word.removeprefix("--").partition("=")
        if not name or name[0] == "-":
            raise CommandError(f"bad flag syntax: {word}")
        flag = self._long.get(name)
        if flag is None:
            raise CommandError(f"unknown flag: --{name}")
        if not has_value:
            value = self._missing_value(flag, f"--{name}")
        self._set(flag, value)

    def _read_short(self, word: str) -> None:
        letters = word[1:]
        while letters:
            flag = self._short.get(letters[0])
            if flag is None:
                raise CommandError(f"unknown shorthand flag: {letters[0]!r} in -{letters}")
            rest = letters[1:]
            if rest.startswith("=") or (rest and flag.type is not FlagType.SWITCH):
                self._set(flag, rest.removeprefix("="))
                return
            self._set(flag, self._missing_value(flag, f"{letters[0]!r} in -{letters}"))
            letters = rest

    def _missing_value(self, flag: Flag, spelled: str) -> str:
        """Return the value of a flag that has none attached: the next word, except for switches."""
        if flag.type is FlagType.SWITCH:
            return "true"
        if not self._words:
            raise CommandError(f"flag needs an argument: {spelled}")
        return self._words.pop(0)

    def _set(self, flag: Flag, value: str) -> None:
        self._found.given.add(flag.name)
        spelled = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
        wrong = f"invalid argument {quote(value)} for {quote(spelled)} flag: "
        match flag.type:
            case FlagType.SWITCH:
                self._found.flags[flag.name] = _switch(value, wrong)
            case FlagType.LIST:
                self._found.flags[flag.name] += value.split(",")
            case FlagType.NUMBER:
                self._found.flags[flag.name] = _number(value, wrong)
            case FlagType.DURATION:
                self._found.flags[flag.name] = _duration(value, wrong)
            case FlagType.TEXT:
                self._found.flags[flag.name] = value


def _default(flag: Flag) -> Any:
    if flag.default is not None:
        return flag.default
    zeros: dict[FlagType, Any] = {FlagType.SWITCH: False, FlagType.LIST: [], FlagType.NUMBER: 0}
    return zeros.get(flag.type, "")


def _switch(value: str, wrong: str) -> bool:
    if value not in _TRUE | _FALSE:
        raise CommandError(f"{wrong}strconv.ParseBool: parsing {quote(value)}: invalid syntax")
    return value in _TRUE


def _number(value: str, wrong: str) -> int:
    try:
        return int(value)
    except ValueError:
        detail = f"strconv.ParseInt: parsing {quote(value)}: invalid syntax"
        raise CommandError(wrong + detail) from None


def _duration(value: str, wrong: str) -> str:
    if not _DURATION.fullmatch(value):
        unit = "missing unit in duration" if value.isdecimal() else "invalid duration"
        raise CommandError(f"{wrong}time: {unit} {quote(value)}")
    return value
