"""A timeline recorded anew: each run on a fresh control plane, then what all runs have in common."""

import gzip
import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from conformance.golden.moves import change, is_gauge, moves, samples
from conformance.golden.observed import ObservedStore
from conformance.golden.plane import RealPlane
from conformance.golden.steps import RealOperator
from gpusched.live.clock import now, sleep, sleep_until, stamp
from gpusched.live.cluster import Cluster, connect
from gpusched.live.recording import rows_of
from gpusched.live.watching import Watcher
from gpusched.sim.calendar import SECOND
from gpusched.timeline.aliases import Aliases
from gpusched.timeline.observer import Observer
from gpusched.timeline.outcome import final_state
from gpusched.timeline.script import Script, read_script
from gpusched.timeline.states import WORKLOADS
from tests.timeline.comparison import facts, times

Json = dict[str, Any]

RUNS = 2
_NOT_READY = "node.kubernetes.io/not-ready"
_PATIENCE = 120 * SECOND


def record(path: Path, kubernetes: str, kwok: str = "v0.7.0") -> str:
    """Record the script of ``path`` and write the result beside it; return a line about it."""
    script = read_script(path)
    target = path.with_suffix(".json.gz")
    old = _read(target)
    runs = [record_run(script, kubernetes) for _ in range(max(RUNS, len(old.get("runs") or ())))]
    new = {
        "name": script.name,
        "description": old.get("description", ""),
        "kubernetes": f"v{kubernetes}",
        "kwok": kwok,
        "stable": stable(runs),
        "runs": runs,
    }
    with target.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write((json.dumps(new, indent=1, ensure_ascii=False) + "\n").encode())
    return _difference(old, new)


def record_run(script: Script, kubernetes: str) -> Json:
    """Play a script once on a fresh control plane and return one run in the recorded schema."""
    with tempfile.TemporaryDirectory(prefix="gpusched-golden-") as folder:
        with RealPlane(script, Path(folder) / "state", kubernetes) as plane:
            return _Run(script, plane).play()


