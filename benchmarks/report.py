"""The table of all measurements as a page of the reference."""

from typing import Any

HEAD = """# Performance

Made by `make bench-real` (`make bench` without Go): each row is the whole simulation (API server,
queue, decision, binding, KWOK, journal and events) in one process, run {runs}; the table gives
medians, with minimum and maximum in brackets. *Real* is kube-scheduler 1.36.1 itself, in process
and with no API server in the way, measured in turn with ours on the same machine; *ratio* is ours
over real. Absolute figures are this machine's, read the ratios.

Machine: {cpu}, {cores} cores, {system}, Python {python}.

| shape | nodes | pods | pods/s | seconds | set-up, s | peak MB | real, pods/s | ratio | target |
|---|--:|--:|--:|--:|--:|--:|--:|--:|---|
"""

FOOT = """
* *seconds* is from the first pod's creation to rest; *set-up* is start, imports, and creating the
  nodes until they are Ready.
* `preempt-5000` fills every GPU with pods of low priority first; that is part of the set-up.
* `lesson`: seconds inside the process; from start to exit it takes {lesson:.2f} s.
* `gpu-500`: from start to exit {small:.2f} s. The whole real control plane with KWOK takes 37 s and
  1.2 GB for it.
* How the figures come about: [the fast engine](../decisions/0004-the-fast-engine.md).
"""


def page(result: dict[str, Any]) -> str:
    """Return the page in Markdown."""
    rows = {row["shape"]: row for row in result["rows"]}
    head = HEAD.format(runs="five times, each in a fresh process", **result["machine"])
    lines = [_line(row) for row in result["rows"]]
    foot = FOOT.format(
        lesson=_process_seconds(rows, "lesson"), small=_process_seconds(rows, "gpu-500")
    )
    return head + "\n".join(lines) + "\n" + foot


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
    ]
    return "| " + " | ".join(cells) + " |"
