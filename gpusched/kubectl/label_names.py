"""What may stand as a label's key or value, in the API server's words.

Source: kubernetes/apimachinery pkg/util/validation/validation.go, v0.36.1
"""

import re
from typing import Final

_NAME_PATTERN: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_NAME: Final = re.compile(_NAME_PATTERN)
_SUBDOMAIN_PATTERN: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_SUBDOMAIN: Final = re.compile(_SUBDOMAIN_PATTERN)
_LONGEST_NAME: Final = 63
_LONGEST_SUBDOMAIN: Final = 253
_NAME_WRONG: Final = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    f"validation is '{_NAME_PATTERN}')"
)
_SUBDOMAIN_WRONG: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.',"
    " and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    f"validation is '{_SUBDOMAIN_PATTERN}')"
)
_VALUE_WRONG: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    f"'12345', regex used for validation is '({_NAME_PATTERN})?')"
)


def key_faults(key: str) -> list[str]:
    """Return what is wrong with a label's key; empty when it is good."""
    parts = key.split("/")
    if len(parts) > 2:  # noqa: PLR2004 - prefix and name
        prefixed = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {_NAME_WRONG} {prefixed}"]
    faults = _prefix_faults(parts[0]) if len(parts) == 2 else []  # noqa: PLR2004 - as above
    return faults + _name_faults(parts[-1])


def _prefix_faults(prefix: str) -> list[str]:
    if not prefix:
        return ["prefix part must be non-empty"]
    faults = []
    if len(prefix) > _LONGEST_SUBDOMAIN:
        faults.append(f"prefix part must be no more than {_LONGEST_SUBDOMAIN} bytes")
    if not _SUBDOMAIN.fullmatch(prefix):
        faults.append(f"prefix part {_SUBDOMAIN_WRONG}")
    return faults


def _name_faults(name: str) -> list[str]:
    faults = [] if name else ["name part must be non-empty"]
    if len(name) > _LONGEST_NAME:
        faults.append(f"name part must be no more than {_LONGEST_NAME} bytes")
    if not _NAME.fullmatch(name):
        faults.append(f"name part {_NAME_WRONG}")
    return faults


def value_faults(value: str) -> list[str]:
    """Return what is wrong with a label's value; empty when it is good."""
    faults = []
    if len(value) > _LONGEST_NAME:
        faults.append(f"must be no more than {_LONGEST_NAME} bytes")
    if value and not _NAME.fullmatch(value):
        faults.append(_VALUE_WRONG)
    return faults
