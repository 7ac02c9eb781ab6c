"""The report page: what is in it, and how it behaves in a real browser."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpusched.report.page import page, write_page
from gpusched.report.page.data import MOST_PODS, page_data
from gpusched.run.record import RunRecord
from tests.report.browser import MISSING, Browser, browser, installed
from tests.report.worlds import busy_hour, large_run, nothing, queue_pressure, two_nodes

MEGABYTE = 1_000_000
needs_chromium = pytest.mark.skipif(not installed(), reason=MISSING)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as session:
        session.resize(1280, 1000)
        yield session


def shown(session: Browser, record: RunRecord, folder: Path) -> Browser:
    write_page(record, folder / "report.html")
    session.run("location.replace('about:blank')")
    session.requests()
    session.log("browser")
    session.open(folder / "report.html")
    return session


def place_of(session: Browser, name: str) -> tuple[int, list[float]]:
    """Return a pod's number on the page and the middle of its bar in the window."""
    script = """
        const {timeline, data} = window.report, p = data.pods.name.indexOf(arguments[0]);
        timeline.canvas.scrollIntoView();
        const at = timeline.place(p), box = timeline.canvas.getBoundingClientRect();
        return [p, [at.x + box.left, at.y + box.top]];
    """
    number, where = session.run(script, name)
    return number, where


def text_of(session: Browser, place: str) -> str:
    return str(session.run("return document.querySelector(arguments[0]).textContent", place))


def set_moment(session: Browser, micros: int) -> str:
    script = """
        const slider = document.getElementById("moment");
        slider.value = arguments[0];
        slider.dispatchEvent(new Event("input"));
    """
    session.run(script, micros)
    return text_of(session, "#fleet-summary")