class _Run:
    """One run under way."""

    def __init__(self, script: Script, plane: RealPlane) -> None:
        self._script = script
        self._plane = plane
        self._cluster: Cluster = connect(str(plane.kubeconfig), None)

    def play(self) -> Json:
        """Build, start the scheduler, play, and write everything down."""
        watcher = Watcher(self._cluster, lambda _: True, ("Pod", "Node", "Event", *WORKLOADS))
        self._build()
        started = now()
        self._plane.start_scheduler()
        before = self._first_metrics()
        zero = (now() // SECOND + 2) * SECOND
        operator = RealOperator(self._cluster, self._plane, zero)
        sleep_until(zero)
        answers = [operator.carry_out(step) for step in self._script.steps]
        sleep_until(zero + self._script.duration)
        watcher.stop()
        after = samples(self._plane.metrics())
        log = self._plane.scheduler_log.read_text(encoding="utf-8", errors="replace")
        rows = rows_of(watcher.heard(), zero, self._script.duration)
        store, aliases = ObservedStore(stamp(zero)), Aliases()
        observer = Observer(store, aliases)  # type: ignore[arg-type]  # has what an observer asks for
        store.play([row for row in rows if row.at < 0])
        observer.listen()
        store.play([row for row in rows if row.at >= 0])
        return {
            "t0_wall": stamp(zero),
            "scheduler_started_t": round((started - zero) / SECOND, 3),
            "steps": [aliases.deep(answer) for answer in answers],
            "records": [_without_host(item) for item in observer.records],
            "scheduler_log": [
                _renamed(move, aliases)
                for move in moves(log, datetime.fromisoformat(stamp(zero)))
                if 0 <= move["t"] <= self._script.duration / SECOND
            ],
            "metrics_delta": change(before, after),
            "metrics_gauges": {
                name: value for name, value in sorted(after.items()) if is_gauge(name)
            },
            "final": final_state(_Ended(store), observer, aliases),  # type: ignore[arg-type]  # likewise
        }

    def _build(self) -> None:
        for obj in (*self._script.fleet, *self._script.setup):
            self._cluster.create(obj)
        names = {obj["metadata"]["name"] for obj in self._script.fleet if obj["kind"] == "Node"}
        until = now() + _PATIENCE
        while now() < until and not all(map(_is_usable, self._nodes(names))):
            sleep(SECOND // 10)
        if self._script.fleet:
            sleep(6 * SECOND)  # so that the node lifecycle controller has told of every node

    def _nodes(self, names: set[str]) -> list[Json]:
        return [
            node for node in self._cluster.read_all("Node") if node["metadata"]["name"] in names
        ]

    def _first_metrics(self) -> dict[str, float]:
        until = now() + _PATIENCE
        while True:
            try:
                return samples(self._plane.metrics())
            except OSError:
                if now() > until:
                    raise
                sleep(SECOND // 20)


class _Ended:
    """The end of an observed history, with what `final_state` asks of a control plane."""

    def __init__(self, store: ObservedStore) -> None:
        self.store = self.api = store


def stable(runs: list[Json]) -> Json:
    """Return the facts that all runs share, those that vary, and the windows of times."""
    told = [facts(run) for run in runs]
    keys = sorted({key for each in told for key in each})
    same = {
        key: told[0][key] for key in keys if all(each.get(key) == told[0].get(key) for each in told)
    }
    varying = {key: [each.get(key) for each in told] for key in keys if key not in same}
    return {
        "runs": len(runs),
        "equal_in_all_runs": same,
        "varying": varying,
        "time_windows": _windows([times(run) for run in runs]),
    }


def _windows(clocks: list[dict[str, list[float]]]) -> Json:
    windows: Json = {}
    for key in sorted(set.intersection(*map(set, clocks))):
        lists = [sorted(clock[key]) for clock in clocks]
        counts = {len(each) for each in lists}
        window: Json = {"n": max(counts), "first": _span([each[0] for each in lists])}
        if max(counts) > 1:
            window["last"] = _span([each[-1] for each in lists])
        if len(counts) == 1 and 1 < max(counts):
            window["each"] = [_span(list(column)) for column in zip(*lists, strict=True)]
        windows[key] = window
    return windows


def _span(values: list[float]) -> list[float]:
    return [min(values), max(values)]


def _is_usable(node: Json) -> bool:
    taints = (node.get("spec") or {}).get("taints") or ()
    conditions = (node.get("status") or {}).get("conditions") or ()
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    return ready and all(taint["key"] != _NOT_READY for taint in taints)


def _without_host(item: Json) -> Json:
    name = item.get("reportingInstance")
    reporter = item.get("reportingComponent", "")
    return (
        {**item, "reportingInstance": f"{reporter}-<host>"} if name and name != reporter else item
    )


def _renamed(move: Json, aliases: Aliases) -> Json:
    out = dict(move)
    for field in ("pod", "victim", "preemptor"):
        if field in out:
            namespace, _, name = out[field].rpartition("/")
            out[field] = f"{namespace}/{aliases.name(name)}"
    deep: Json = aliases.deep(out)
    return deep


def _read(path: Path) -> Json:
    if not path.exists():
        return {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        content: Json = json.load(file)
    return content


def _difference(old: Json, new: Json) -> str:
    before, after = (
        (each.get("stable") or {}).get("equal_in_all_runs") or {} for each in (old, new)
    )
    varies = {**((old.get("stable") or {}).get("varying") or {}), **new["stable"]["varying"]}
    changed = [
        key
        for key in {**before, **after}
        if before.get(key) != after.get(key) and key not in varies
    ]
    lines = [f"{new['name']}: {len(after)} facts, {len(changed)} changed"]
    lines += [
        f"  {key}\n    was {before.get(key)}\n    is  {after.get(key)}" for key in sorted(changed)
    ]
    return "\n".join(lines)
