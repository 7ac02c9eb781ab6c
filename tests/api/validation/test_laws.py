"""Laws of creation over recorded objects with something changed at random."""

import gzip
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings

from gpusched.api.create import Created, Refused, create
from tests.api.validation.strategies import mutated

RECORDED = Path(__file__).parents[2] / "golden" / "decisions" / "validation.jsonl.gz"
REASONS = {
    "FieldValueInvalid", "FieldValueRequired", "FieldValueDuplicate", "FieldValueNotSupported",
    "FieldValueForbidden", "FieldValueNotFound", "FieldValueTooLong", "FieldValueTooMany",
    "InternalError",
}  # fmt: skip


def recorded_objects() -> list[Any]:
    with gzip.open(RECORDED, "rt", encoding="utf-8") as lines:
        objects = [json.loads(line)["case"]["object"] for line in lines]
    return [obj for obj in objects if isinstance(obj, dict)]


OBJECTS = recorded_objects()


@pytest.mark.property
@settings(deadline=None, max_examples=300)
@given(mutated(OBJECTS))
def test_any_object_is_created_or_refused_and_left_as_it_was(obj: Any) -> None:
    before = deepcopy(obj)
    result = create(obj)
    assert obj == before
    if isinstance(result, Created):
        assert result.defaulted["metadata"]["uid"] == "uid"
        return
    assert isinstance(result, Refused)
    assert result.message
    if result.reason == "Invalid":
        assert {error.reason for error in result.errors} <= REASONS
    assert all(str(error).lstrip(": ") in result.message for error in result.errors)


@pytest.mark.property
@settings(deadline=None, max_examples=200)
@given(mutated([obj for obj in OBJECTS if obj.get("kind") in {"Node", "Namespace"}]))
def test_what_is_stored_can_be_created_again_unchanged(obj: Any) -> None:
    status = obj.get("status") if isinstance(obj, dict) else None
    # An empty map is not defaulted, but not printed either, so the next time it is missing.
    assume(not isinstance(status, dict) or status.get("allocatable") != {})
    result = create(obj)
    if isinstance(result, Created):
        again = create(result.defaulted)
        assert again == result
