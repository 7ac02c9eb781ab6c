"""Cases in, answers out: what a user of ``gpusched decide`` sees."""

import gzip
import json
import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result

from gpusched.api.config import ExtensionPoint
from gpusched.cli.decide import decide
from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints
from gpusched.cluster.pod import PodInfo
from gpusched.decide import (
    MalformedCaseError,
    Settings,
    TieBreak,
    answer,
    answers,
    as_table,
    case_of_manifests,
)
from gpusched.decide.reading import Line
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.plugins import IN_TREE

Json = dict[str, Any]


def node(name: str, *, cpu: str = "4", **spec: Any) -> Json:
    amounts = {"cpu": cpu, "memory": "8Gi", "pods": "10"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": spec,
        "status": {"allocatable": amounts},
    }


def pod(name: str, *, cpu: str = "1", priority: int = 0, **spec: Any) -> Json:
    container = {"name": "c", "image": "x", "resources": {"requests": {"cpu": cpu}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], "priority": priority, **spec},
    }


def case(objects: list[Json], pending: list[Json], **more: Any) -> Json:
    return {"name": "here", "objects": objects, "pending": pending, **more}


def decisions(value: Json, **settings: Any) -> list[Json]:
    found = answer(value, Settings(**settings))
    assert not found.malformed, found.expect
    listed: list[Json] = found.expect["decisions"]
    return listed


def test_a_decision_says_where_why_and_what_else() -> None:
    small = node("b", cpu="1")
    [found] = decisions(case([node("a"), small], [pod("p", cpu="2")]))
    assert found == {
        "pod": "default/p",
        "result": "scheduled",
        "chosen": "a",
        "picked": "a",
        "ties": ["a"],
        "feasible": ["a"],
        "reasons": {"b": ["Insufficient cpu"]},
        "codes": {"b": "UnschedulableAndUnresolvable"},
    }


