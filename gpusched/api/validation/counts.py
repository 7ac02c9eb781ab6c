"""Numbers that may be percentages, as in budgets and update strategies.

Source: kubernetes/kubernetes pkg/apis/apps/validation/validation.go, v1.36.1
"""

import re
from typing import Final

from gpusched.api.names import percent
from gpusched.api.validation.errors import Errors, each, invalid, not_negative

Count = int | str
_WHOLE: Final = 100


def validate_count(count: Count, path: str) -> Errors:
    """Require a percentage or a number that is not negative."""
    if isinstance(count, str):
        yield from each(path, count, percent(count))
    else:
        yield from not_negative(path, count)


def validate_not_over_whole(count: Count, path: str) -> Errors:
    """Forbid percentages above 100."""
    if isinstance(count, str) and not percent(count) and number(count) > _WHOLE:
        yield invalid(path, count, "must not be greater than 100%")


def number(count: Count) -> int:
    """Return the number, of a percentage its digits, of any other text the integer or 0."""
    if isinstance(count, int):
        return count
    match = re.fullmatch(r"([+-]?[0-9]+)%?", count)
    return int(match[1]) if match else 0
