"""Events go with their namespace: no list has them any more, though the journal tells of them."""

from typing import Any

import pytest
import yaml

from gpusched.face import simulate
from gpusched.run.record import RunRecord
from gpusched.run.replay import Replay

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}


def waiting(name: str, namespace: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": namespace}
    spec = {"containers": [{"name": "c", "image": "i"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """Return a run without room for a pod; its namespace goes and comes again."""
    steps: list[dict[str, Any]] = [
        {"at": "0s", "create": NAMESPACE},
        {"at": "1s", "create": waiting("old", "team")},
        {"at": "1s", "create": waiting("other", "default")},
        {"at": "2s", "delete": {"kind": "Namespace", "name": "team"}},
        {"at": "20s", "create": NAMESPACE},
        {"at": "21s", "create": waiting("new", "team")},
    ]
    head = {"apiVersion": "gpusched.dev/v1alpha1", "kind": "Scenario", "metadata": {"name": "s"}}
    path = tmp_path_factory.mktemp("swept") / "s.yaml"
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "full"}}
    spec = {"fleet": node, "steps": steps, "until": "30s"}
    path.write_text(yaml.safe_dump({**head, "spec": spec}), encoding="utf-8")
    return simulate(path).record


@pytest.mark.parametrize(
    ("second", "told"),
    [
        pytest.param(1, {"full", "old", "other"}, id="before"),
        pytest.param(3, {"full", "old", "other"}, id="while it is going"),
        pytest.param(19, {"full", "other"}, id="once it is gone"),
        pytest.param(30, {"full", "new", "other"}, id="and not with another of its name"),
    ],
)
def test_what_a_list_of_events_shows(record: RunRecord, second: int, told: set[str]) -> None:
    listed = record.moment(second * 1_000_000).objects("Event")
    assert {event["involvedObject"]["name"] for event in listed} == told


def test_the_table_of_events_shows_the_same(record: RunRecord) -> None:
    assert set(record.events().column("object")) == {"node/full", "pod/new", "pod/other"}


def test_the_journal_keeps_them(record: RunRecord) -> None:
    events = Replay(record.rows).jump(record.ended).events.values()
    assert {event.regarding["name"] for event in events} == {"full", "old", "new", "other"}