def test_a_bound_pod_counts_for_the_next_one() -> None:
    found = decisions(case([node("a", cpu="3")], [pod("p", cpu="2"), pod("q", cpu="2")]))
    assert [decision["result"] for decision in found] == ["scheduled", "unschedulable"]
    assert found[1]["message"] == (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: "
        "0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )


def test_without_nodes_there_is_nothing_to_say_of_them() -> None:
    assert decisions(case([], [pod("p")])) == [
        {
            "pod": "default/p",
            "result": "unschedulable",
            "message": "no nodes available to schedule pods",
        }
    ]


EQUAL = [node(name) for name in ("c", "b", "a")]


@pytest.mark.parametrize(
    ("tie_break", "chosen"),
    [(TieBreak.KUBE, "c"), (TieBreak.NAME, "a")],
    ids=["as kube-scheduler picks", "the first name"],
)
def test_the_tie_break_chooses_but_the_pick_stays_the_real_one(
    tie_break: TieBreak, chosen: str
) -> None:
    [found] = decisions(case(EQUAL, [pod("p")]), tie_break=tie_break)
    assert (found["chosen"], found["picked"]) == (chosen, "c")
    assert found["ties"] == ["a", "b", "c"]


def test_a_random_tie_break_hangs_on_seed_and_case_only() -> None:
    def chosen(seed: int, name: str) -> list[str]:
        value = case(EQUAL, [pod(f"p{i}", cpu="0") for i in range(12)]) | {"name": name}
        found = decisions(value, tie_break=TieBreak.RANDOM, seed=seed)
        return [decision["chosen"] for decision in found]

    assert chosen(1, "x") == chosen(1, "x")
    assert chosen(1, "x") != chosen(2, "x")
    assert chosen(1, "x") != chosen(1, "y")


def test_a_forced_node_is_taken_whatever_the_scores_say() -> None:
    value = case(EQUAL, [pod("p"), pod("q")], forced=["b", ""])
    first, second = decisions(value, tie_break=TieBreak.NAME)
    assert first["chosen"] == "b"
    assert second["ties"] == ["a", "c"]


def test_a_forced_node_that_does_not_fit_is_a_mistake_in_the_case() -> None:
    found = answer(case([node("a")], [pod("p")], forced=["z"]), Settings())
    assert found.malformed
    assert found.expect["error"] == "forced node z is not feasible for default/p"


def test_preemption_happens_at_once_and_the_pod_is_tried_again() -> None:
    victim = pod("v", cpu="3", nodeName="a")
    first, second = decisions(case([node("a"), victim], [pod("p", cpu="3", priority=5)]))
    assert first["nominations"] == [
        {
            "node": "a",
            "victims": ["default/v"],
            "message": "0/1 nodes are available: 1 Insufficient cpu.",
        }
    ]
    assert (second["attempt"], second["result"], second["chosen"]) == (1, "scheduled", "a")


def test_a_forced_preemption_is_carried_out_instead_of_the_first() -> None:
    victims = [pod(f"v-{name}", cpu="3", nodeName=name) for name in "ab"]
    forced = [{"pod": "default/p", "attempt": 0, "node": "b", "victims": ["default/v-b"]}]
    value = case([node("a"), node("b"), *victims], [pod("p", cpu="3", priority=5)])
    free, followed = decisions(value), decisions(value | {"forcedPreemptions": forced})
    assert [outcome["node"] for outcome in free[0]["nominations"]] == ["a", "b"]
    assert (free[1]["chosen"], followed[1]["chosen"]) == ("a", "b")


def test_a_failed_pod_loses_its_nomination_where_nobody_could_make_room() -> None:
    profile = {"plugins": {"postFilter": {"disabled": [{"name": "*"}]}}}
    config = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "profiles": [profile],
    }
    nominated = pod("p", cpu="3", priority=9, nodeSelector={"no": "where"})
    nominated["status"] = {"nominatedNodeName": "a"}
    pending = [pod("q", cpu="2"), nominated, pod("r", cpu="2")]
    found = decisions(case([node("a")], pending, config=json.dumps(config)))
    results = [decision["result"] for decision in found]
    assert results == ["unschedulable", "unschedulable", "scheduled"]


def test_a_pod_counts_once_after_it_is_bound_not_as_nominated_too() -> None:
    nominated = pod("p", cpu="2", priority=9)
    nominated["status"] = {"nominatedNodeName": "a"}
    found = decisions(case([node("a")], [nominated, pod("q", cpu="2")]))
    assert [decision["result"] for decision in found] == ["scheduled", "scheduled"]


def test_pods_that_are_not_tried_say_why() -> None:
    gated = pod("g", schedulingGates=[{"name": "x.com/wait"}])
    leaving = pod("l")
    leaving["metadata"]["deletionTimestamp"] = "2026-03-01T00:00:00Z"
    pending = [gated, leaving, pod("o", schedulerName="other"), pod("Bad")]
    found = decisions(case([node("a")], pending))
    assert [(d["result"], d.get("message", "")[:60]) for d in found] == [
        ("gated", "waiting for scheduling gates: [x.com/wait]"),
        ("skipped", "skip schedule deleting pod: default/l"),
        ("ignored", ""),
        ("invalid", 'metadata.name: Invalid value: "Bad": a lowercase RFC 1123 su'),
    ]


def test_a_configuration_that_is_refused_is_an_answer_not_a_malformed_case() -> None:
    found = answer(case([], [], config="a: 1"), Settings())
    assert not found.malformed
    assert found.expect == {
        "name": "here",
        "error": "Object 'Kind' is missing in 'a: 1'",
        "stage": "config-decode",
        "decisions": [],
    }


def test_a_plugin_without_code_here_is_refused_by_name() -> None:
    config = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "profiles": [{"plugins": {"permit": {"enabled": [{"name": "GangScheduling"}]}}}],
    }
    found = answer(case([], [], config=json.dumps(config)), Settings())
    assert found.malformed
    assert found.expect["error"] == "plugin GangScheduling is not simulated; leave it out"


