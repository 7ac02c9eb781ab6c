"""The pod-template-hash and the revision hash, as recorded from a real control plane."""

from pathlib import Path
from typing import Any

import pytest

from gpusched.api.defaulting import default_object
from gpusched.api.wire import encode
from gpusched.controllers.revisions import revision_hash
from gpusched.controllers.template_hash import fnv32a, safe_encode, template_hash
from gpusched.timeline.script import read_script

GOLDEN = Path(__file__).parents[1] / "golden" / "timelines"


def template_of(timeline: str, kind: str) -> dict[str, Any]:
    for step in read_script(GOLDEN / f"{timeline}.yaml").steps:
        for obj in step.body if step.operation == "create" else ():
            if obj["kind"] == kind:
                template: dict[str, Any] = encode(default_object(obj))["spec"]["template"]
                return template
    raise AssertionError(f"{timeline} creates no {kind}")


@pytest.mark.golden
@pytest.mark.parametrize(
    ("timeline", "wanted"),
    [
        pytest.param("rolling_default", "665f67767d", id="a template with a limit of one GPU"),
        pytest.param("quota", "8c5cbffdb", id="a hash with a digit less"),
        pytest.param("node_deleted", "6698b69488", id="two GPUs"),
        pytest.param("node_notready_default", "6df4cbdb9b", id="tolerations with seconds"),
        pytest.param("antiaffinity", "5ffd8f5f6c", id="pod anti-affinity"),
        pytest.param("preempt_deployment", "69f8fdbc76", id="a priority class"),
    ],
)
def test_the_template_hash_is_the_recorded_one(timeline: str, wanted: str) -> None:
    assert template_hash(template_of(timeline, "Deployment")) == wanted


@pytest.mark.golden
def test_the_revision_hash_is_the_recorded_one() -> None:
    assert revision_hash(template_of("kubectl_states", "StatefulSet")) == "79fd797f84"


def test_a_collision_changes_the_hash() -> None:
    template = template_of("quota", "Deployment")
    assert template_hash(template, 1) != template_hash(template)


def test_the_hash_is_fnv_1a_in_letters_that_spell_no_words() -> None:
    assert fnv32a(b"foobar") == 0xBF9CF968
    assert set(safe_encode(1234567890)) <= set("bcdfghjklmnpqrstvwxz2456789")
