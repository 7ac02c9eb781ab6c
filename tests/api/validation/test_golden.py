"""Objects that were sent to the real API server, and what it made of them."""

import gzip
import json
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gpusched.api.create import Created, create

GOLDEN = Path(__file__).parents[2] / "golden"
RECORDED = {
    "validation": GOLDEN / "decisions" / "validation.jsonl.gz",
    "created": GOLDEN / "api" / "created.jsonl.xz",
}
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}


def cases() -> Iterator[Any]:
    for path in RECORDED.values():
        with OPENERS[path.suffix](path, "rt", encoding="utf-8") as lines:
            for line in lines:
                recorded = json.loads(line)
                case = recorded["case"]
                yield pytest.param(case["object"], recorded["expect"], id=case["name"])


def answer(obj: Any) -> dict[str, Any]:
    """What creating an object gives, in the recorded schema; the order of errors means nothing."""
    result = create(obj)
    if isinstance(result, Created):
        return {"defaulted": result.defaulted}
    errors = sorted((e.field, e.reason, e.message) for e in result.errors)
    # Several errors come in no certain order, and so does the message made of them.
    return {"errors": errors} if len(errors) > 1 else {"error": result.message, "errors": errors}


def expected(recorded: dict[str, Any]) -> dict[str, Any]:
    if "defaulted" in recorded:
        return {"defaulted": recorded["defaulted"]}
    errors = sorted((e["field"], e["reason"], e["message"]) for e in recorded.get("errors") or ())
    return {"errors": errors} if len(errors) > 1 else {"error": recorded["error"], "errors": errors}


@pytest.mark.golden
@pytest.mark.parametrize(("obj", "recorded"), list(cases()))
def test_creating_an_object_gives_what_the_real_api_server_gives(
    obj: Any, recorded: dict[str, Any]
) -> None:
    assert answer(obj) == expected(recorded)