def test_a_single_object_gets_the_answer_of_the_api_server() -> None:
    good = answer({"name": "o", "object": pod("p")}, Settings()).expect
    bad = answer({"name": "o", "object": pod("P")}, Settings()).expect
    assert good["defaulted"]["spec"]["schedulerName"] == "default-scheduler"
    assert [error["field"] for error in bad["errors"]] == ["metadata.name"]


MALFORMED = {
    "the case is not a JSON object": ([1], "the case is not a JSON object"),
    "objects is no list": ({"objects": 3}, "objects: not a list"),
    "a pending pod is no object": ({"pending": [3]}, "pending[0]: not an object"),
    "a forced node is no text": ({"forced": [1]}, "forced[0]: not a string"),
    "the configuration is no text": ({"config": {}}, "config: not a string"),
    "an object of no kind": (
        {"objects": [{}]},
        "objects[0]: Object 'Kind' is missing in '{}'",
    ),
    "an object that the API server refuses": (
        {"objects": [node("A")]},
        (
            'objects[0]: metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain must '
            "consist of lower case alphanumeric characters, '-' or '.', and must start and end "
            "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
            "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        ),
    ),
    "a pending pod with a node": (
        {"pending": [pod("p", nodeName="a")]},
        "pending pod p has a nodeName",
    ),
    "a node where a pod should be": ({"pending": [node("a")]}, "pending: not a Pod"),
    "an attempt that is no number": (
        {"forcedPreemptions": [{"attempt": "x"}]},
        "forcedPreemptions[0].attempt: not a number",
    ),
}


@pytest.mark.parametrize(("value", "text"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_case_says_what_is_wrong_and_where(value: Any, text: str) -> None:
    found = answer(value, Settings(), "line 3")
    assert found.malformed
    assert (found.expect["name"], found.expect["error"]) == ("line 3", text)


class Broken:
    """A plugin with a mistake in it."""

    name: ClassVar[str] = "Broken"

    def score(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints) -> Ints:
        del state, pod, snapshot, rows
        raise ZeroDivisionError("oh")


def test_a_case_that_breaks_a_plugin_does_not_end_the_others() -> None:
    broken = json.dumps(case([node("a"), node("b")], [pod("p")]))
    good = json.dumps(case([node("a")], [pod("p")]))
    settings = Settings(registry={**IN_TREE, "ImageLocality": lambda _args, _handle: Broken()})
    lines = [Line("f:1", broken), Line("f:2", good)]
    first, second = answers(lines, settings)
    assert first.malformed
    assert first.expect["error"] == "f:1: ZeroDivisionError: oh"
    assert second.expect["decisions"][0]["chosen"] == "a"


class FewestPods:
    """A scorer of one's own: the fewer pods the better."""

    name: ClassVar[str] = "FewestPods"

    def score(self, state: CycleState, pod: PodInfo, snapshot: Snapshot, rows: Ints) -> Ints:
        del state, pod
        counts: Ints = 10 - snapshot.nodes.pod_counts[rows]
        return counts


def test_a_plugin_of_ones_own_scores_beside_the_in_tree_ones() -> None:
    config = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "profiles": [
            {"plugins": {"multiPoint": {"enabled": [{"name": "FewestPods", "weight": 50}]}}}
        ],
    }
    objects = [node("a", cpu="64"), node("b"), pod("x", cpu="0", nodeName="a")]
    [found] = decisions(
        case(objects, [pod("p")], config=json.dumps(config)),
        registry={**IN_TREE, "FewestPods": lambda _args, _handle: FewestPods()},
        extension_points={"FewestPods": frozenset({ExtensionPoint.SCORE})},
    )
    assert found["chosen"] == "b"
    scores: Mapping[str, Json] = found["scores"]
    assert {name: row["FewestPods"] for name, row in scores.items()} == {"a": 450, "b": 500}


def run(*arguments: str, text: str = "") -> Result:
    return CliRunner().invoke(decide, list(arguments), input=text)


LINES = "\n".join(
    json.dumps({"case": case([node("a")], [pod(f"p{i}")]) | {"name": f"case-{i}"}})
    for i in range(40)
)


def test_lines_are_answered_in_order_whatever_the_number_of_processes(tmp_path: Path) -> None:
    packed, packed_more = tmp_path / "cases.jsonl.gz", tmp_path / "cases.jsonl.xz"
    packed.write_bytes(gzip.compress(LINES.encode()))
    packed_more.write_bytes(lzma.compress(LINES.encode()))
    one, two = run("-", text=LINES), run(str(packed), "--jobs", "2")
    assert one.stdout == two.stdout == run(str(packed_more)).stdout
    names = [json.loads(line)["name"] for line in one.stdout.splitlines()]
    assert names == [f"case-{i}" for i in range(40)]


def test_a_malformed_line_is_told_with_its_place_and_the_rest_goes_on() -> None:
    good = json.dumps(case([], []))
    done = run("-", text=f'{good}\n{{"objects": 3}}\n{{"x\n\n{good}\n')
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [found.get("error") for found in answers] == [
        None,
        "<stdin>:2: objects: not a list",
        "<stdin>:3: not JSON: Unterminated string starting at (column 2)",
        None,
    ]
    assert done.exit_code == 1


def test_answers_go_to_a_file_if_one_is_named(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    done = run("-", "-o", str(target), text=LINES)
    assert (done.exit_code, done.stdout) == (0, "")
    assert len(target.read_text().splitlines()) == 40


def test_manifests_are_decided_and_shown_as_a_table(tmp_path: Path) -> None:
    file = tmp_path / "cluster.json"
    objects = [node("a"), node("b", cpu="1"), pod("q", cpu="2"), pod("r", cpu="9")]
    file.write_text("\n".join(map(json.dumps, objects)))
    done = run("--objects", str(file), "-o", "table")
    assert done.stdout == (
        "POD         RESULT          NODE   SCORE   DETAIL\n"
        "default/q   scheduled       a      -       1 feasible\n"
        "default/r   unschedulable   -      -       0/2 nodes are available: 2 Insufficient cpu. "
        "no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not "
        "helpful for scheduling.\n"
    )


def test_pods_of_manifests_get_the_priority_of_their_class() -> None:
    high = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "high"},
        "value": 7,
    }
    plain, classy = pod("p", priorityClassName="high"), pod("q")
    del plain["spec"]["priority"], classy["spec"]["priority"]
    made = case_of_manifests([high, plain, classy, pod("r", priority=3)])
    assert [one["spec"]["priority"] for one in made["pending"]] == [7, 0, 3]
    with pytest.raises(MalformedCaseError, match='pods "p" is forbidden: no PriorityClass with na'):
        case_of_manifests([plain])


def test_only_pods_can_be_decided(tmp_path: Path) -> None:
    file = tmp_path / "nodes.json"
    file.write_text(json.dumps(node("a")))
    done = run("--objects", str(file), "--pending", str(file))
    assert done.exit_code == 1
    assert done.stderr == "Error: pending[0]: only a Pod can be decided, this is Node\n"


def test_cases_and_manifests_exclude_each_other() -> None:
    assert run("-", "--objects", "x").exit_code == 2
    assert run().exit_code == 2


def test_the_wide_table_shows_every_node_with_scores_or_reasons() -> None:
    value = case([node("b"), node("a"), node("c", unschedulable=True)], [pod("p")])
    text = as_table(answer(value, Settings(tie_break=TieBreak.NAME)).expect, wide=True)
    rows = [line.split() for line in text.splitlines()]
    assert rows[1][:6] == ["default/p", "scheduled", "a", rows[4][1], "2", "feasible;"]
    assert rows[3][:2] == ["NODE", "TOTAL"]
    assert [row[0] for row in rows[4:]] == ["a", "b", "c"]
    assert rows[6][-3:] == ["node(s)", "were", "unschedulable"]