def test_the_page_is_one_file_that_names_no_other() -> None:
    text = page(queue_pressure())
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:,)""", text)
    assert not re.findall(r"https?://", text)
    assert "default-src 'none'" in text


def test_a_hostile_name_cannot_leave_its_place() -> None:
    record = two_nodes()
    hostile = RunRecord("</script><b>", 1, record.ended, record.epoch, record.rows)
    text = page(hostile)
    assert "</script><b>" not in text
    data = re.search(r'<script id="data"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])["name"] == "</script><b>"


def test_ten_thousand_pods_stay_below_three_megabytes() -> None:
    text = page(large_run(MOST_PODS))
    assert len(text.encode()) < 3 * MEGABYTE
    assert "sweep-7cf499cc59-09999" in text


def test_more_pods_are_aggregated() -> None:
    data = page_data(large_run(MOST_PODS + 1, nodes=40, gpus=8))
    assert data["pods"] is None
    assert len(data["levels"]["used"]) == 40
    assert len(json.dumps(data)) < MEGABYTE


def test_a_pod_knows_why_it_waited_and_what_it_was_told() -> None:
    pods: dict[str, Any] = page_data(two_nodes())["pods"]
    small = pods["name"].index("small")
    [(since, text)] = pods["why"][small]
    assert (since, pods["reasons"][text]) == (2_000_000, "Insufficient nvidia.com/gpu")
    told = [pods["texts"][reason] for _, reason, _, _ in pods["events"][small]]
    assert told == ["FailedScheduling", "Scheduled"]


@needs_chromium
@pytest.mark.parametrize(
    "world",
    [queue_pressure, busy_hour, nothing],
    ids=["queue-pressure", "busy-hour", "nothing at all"],
)
def test_it_loads_without_an_error_or_a_request(
    chromium: Browser, tmp_path: Path, world: Any
) -> None:
    session = shown(chromium, world(), tmp_path)
    assert session.requests() == [(tmp_path / "report.html").resolve().as_uri()]
    assert session.log("browser") == []


@needs_chromium
def test_hovering_a_bar_shows_its_pod(chromium: Browser, tmp_path: Path) -> None:
    record = busy_hour()
    session = shown(chromium, record, tmp_path)
    for life in (record.lives[3], record.lives[-1]):
        _, where = place_of(session, life.pod.name)
        session.mouse("mouseMoved", *where)
        tip = text_of(session, "#tip")
        assert tip.startswith(f"{life.pod.namespace}/{life.pod.name}")
        assert f"node: {life.pod.node}" in tip


@needs_chromium
def test_hovering_a_waiting_pod_says_why_it_waits(chromium: Browser, tmp_path: Path) -> None:
    record = queue_pressure()
    session = shown(chromium, record, tmp_path)
    waiting = next(life for life in record.lives if life.bound is None)
    _, where = place_of(session, waiting.pod.name)
    session.mouse("mouseMoved", *where)
    tip = text_of(session, "#tip")
    assert tip.startswith(f"gpu-demo/{waiting.pod.name}")
    assert waiting.waiting in tip


@needs_chromium
def test_the_slider_shows_32_gpus_at_the_end_of_queue_pressure(
    chromium: Browser, tmp_path: Path
) -> None:
    session = shown(chromium, queue_pressure(), tmp_path)
    words = "; waiting pods: 8 (Insufficient nvidia.com/gpu)."
    assert text_of(session, "#fleet-summary") == f"32 of 32 GPUs in use{words}"
    assert session.run("return document.querySelectorAll('.gpu.used').length") == 32
    assert set_moment(session, 500_000) == "0 of 32 GPUs in use; no pod waits."
    assert session.run("return document.querySelectorAll('.gpu.used').length") == 0


@needs_chromium
@pytest.mark.parametrize("minute", [3, 12, 25, 35, 50])
def test_the_slider_agrees_with_the_runs_history(
    chromium: Browser, tmp_path: Path, minute: int
) -> None:
    record = busy_hour()
    session = shown(chromium, record, tmp_path)
    text = set_moment(session, minute * 60 * 10**6)
    at = int(session.run("return window.report.timeline.moment"))
    row = int(np.searchsorted(record.history.times, at, side="right")) - 1
    assert text.startswith(f"{record.history.gpus[row]} of 32 GPUs in use")


@needs_chromium
def test_filters_leave_the_pods_that_fit(chromium: Browser, tmp_path: Path) -> None:
    session = shown(chromium, busy_hour(), tmp_path)
    script = """
        const list = document.getElementById("namespace");
        list.value = [...list.options].find((entry) => entry.text === "language").value;
        list.dispatchEvent(new Event("change"));
    """
    session.run(script)
    language = sum(life.pod.namespace == "language" for life in busy_hour().lives)
    assert text_of(session, "#pods-more") == f"{language} pods."


@needs_chromium
def test_the_keyboard_zooms_and_goes_from_pod_to_pod(chromium: Browser, tmp_path: Path) -> None:
    record = busy_hour()
    session = shown(chromium, record, tmp_path)
    session.run("document.getElementById('timeline').focus()")
    for key in ("ArrowDown", "ArrowDown", "+"):
        session.key(key)
    second = record.lives[1].pod
    assert text_of(session, "#pod h3") == f"{second.namespace}/{second.name}"
    span = session.run("return window.report.timeline.to - window.report.timeline.from")
    assert span == pytest.approx(0.8 * record.ended)


@needs_chromium
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_sideways(chromium: Browser, tmp_path: Path, width: int) -> None:
    chromium.resize(width, 900, mobile=width < 500)
    session = shown(chromium, busy_hour(), tmp_path)
    assert session.run("return document.documentElement.scrollWidth") == width
    chromium.resize(1280, 1000)


@needs_chromium
def test_the_theme_can_be_turned(chromium: Browser, tmp_path: Path) -> None:
    session = shown(chromium, two_nodes(), tmp_path)
    script = "return getComputedStyle(document.body).backgroundColor"
    before = session.run(script)
    session.run("document.getElementById('theme').click()")
    assert session.run(script) != before


@needs_chromium
def test_a_large_run_shows_its_nodes(chromium: Browser, tmp_path: Path) -> None:
    session = shown(chromium, large_run(MOST_PODS + 1, nodes=40, gpus=8), tmp_path)
    assert session.log("browser") == []
    assert set_moment(session, 50_000_000).startswith("320 of 320 GPUs in use")
