"""The API server's rules for names, labels and ports, with the words it uses when one is broken.

Each rule takes a text and returns what is wrong with it, an empty tuple if nothing is. The module
knows no kinds and no fields.

Source: kubernetes/apimachinery pkg/util/validation/validation.go, pkg/api/validate/content, v0.36.1
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final

Problems = tuple[str, ...]
Rule = Callable[[str], Problems]

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_KEY: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_LENGTH: Final = 63
_SUBDOMAIN_LENGTH: Final = 253
_PORT_NAME_LENGTH: Final = 15
_LARGEST_PORT: Final = 65535
_LARGEST_ID: Final = 2**31 - 1


def _pattern(message: str, pattern: str, *examples: str) -> str:
    """Return a broken pattern's message; the comma before ``or`` is upstream's."""
    if not examples:
        return f"{message} (regex used for validation is '{pattern}')"
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{pattern}')"


def too_long(length: int, unit: str = "characters") -> str:
    """Return the message for a text of more than ``length`` units."""
    return f"must be no more than {length} {unit}"


def out_of_range(low: int, high: int) -> str:
    """Return the message for a number outside of a closed range."""
    return f"must be between {low} and {high}, inclusive"


_EMPTY: Final = "must be non-empty"
_LABEL_WRONG: Final = _pattern(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must"
    " start and end with an alphanumeric character",
    _LABEL,
    "my-name",
    "123-abc",
)
_SUBDOMAIN_WRONG: Final = _pattern(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.',"
    " and must start and end with an alphanumeric character",
    _SUBDOMAIN,
    "example.com",
)
_LABEL_1035_WRONG: Final = _pattern(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an"
    " alphabetic character, and end with an alphanumeric character",
    _LABEL_1035,
    "my-name",
    "abc-123",
)
_KEY_WRONG: Final = _pattern(
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an"
    " alphanumeric character",
    _KEY,
    "MyName",
    "my.name",
    "123-abc",
)
_VALUE_WRONG: Final = _pattern(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.',"
    " and must start and end with an alphanumeric character",
    f"({_KEY})?",
    "MyValue",
    "my_value",
    "12345",
)
_IDENTIFIER_WRONG: Final = _pattern(
    "a valid C identifier must start with alphabetic character or '_', followed by a string of"
    " alphanumeric characters or '_'",
    "[A-Za-z_][A-Za-z0-9_]*",
    "my_name",
    "MY_NAME",
    "MyName",
)
_CONFIG_KEY_WRONG: Final = _pattern(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    "[-._a-zA-Z0-9]+",
    "key.name",
    "KEY_NAME",
    "key-name",
)
_HEADER_WRONG: Final = _pattern(
    "a valid HTTP header must consist of alphanumeric characters or '-'",
    "[-A-Za-z0-9]+",
    "X-Header-Name",
)
_PERCENT_WRONG: Final = _pattern(
    "a valid percent string must be a numeric string followed by an ending '%'",
    "[0-9]+%",
    "1%",
    "93%",
)
_ENV_WRONG: Final = (
    "a valid environment variable name must consist only of printable ASCII characters other"
    " than '='"
)


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=8192)
def dns_label(text: str) -> Problems:
    """An RFC 1123 label.

    >>> dns_label("gpu-node-1"), dns_label("a.b")
    ((), ('must not contain dots',))
    """
    problems = [too_long(_LABEL_LENGTH)] if _size(text) > _LABEL_LENGTH else []
    if not re.fullmatch(_LABEL, text):
        has_dots = re.fullmatch(_SUBDOMAIN, text) is not None
        problems.append("must not contain dots" if has_dots else _LABEL_WRONG)
    return tuple(problems)


@lru_cache(maxsize=8192)
def dns_subdomain(text: str) -> Problems:
    """An RFC 1123 subdomain, which most objects have as their name."""
    problems = [too_long(_SUBDOMAIN_LENGTH)] if _size(text) > _SUBDOMAIN_LENGTH else []
    if not _is_subdomain()(text):
        problems.append(_SUBDOMAIN_WRONG)
    return tuple(problems)


@cache
def _is_subdomain() -> Callable[[str], object]:
    """Return what tells a subdomain, compiled when first needed: every object's name is asked."""
    return re.compile(_SUBDOMAIN).fullmatch


def dns_1035_label(text: str) -> Problems:
    """A DNS-1035 label, which starts with a letter."""
    problems = [too_long(_LABEL_LENGTH)] if _size(text) > _LABEL_LENGTH else []
    if not re.fullmatch(_LABEL_1035, text):
        problems.append(_LABEL_1035_WRONG)
    return tuple(problems)


