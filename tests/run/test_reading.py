"""One pass over a journal tells what several would; what siblings share is worked out once."""

import json
from pathlib import Path

import pytest

import gpusched
from gpusched.run.codec import Templates, encode
from gpusched.run.nodes import node_use
from gpusched.run.record import RunRecord
from gpusched.run.replay import Moment, PodChange, Replay
from gpusched.run.saving import JsonText, save
from gpusched.sim.calendar import Calendar
from gpusched.sim.journal import Row, What
from gpusched.sim.pod import Json, Pod
from tests.sim.builders import GPU, node, plane, pod

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "scenarios"


def record_of(name: str) -> RunRecord:
    return gpusched.simulate(SCENARIOS / name).record


@pytest.mark.parametrize("name", ["priority_preemption.yaml", "rolling_update_deadlock.yaml"])
def test_the_end_is_the_moment_at_the_end(name: str) -> None:
    record = record_of(name)
    end, moment = record.end(), record.moment()
    assert end.kinds() == moment.kinds()
    for kind in end.kinds():
        assert end.objects(kind) == moment.objects(kind)
    assert [end.manifest(each) for each in end.pods()] == end.objects("Pod")


def test_a_run_with_rows_after_its_end_ends_before_them() -> None:
    whole = record_of("finishing_jobs.yaml")
    cut = RunRecord("cut", 0, 30_000_000, whole.epoch, list(whole.rows))
    assert cut.rows[-1].at > cut.ended
    assert cut.end().objects("Pod") == cut.moment().objects("Pod") != whole.end().objects("Pod")


def test_a_run_is_saved_and_told_in_one_replay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = gpusched.simulate(SCENARIOS / "finishing_jobs.yaml")
    played = [0]
    play = Replay.play

    def counting(replay: Replay, row: Row) -> PodChange | None:
        played[0] += 1
        return play(replay, row)

    monkeypatch.setattr(Replay, "play", counting)
    save(run.record, tmp_path / "run")
    run.result()
    assert played[0] == len(run.record.rows)


@pytest.mark.parametrize("name", ["finishing_jobs.yaml", "claims.yaml", "gates.yaml"])
def test_a_rows_text_is_that_of_its_json(name: str) -> None:
    templates, text = Templates(), JsonText()
    for row in record_of(name).rows:
        detail = encode(row.what, row.detail, templates)
        assert text.of(detail) == json.dumps(detail, ensure_ascii=False)


def test_specs_that_differ_are_told_apart_though_each_is_gone_before_the_next() -> None:
    text = JsonText()
    for count in range(1000):
        assert text.of({"spec": {"replicas": count}}) == f'{{"spec": {{"replicas": {count}}}}}'


def test_a_sibling_whose_status_tells_of_resources_holds_its_own() -> None:
    built = plane(node("a", 8, **{"kubernetes.io/hostname": "a"}))
    for name in ("p", "q"):
        built.api.create({**pod("x", 1), "metadata": {"name": name, "namespace": "default"}})
    built.run(5_000_000)
    resized = {"requests": {GPU: "1", "cpu": "3"}}
    change = {"containerStatuses": [{"name": "c", "resources": resized}]}
    built.api.patch("Pod", ("default", "q"), {"status": change}, "merge", "status")
    replay = Replay(built.store.journal).jump()
    use = node_use(Moment(replay, Calendar(), 5_000_000))["a"]
    assert use[GPU]["requested"] == 2
    assert use["pods"]["requested"] == 2
    assert use["cpu"]["requested"] == 3000


def test_a_pods_holdings_are_read_once_for_its_siblings(monkeypatch: pytest.MonkeyPatch) -> None:
    read = [0]
    manifest = Moment.manifest

    def counting(moment: Moment, each: Pod) -> Json:
        read[0] += 1
        return manifest(moment, each)

    monkeypatch.setattr(Moment, "manifest", counting)
    record = record_of("queue_pressure.yaml")
    assert sum(row.what is What.POD_CREATED for row in record.rows) == 40
    node_use(record.end())
    assert read[0] == 1
