"""Success policies of Jobs.

Source: kubernetes/kubernetes pkg/apis/batch/validation/validation.go, v1.36.1
"""

import re
from typing import Final

from gpusched.api.validation.errors import (
    Errors,
    invalid,
    not_negative,
    quote,
    required,
    too_long,
    too_many,
)
from gpusched.api.wire import Json
from gpusched.api.wire.internal import internal

_MOST_RULES: Final = 20
_INDEXES_LENGTH: Final = 64 * 1024
_INT32: Final = 2**31


def validate_success_policy(spec: Json, path: str) -> Errors:
    """Check when a Job counts as successful before all of its pods are."""
    policy = spec["successPolicy"]
    if spec.get("completionMode", "NonIndexed") != "Indexed":
        yield invalid(
            path, internal("batch.SuccessPolicy", policy), "requires indexed completion mode"
        )
        return
    rules = policy.get("rules") or []
    if not rules:
        detail = "at least one rules must be specified when the successPolicy is specified"
        yield required(f"{path}.rules", detail)
    if len(rules) > _MOST_RULES:
        yield too_many(f"{path}.rules", len(rules), _MOST_RULES)
    for index, rule in enumerate(rules):
        yield from _validate_rule(rule, spec.get("completions", 0), f"{path}.rules[{index}]")


def _validate_rule(rule: Json, completions: int, path: str) -> Errors:
    indexes, count = rule.get("succeededIndexes"), rule.get("succeededCount")
    if indexes is None and count is None:
        detail = "at least one of succeededCount or succeededIndexes must be specified"
        yield required(path, detail)
    total = 0
    if indexes is not None:
        if len(indexes) > _INDEXES_LENGTH:
            yield too_long(f"{path}.succeededIndexes", _INDEXES_LENGTH)
        total, problem = _count_indexes(indexes, completions)
        if problem:
            detail = f"error parsing succeededIndexes: {problem}"
            yield invalid(f"{path}.succeededIndexes", indexes, detail)
    if count is None:
        return
    path = f"{path}.succeededCount"
    yield from not_negative(path, count)
    bound = "must be less than or equal to"
    if count > completions:
        detail = f"{bound} {completions} (the number of specified completions)"
        yield invalid(path, count, detail)
    if indexes is not None and count > total:
        detail = f"{bound} {total} (the number of indexes in the specified succeededIndexes field)"
        yield invalid(path, count, detail)


def _count_indexes(text: str, completions: int) -> tuple[int, str]:
    """Return how many indexes a text such as ``0-3,5`` names, or what is wrong with it."""
    total, last = 0, -1
    for interval in text.split(",") if text else ():
        parts = interval.split("-")
        problem = _interval_problem(interval, parts, completions, last)
        if problem:
            return 0, problem
        first, last = int(parts[0]), int(parts[-1])
        total += last - first + 1
    return total, ""


def _interval_problem(interval: str, parts: list[str], completions: int, last: int) -> str:
    if len(parts) > 2:  # noqa: PLR2004 - first and last
        rule = "an index interval can have at most two parts separated by '-'"
        return f"the fragment {quote(interval)} violates the requirement that {rule}"
    for part in parts:
        if not re.fullmatch(r"[+-]?[0-9]+", part) or abs(int(part)) >= _INT32:
            return f"cannot convert string to integer for index: {quote(part)}"
        if int(part) >= completions:
            return f"too large index: {quote(part)}"
    first, end = int(parts[0]), int(parts[-1])
    if first <= last:
        return f"non-increasing order, previous: {last}, current: {first}"
    if len(parts) > 1 and end <= first:
        return f"non-increasing order, previous: {first}, current: {end}"
    return ""