@lru_cache(maxsize=8192)
def label_key(text: str) -> Problems:
    """A label's key, an annotation's key, a resource's name: ``name`` or ``prefix/name``."""
    parts = text.split("/")
    if len(parts) > 2:  # noqa: PLR2004 - prefix and name
        suffix = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return (f"a valid label key {_KEY_WRONG}{suffix}",)
    problems = [f"prefix part {problem}" for problem in _prefix_problems(parts)]
    name = parts[-1]
    if not name:
        problems.append(f"name part {_EMPTY}")
    elif _size(name) > _LABEL_LENGTH:
        problems.append(f"name part {too_long(_LABEL_LENGTH, 'bytes')}")
    if not re.fullmatch(_KEY, name):
        problems.append(f"name part {_KEY_WRONG}")
    return tuple(problems)


def _prefix_problems(parts: list[str]) -> Problems:
    if len(parts) == 1:
        return ()
    prefix = parts[0]
    if not prefix:
        return (_EMPTY,)
    problems = [too_long(_SUBDOMAIN_LENGTH, "bytes")] if _size(prefix) > _SUBDOMAIN_LENGTH else []
    if not re.fullmatch(_SUBDOMAIN, prefix):
        problems.append(_SUBDOMAIN_WRONG)
    return tuple(problems)


@lru_cache(maxsize=8192)
def label_value(text: str) -> Problems:
    """A label's value."""
    problems = [too_long(_LABEL_LENGTH, "bytes")] if _size(text) > _LABEL_LENGTH else []
    if not re.fullmatch(f"({_KEY})?", text):
        problems.append(_VALUE_WRONG)
    return tuple(problems)


def port_name(text: str) -> Problems:
    """A port's name."""
    broken = {
        too_long(_PORT_NAME_LENGTH): _size(text) > _PORT_NAME_LENGTH,
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)": not re.fullmatch(
            "[-a-z0-9]+", text
        ),
        "must contain at least one letter (a-z)": not re.search("[a-z]", text),
        "must not contain consecutive hyphens": "--" in text,
        "must not begin or end with a hyphen": text.startswith("-") or text.endswith("-"),
    }
    return tuple(message for message, is_broken in broken.items() if is_broken)


def port_number(number: int) -> Problems:
    """A port's number."""
    return () if 1 <= number <= _LARGEST_PORT else (out_of_range(1, _LARGEST_PORT),)


def identity(number: int) -> Problems:
    """A user's or a group's number."""
    return () if 0 <= number <= _LARGEST_ID else (out_of_range(0, _LARGEST_ID),)


def percent(text: str) -> Problems:
    """A percentage, e.g. ``25%``."""
    return () if re.fullmatch("[0-9]+%", text) else (_PERCENT_WRONG,)


def config_key(text: str) -> Problems:
    """A key in a ConfigMap or Secret."""
    problems = [too_long(_SUBDOMAIN_LENGTH)] if _size(text) > _SUBDOMAIN_LENGTH else []
    if not re.fullmatch(r"[-._a-zA-Z0-9]+", text):
        problems.append(_CONFIG_KEY_WRONG)
    if text in {".", ".."}:
        problems.append(f"must not be '{text}'")
    elif text.startswith(".."):
        problems.append("must not start with '..'")
    return tuple(problems)


def header_name(text: str) -> Problems:
    """An HTTP header's name."""
    return () if re.fullmatch("[-A-Za-z0-9]+", text) else (_HEADER_WRONG,)


def identifier(text: str) -> Problems:
    """A C identifier."""
    return () if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", text) else (_IDENTIFIER_WRONG,)


def environment_name(text: str) -> Problems:
    """An environment variable's name."""
    if not text:
        return (f"environment variable name {_EMPTY}",)
    return () if re.fullmatch(r"[ -<>-~]+", text) else (_ENV_WRONG,)


def path_segment(text: str) -> Problems:
    """A part of a URL's path, which every name must be."""
    if text in {".", ".."}:
        return (f"may not be '{text}'",)
    return path_segment_prefix(text)


def path_segment_prefix(text: str) -> Problems:
    """The start of a generated name that becomes a part of a URL's path."""
    return tuple(f"may not contain '{sign}'" for sign in "/%" if sign in text)


def generated(rule: Rule, prefix: str) -> Problems:
    """Apply a rule to a ``generateName``, which more characters will follow."""
    if rule is path_segment:
        return path_segment_prefix(prefix)
    # Upstream replaces two characters, the dash and the one before it, by one letter.
    return rule(prefix[:-2] + "a" if len(prefix) > 1 and prefix.endswith("-") else prefix)


def full_name(text: str) -> Problems:
    """A domain of at least three parts, as finalizers of namespaces are not but signers are."""
    problems = dns_subdomain(text)
    if problems:
        return (",".join(problems),)
    few = text.count(".") < 2  # noqa: PLR2004 - three segments have two dots
    return ("should be a domain with at least three segments separated by dots",) if few else ()
