"""The table of all measurements as a page of the reference."""

from typing import Any

HEAD = """# Performance

Made by `make bench-real` (`make bench` without Go): each row is the whole simulation (API server,
queue, decision, binding, KWOK, journal and events) in one process, run {runs}; the table gives
medians, with minimum and maximum in brackets. *Real* is kube-scheduler 1.36.1 itself, in process
and with no API server in the way, measured in turn with ours on the same machine; *ratio* is ours
over real. Absolute figures are this machine's, read the ratios.

Machine: {cpu}, {cores} cores, {system}, Python {python}.

| shape | nodes | pods | pods/s | seconds | set-up, s | peak MB | real/s | ratio | target | met |
|---|--:|--:|--:|--:|--:|--:|--:|--:|---|---|
"""

FOOT = """
* *seconds* is from the first pod's creation to rest; *set-up* is start, imports, and creating the
  nodes until they are Ready.
* `preempt-5000` fills every GPU with pods of low priority first; that is part of the set-up.
* `lesson`: seconds inside the process; from start to exit `gpusched run` takes {lesson:.2f} s.
* `gpu-500`: from start to exit {small:.2f} s. The whole real control plane with KWOK takes 37 s and
  1.2 GB for it.
* A pod costs {growth:.2f} times as much at 100,000 nodes as at 5,000 (aim: at most 1.5).
* Where the time goes (samples of `gpu-5000` with 33,000 pods, shares of the whole): 61 % attempts,
  of which 24 % the decision itself (fast engine) and 28 % assuming and binding, with the write and
  its event; 22 % telling watchers, of which 17 % the scheduler's own informers; 12 % creation; 4 %
  KWOK. No function has more than 6 % for itself: what is left is the number of Python calls per
  pod, some 190.
* `spread-5000`, `affinity-5000`, `shapes-5000` and `mixed-1200` need what the last binding made:
  pods counted by domain, one more node state for each shape
  ([many shapes, and pods that other pods read](../decisions/0006-many-shapes-and-other-pods.md)).
  In `mixed-1200` half of a pod's time is the engine's, and two fifths of that are the judging of
  each new node state for 80 different requests.
* `indexed-5000`: two thirds of a pod's time go into creating it, for each manifest is read,
  defaulted and validated by itself; to the scheduler the pods are replicas.
* `preempt-5000`: the real figure is of 200 preemptors without queue or API server. Upstream every
  event about a pod that vanishes asks each waiting preemptor; here those that are alike are asked
  about together.
* `gpu-100000`: for each pod about 0.9 KB are kept and 1 KB is needed at the peak, when all are
  bound at one instant ([what a pod costs](../decisions/0005-what-a-pod-costs.md)); for each node
  about 4 KB are kept (three versions in the journal, an event, what
  scheduler and node controller know); the nodes' set-up is in the column beside the seconds.
* How the figures come about: [the fast engine](../decisions/0004-the-fast-engine.md).
"""


def page(result: dict[str, Any]) -> str:
    """Return the page in Markdown."""
    rows = {row["shape"]: row for row in result["rows"]}
    runs = f"{result['runs']} times, each in a fresh process (`gpu-100000` once)"
    head = HEAD.format(runs=runs, **result["machine"])
    lines = [_line(row) for row in result["rows"]]
    foot = FOOT.format(
        lesson=_process_seconds(rows, "lesson"),
        small=_process_seconds(rows, "gpu-500"),
        growth=_growth(rows),
    )
    return head + "\n".join(lines) + "\n" + foot


def _is_met(row: dict[str, Any]) -> str:
    """Return ``yes``, or what was missed; an empty string where it could not be judged."""
    if not row["target"]:
        return ""
    missed = []
    for part in row["target"].split(", "):
        relation, amount = part.split(" ", 1)
        value = _measured(row, amount)
        if value is None:
            return ""
        wanted = float(amount.rstrip("xsMGB "))
        if value < wanted if relation == ">=" else value > wanted:
            missed.append(part)
    return f"no: {', '.join(missed)}" if missed else "yes"


def _measured(row: dict[str, Any], amount: str) -> float | None:
    """Return the figure that an amount such as ``20x``, ``0.6 s`` or ``2 GB`` speaks of."""
    if amount.endswith("x"):
        return float(row["real"]["ratio"]) if row.get("real") else None
    if amount.endswith("B"):
        return float(row["peak_rss_mb"]) / (1000 if amount.endswith("GB") else 1)
    whole = "process_seconds" if row["shape"] == "lesson" else "seconds"
    return float(row[whole]["median"])


def _growth(rows: dict[str, Any]) -> float:
    """Return what a pod costs at 100,000 nodes over what it costs at 5,000."""
    names = ("gpu-100000", "gpu-5000")
    if any(name not in rows for name in names):
        return 0.0
    large, small = (rows[name]["seconds"]["median"] / rows[name]["pods"] for name in names)
    return float(large / small)


def _process_seconds(rows: dict[str, Any], name: str) -> float:
    return float(rows[name]["process_seconds"]["median"]) if name in rows else 0.0


def _line(row: dict[str, Any]) -> str:
    rate, seconds = row["pods_per_second"], row["seconds"]
    real = row.get("real")
    cells = [
        f"`{row['shape']}`",
        f"{row['nodes']:,}",
        f"{row['pods']:,}",
        f"{rate['median']:,.0f} ({rate['min']:,.0f} to {rate['max']:,.0f})",
        f"{seconds['median']:.2f} ({seconds['min']:.2f} to {seconds['max']:.2f})",
        f"{row['setup_seconds']['median']:.2f}",
        f"{row['peak_rss_mb']:.0f}",
        f"{real['pods_per_second']:,.0f}" if real else "",
        f"{real['ratio']:.1f}x" if real else "",
        row["target"],
        _is_met(row),
    ]
    return "| " + " | ".join(cells) + " |"
