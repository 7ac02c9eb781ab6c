"""``result.json`` and its published JSON Schema."""

import json
from pathlib import Path

import jsonschema
import pytest

import gpusched
from gpusched.run.result import result_schema

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs" / "reference" / "result.schema.json"


def test_the_published_schema_is_current() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == result_schema()


@pytest.mark.parametrize(
    "scenario", sorted((ROOT / "scenarios").glob("*.yaml")), ids=lambda p: p.stem
)
def test_every_result_keeps_to_the_schema(scenario: Path) -> None:
    result = gpusched.simulate(scenario).result()
    validator = jsonschema.Draft202012Validator(result_schema())
    assert not list(validator.iter_errors(result))


def test_the_result_is_plain_json() -> None:
    result = gpusched.simulate(ROOT / "scenarios" / "queue_pressure.yaml").result()
    assert json.loads(json.dumps(result)) == result
