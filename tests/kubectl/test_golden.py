"""Every recorded text of the real kubectl v1.36.1, printed again from the recorded objects."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gpusched.kubectl import Output, Snapshot, run
from gpusched.kubectl.ages import parse_time
from tests.kubectl.recordings import first_equal, load, masked, words

pytestmark = pytest.mark.golden

LESSONS = ("lesson-age-12s", "lesson-age-50m")
CORPORA = ("kinds", "states-replayed", "states-more", "storage")
MILLISECOND = 1_000

# The recorded cluster had these too, but they were not saved with the other objects.
AGE_OF_CLUSTER = {
    "lesson-age-12s": "2026-11-23T12:02:16Z",
    "lesson-age-50m": "2026-11-23T11:04:00Z",
}

# Names that were replaced in texts and objects after recording; the columns kept their old widths.
REPLACED = {
    "get-lease": ("kwok-controller", "vm_00000000-0000-0000-0000-000000000000"),
    "get-events-wide": ("default-scheduler-host", "default-scheduler-vm"),
}

# A heartbeat went by between the recording of this text and that of the objects.
HEARTBEATS = {("lesson-age-50m", "describe-node-l40s-0"): ("12:04:36Z", "12:04:12Z")}


def system_objects(lesson: str) -> list[dict[str, Any]]:
    created = AGE_OF_CLUSTER[lesson]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default", "creationTimestamp": created},
        "spec": {
            "type": "ClusterIP",
            "clusterIPs": ["10.96.0.1"],
            "ports": [{"port": 443, "protocol": "TCP"}],
        },
    }
    classes = [
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name, "creationTimestamp": created},
            "value": value,
            "preemptionPolicy": "PreemptLowerPriority",
        }
        for name, value in (
            ("system-cluster-critical", 2_000_000_000),
            ("system-node-critical", 2_000_001_000),
        )
    ]
    return [service, *classes]


def objects_behind(lesson: str, file: str) -> list[dict[str, Any]]:
    text = json.dumps(load(lesson)["objects"])
    shown, recorded = REPLACED.get(file, ("", ""))
    now_there, then_there = HEARTBEATS.get((lesson, file), ("", ""))
    text = text.replace(shown, recorded) if shown else text
    text = text.replace(now_there, then_there) if now_there else text
    objects: list[dict[str, Any]] = json.loads(text)
    return objects + system_objects(lesson)


def around(now: int) -> Iterator[int]:
    """Yield instants of the seconds in which a folder was recorded."""
    return iter(range(now - 6_500 * MILLISECOND, now + 2_000 * MILLISECOND, 50 * MILLISECOND))


@pytest.mark.parametrize(
    ("lesson", "file"), [(lesson, file) for lesson in LESSONS for file in load(lesson)["files"]]
)
def test_the_lesson_reads_as_the_real_kubectl_printed_it(lesson: str, file: str) -> None:
    argv, wanted = words(load(lesson)["files"][file])
    shown, recorded = REPLACED.get(file, ("", ""))
    objects = objects_behind(lesson, file)
    texts = []
    for now in around(parse_time(load(lesson)["now"][:26] + "Z")):
        outcome = run(Snapshot(objects, now), argv)
        text = outcome.stdout + outcome.stderr
        texts.append(text.replace(recorded, shown) if shown else text)
        if texts[-1] == wanted:
            return
    assert texts[0] == wanted


@pytest.mark.parametrize(
    ("corpus", "index"),
    [
        pytest.param(corpus, index, id=f"{corpus}: {' '.join(recorded['argv'])}")
        for corpus in CORPORA
        for index, recorded in enumerate(load(corpus)["runs"])
    ],
)
def test_text_and_exit_status_are_those_of_the_real_kubectl(corpus: str, index: int) -> None:
    recorded = load(corpus)["runs"][index]
    wanted = Output(recorded["stdout"], recorded["stderr"], recorded["exit_status"])
    step = max((recorded["to"] - recorded["from"]) // 20, 1)
    instants = iter(range(recorded["from"], recorded["to"] + 1, step))
    outcome = first_equal(load(corpus)["objects"], recorded["argv"], instants, wanted)
    if "object given to jsonpath" in wanted.stderr:  # the recording was cut before the dump
        outcome = Output(outcome.stdout, outcome.stderr[: len(wanted.stderr)], outcome.exit_status)
    assert outcome == wanted


# In the second play the scheduler tried at other moments, so it said other things.
PLAYED_OTHERWISE = {"get_events_-n_gpu-demo", "get_events_-n_gpu-demo_--sort-by=.lastTimestamp"}

# Upstream prints the resources of a limit range in the random order of a Go map.
RANDOM = {"describe_limitrange_lr_-n_gpu-demo", "describe_ns_gpu-demo"}


# In the second play the StatefulSet's pods were there before its budget was looked at.
NO_PODS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "p.1", "namespace": "gpu-demo"},
    "involvedObject": {"kind": "PodDisruptionBudget", "namespace": "gpu-demo", "name": "p"},
    "reason": "NoPods",
    "message": "No matching pods found",
    "type": "Normal",
    "source": {"component": "controllermanager"},
    "count": 1,
    "firstTimestamp": "2026-11-23T14:08:23Z",
    "lastTimestamp": "2026-11-23T14:08:23Z",
}


def replayed_objects() -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = json.loads(
        json.dumps(load("states-replayed")["objects"]).replace(
            '"kernelVersion": ""',
            '"kernelVersion": "kwok-0.7.0"',  # depends on how KWOK was built
        )
    )
    budget = next(obj for obj in objects if obj["kind"] == "PodDisruptionBudget")
    about = NO_PODS["involvedObject"] | {"uid": budget["metadata"]["uid"]}
    return [*objects, NO_PODS | {"involvedObject": about}]


@pytest.mark.parametrize("file", sorted(set(load("states")["files"]) - PLAYED_OTHERWISE))
def test_other_states_read_as_recorded_but_for_times_and_generated_names(file: str) -> None:
    """The objects behind these texts were not saved: those of a second play stand in for them."""
    argv, wanted = words(load("states")["files"][file])
    now = load("states-replayed")["runs"][0]["from"]
    outcome = run(Snapshot(replayed_objects(), now), argv)
    printed, expected = (masked(text) for text in (outcome.stdout + outcome.stderr, wanted))
    if file in RANDOM:
        printed, expected = ("\n".join(sorted(text.split("\n"))) for text in (printed, expected))
    assert printed == expected
