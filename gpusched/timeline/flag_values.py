"""Values of kubectl's flags: which it refuses before it asks the server.

Source: spf13/pflag flag.go, kubernetes/kubectl pkg/cmd/{delete,drain,rollout,scale}, v0.36.1
"""

import re
from typing import Final

from gpusched.api.config.duration import parse_duration
from gpusched.timeline.arguments import Arguments

_INTEGERS: Final = ("current-replicas", "grace-period", "replicas", "to-revision")
_DURATIONS: Final = ("timeout",)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_CASCADES: Final = ("background", "foreground", "orphan", "true", "false")
_MICROSECOND: Final = 1000


def bad_value(verb: str, given: Arguments) -> str:
    """Return what kubectl says of a flag whose value it cannot read; an empty text if of none."""
    for name in (*_INTEGERS, *_DURATIONS):
        value = given.flag(name)
        why = "" if value is None else _problem(name, value)
        if why:
            command = f"{verb} {given.words[0]}" if verb == "rollout" and given.words else verb
            return f"error: {why}\nSee 'kubectl {command} --help' for usage.\n"
    cascade = given.flag("cascade")
    if cascade is None or cascade in _CASCADES:
        return ""
    known = '"background", "foreground", or "orphan"'
    return f"error: invalid cascade value ({cascade}). Must be {known}\n"


def _problem(name: str, value: str) -> str:
    if value == "true":
        return f"flag needs an argument: --{name}"
    why = ""
    if name in _INTEGERS and not _INTEGER.fullmatch(value):
        why = f'strconv.ParseInt: parsing "{value}": invalid syntax'
    if name in _DURATIONS:
        try:
            parse_duration(value)
        except ValueError as error:
            why = str(error)
    return f'invalid argument "{value}" for "--{name}" flag: {why}' if why else ""


def micros(text: str) -> int:
    """Return a duration in microseconds.

    >>> micros("1m30s")
    90000000
    """
    return parse_duration(text) // _MICROSECOND
