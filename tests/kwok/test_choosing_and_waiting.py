"""Which stage applies to an object, and how long it waits: tables over single stages."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpusched.errors import InvalidInputError
from gpusched.kwok.delay import delay_of, parse_duration
from gpusched.kwok.expressions import compile_expression
from gpusched.kwok.stage import Stage, choose, load_stages, parse_stage
from gpusched.kwok.templates import Template, TemplateError
from gpusched.sim.calendar import Calendar

Json = dict[str, Any]
SECOND = 1_000_000
NOW = 100 * SECOND
CALENDAR = Calendar("2026-01-01T00:00:00Z")


def stage(name: str = "s", **spec: Any) -> Stage:
    body = {"resourceRef": {"kind": "Pod"}, "selector": {}, **spec}
    return parse_stage({"kind": "Stage", "metadata": {"name": name}, "spec": body})


def pod(annotations: Json | None = None, labels: Json | None = None, **status: Any) -> Json:
    meta = {"name": "p", "annotations": annotations or {}, "labels": labels or {}}
    return {"metadata": meta, "status": status}


def told(name: str) -> Json:
    return {"expressionFrom": f'.metadata.annotations["{name}"]'}


def delays(delay: Json, annotations: Json | None = None, seed: int = 0) -> int:
    waits = stage(delay=delay)
    return delay_of(waits, pod(annotations), NOW, CALENDAR.micros, np.random.default_rng(seed))


FROM = {"durationFrom": told("d"), "jitterDurationFrom": told("j")}
FIXED = {"durationMilliseconds": 1000, "jitterDurationMilliseconds": 5000}


@pytest.mark.parametrize(
    ("delay", "annotations", "low", "high"),
    [
        pytest.param({}, {}, 0, 0, id="without a delay at once"),
        pytest.param({"durationMilliseconds": 1500}, {}, 1.5, 1.5,
                     id="the duration without a jitter"),
        pytest.param(FIXED, {}, 1, 5, id="a larger jitter is an upper bound, not an increment"),
        pytest.param({**FIXED, "jitterDurationMilliseconds": 1000}, {}, 1, 1,
                     id="a jitter as large as the duration is the delay"),
        pytest.param({**FIXED, "jitterDurationMilliseconds": 300}, {}, 0.3, 0.3,
                     id="a smaller jitter replaces the duration"),
        pytest.param({**FIXED, **FROM}, {"d": "10m"}, 5, 5,
                     id="a long annotated delay is cut to the default jitter"),
        pytest.param({**FIXED, **FROM}, {"d": "10m", "j": "10m"}, 600, 600,
                     id="delay and jitter of the pod's own"),
        pytest.param({**FIXED, **FROM}, {"d": "2s", "j": "4s"}, 2, 4,
                     id="both annotations make a range"),
        pytest.param({**FIXED, **FROM}, {"d": ""}, 0, 5, id="an empty annotation is a delay of 0"),
        pytest.param({**FIXED, **FROM}, {"d": "soon"}, 1, 5,
                     id="an annotation that is no duration leaves the default"),
        pytest.param({**FIXED, **FROM}, {"j": ""}, 1, 1, id="an empty jitter is none"),
        pytest.param({"durationMilliseconds": 1000, "jitterDurationFrom": told("j")}, {}, 1, 1,
                     id="a jitter that nobody gives is none"),
        pytest.param({"durationMilliseconds": 1000, "jitterDurationFrom": told("j")},
                     {"j": "2026-01-01T00:02:00Z"}, 1, 20, id="a stamp bounds the delay"),
        pytest.param({"durationFrom": told("d")}, {"d": "2026-01-01T00:00:30Z"}, 0, 0,
                     id="a stamp that has passed means now"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("seed", range(3))
def test_a_stage_waits(delay: Json, annotations: Json, low: float, high: float, seed: int) -> None:
    waited = delays(delay, annotations, seed) / SECOND
    assert low <= waited < high or low == waited == high


def test_jitter_spreads_over_its_whole_range() -> None:
    drawn = sorted(delays(FIXED, seed=seed) / SECOND for seed in range(200))
    assert drawn[0] < 1.2
    assert drawn[-1] > 4.8


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1s", SECOND), ("1m1.5s", 61_500_000), ("250ms", 250_000), ("2h", 7_200_000_000),
        ("-3s", -3_000_000), ("1500ns", 1), ("", 0), ("0", 0), ("1", None), ("1 s", None),
        ("x", None),
    ],
)  # fmt: skip
def test_a_duration_is_read_as_go_reads_it(text: str, micros: int | None) -> None:
    assert parse_duration(text) == micros


@pytest.mark.property
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 2**32))
def test_a_delay_never_exceeds_its_jitter(duration: int, jitter: int, seed: int) -> None:
    given_ = {"durationMilliseconds": duration, "jitterDurationMilliseconds": jitter}
    waited = delays(given_, seed=seed)
    assert min(duration, jitter) * 1000 <= waited <= jitter * 1000


# --- choice -----------------------------------------------------------------------------------


def chosen(*stages: Stage, obj: Json | None = None, draws: int = 3000) -> Counter[str | None]:
    rng = np.random.default_rng(7)
    found = (choose(stages, obj or pod(), rng) for _ in range(draws))
    return Counter(one.name if one else None for one in found)


def test_none_matches() -> None:
    assert chosen(stage(selector={"matchLabels": {"a": "b"}}), draws=1) == {None: 1}


def test_the_only_one_that_matches_is_taken_whatever_its_weight() -> None:
    assert chosen(stage("a", weight=0), stage("b", selector=None, weight=9)) == {"a": 3000}


def test_several_are_drawn_in_proportion_to_their_weights() -> None:
    counts = chosen(stage("a", weight=1), stage("b", weight=2), stage("c", weight=0))
    assert counts.keys() == {"a", "b"}
    assert 1.8 < counts["b"] / counts["a"] < 2.2


@pytest.mark.parametrize("weight", [0, -1])
def test_without_a_positive_weight_all_are_equal(weight: int) -> None:
    counts = chosen(stage("a", weight=weight), stage("b", weight=weight))
    assert 0.9 < counts["a"] / counts["b"] < 1.1


@pytest.mark.parametrize(
    ("annotation", "winner"),
    [("0", "b"), ("nonsense", "b"), ("2000000000", "a")],
    ids=["an annotated 0 loses", "what is no number loses", "a large one wins"],
)
def test_a_pod_may_set_a_stages_weight(annotation: str, winner: str) -> None:
    own = stage("a", weight=1_000_000_000, weightFrom=told("w"))
    counts = chosen(own, stage("b", weight=1), obj=pod({"w": annotation}), draws=50)
    assert counts == {winner: 50}


def test_where_no_weight_can_be_read_all_are_equal() -> None:
    own = [stage(name, weight=5, weightFrom=told("w")) for name in "ab"]
    counts = chosen(*own, obj=pod({"w": "nonsense"}))
    assert 0.9 < counts["a"] / counts["b"] < 1.1
    assert chosen(*own, stage("c"), obj=pod({"w": "nonsense"})) == {"c": 3000}


def test_equal_seeds_choose_alike() -> None:
    both = (stage("a", weight=1), stage("b", weight=1))
    assert chosen(*both) == chosen(*both)


# --- selectors --------------------------------------------------------------------------------

PHASE = ".status.phase"
READY = '.status.conditions.[] | select(.type == "Ready") | .status'


@pytest.mark.parametrize(
    ("selector", "obj", "matches"),
    [
        pytest.param(None, pod(), False, id="no selector matches nothing"),
        pytest.param({}, pod(), True, id="an empty selector matches all"),
        pytest.param({"matchLabels": {"a": "b"}}, pod(labels={"a": "b", "c": "d"}), True,
                     id="a label"),
        pytest.param({"matchLabels": {"a": "b"}}, pod(labels={"a": "c"}), False,
                     id="another label"),
        pytest.param({"matchAnnotations": {"a": "b"}}, pod({"a": "b"}), True, id="an annotation"),
        pytest.param({"matchAnnotations": {"a": "b"}}, pod(), False, id="no annotation"),
        pytest.param({"matchLabels": {"a": "b"}, "matchAnnotations": {"c": "d"}},
                     pod(labels={"a": "b"}), False, id="all parts must match"),
    ],
)  # fmt: skip
def test_a_selector(selector: Json | None, obj: Json, matches: bool) -> None:
    assert stage(selector=selector).matches(obj) is matches


@pytest.mark.parametrize(
    ("operator", "found", "other", "nothing"),
    [
        ("In", True, False, False), ("NotIn", False, True, True),
        ("Exists", True, True, False), ("DoesNotExist", False, False, True),
    ],
)  # fmt: skip
def test_an_operator_on_what_is_there_on_something_else_and_on_nothing(
    operator: str, found: bool, other: bool, nothing: bool
) -> None:
    term = {"key": PHASE, "operator": operator, "values": ["Running"]}
    one = stage(selector={"matchExpressions": [term]})
    answers = [one.matches(obj) for obj in (pod(phase="Running"), pod(phase="Failed"), pod())]
    assert answers == [found, other, nothing]


CONDITIONS = [{"type": "Ready", "status": "False"}, {"type": "Other", "status": "True"}]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (PHASE, ("Running",)),
        (".status.nothing.at.all", ()),
        (READY, ("False",)),
        (".status.conditions.[].type", ("Ready", "Other")),
        (".status.conditions[-1].type", ("Other",)),
        ('.metadata.labels["a/b.c"]', ("x",)),
        ('.status.conditions.[] | select(.type != "Ready") | .status', ("True",)),
        ('.metadata["labels"] | .["a/b.c"]', ("x",)),
    ],
)
def test_a_path_finds(path: str, found: tuple[str, ...]) -> None:
    obj = pod(labels={"a/b.c": "x"}, phase="Running", conditions=CONDITIONS)
    assert compile_expression(path)(obj) == found


def test_a_path_of_another_kind_is_refused_with_the_documents_number() -> None:
    body = (
        "kind: Stage\nmetadata: {name: s}\nspec:\n  resourceRef: {kind: Pod}\n"
        "  selector: {matchExpressions: [{key: 'length(.a)', operator: Exists}]}\n"
    )
    with pytest.raises(InvalidInputError) as caught:
        load_stages(f"kind: Other\n---\n{body}")
    assert str(caught.value) == (
        "document 2: not a Stage that can be played: unsupported expression 'length(.a)'"
    )


# --- templates --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: {{ .metadata.name }}", {"a": "p"}),
        ("a: {{ .metadata.name | Quote }}", {"a": "p"}),
        ("{{ if .status.phase }}a: 1{{ else }}a: 2{{ end }}", {"a": 2}),
        ('{{ $x := "1" }}{{ if .metadata }}{{ $x = "2" }}{{ end }}a: {{ $x }}', {"a": 2}),
        ('{{ $x := "1" }}{{ if .metadata }}{{ $x := "2" }}{{ end }}a: {{ $x }}', {"a": 1}),
        ('{{ $all := or .metadata.nothing dict }}a: {{ index $all "x" | Quote }}', {"a": ""}),
        ("a: [{{ range $i, $n := .metadata.labels }}{{ $n }},{{ end }}]", {"a": [1, 2]}),
        ("a: {{ or (eq .metadata.name `q`) (not .status.phase) }}", {"a": True}),
        ('a: {{ printf "kwok-%s" Version }}', {"a": "kwok-v0"}),
    ],
    ids=[
        "a field", "a pipe", "else", "= changes the variable outside",
        ":= declares a new one inside",
        "a function without arguments is called where a value is wanted", "range over a map",
        "functions in parentheses", "printf",
    ],
)  # fmt: skip
def test_a_template_says(text: str, value: Any) -> None:
    obj = pod(labels={"x": 1, "y": 2})
    assert Template(text).render(obj, {"Version": lambda: "v0"}) == value


def test_an_unknown_function_is_told() -> None:
    with pytest.raises(TemplateError, match='function "Nothing" not defined'):
        Template("a: {{ Nothing }}").render(pod(), {})
