"""Write the tables of ``docs/explanation/fidelity.md`` from the recordings and the tests' lists.

Run as ``python -m tools.fidelity_tables`` from the repository's folder; a test fails while the page
says something else.
"""

import gzip
import json
import lzma
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.timeline.accidents import ACCIDENTS, OPEN, RACES

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "explanation" / "fidelity.md"
DECISIONS: Final = ROOT / "tests" / "golden" / "decisions"
TIMELINES: Final = ROOT / "tests" / "golden" / "timelines"
LEFT_OUT: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "accident": ACCIDENTS,
    "race": RACES,
    "open": OPEN,
}
_COLUMNS: Final = {
    "final": "final state",
    "queue": "queue moves",
    "attempts": "attempts",
    "sequence": "sequences",
    "metrics": "metrics",
    "gauge": "gauges",
    "step": "answers",
}
_FAMILIES: Final = {
    "config": "scheduler configurations: profiles, weights, strategies, refused files",
    "dra": "DynamicResources: claims, selectors, counters, extended resources by devices",
    "gpu_fleet": "GPU fleets like the lesson's",
    "interpod": "pod affinity and anti-affinity",
    "mixed": "several plugins at once",
    "nodeaffinity": "node selectors and affinity",
    "ports_misc": "host ports, node names, gates, images, limits",
    "preemption": "victims, budgets, nominations",
    "resources": "requests, overhead, fit and balance",
    "spread": "topology spread",
    "taints": "taints and tolerations",
    "validation": "objects that the API server defaults, admits or refuses",
    "volumes": "volume binding, zones, limits, restrictions",
}


def decisions() -> Iterator[str]:
    """Yield the table of recorded decisions, by family."""
    yield "| family | what is in it | cases |"
    yield "|---|---|--:|"
    total = 0
    for path in sorted(DECISIONS.glob("*.jsonl.*")):
        family = path.name.partition(".")[0]
        lines = _unpacked(path).count(b"\n")
        total += lines
        yield f"| `{family}` | {_FAMILIES[family]} | {lines} |"
    yield f"| all | | {total} |"


def timelines() -> Iterator[str]:
    """Yield the table of recorded timelines: how much of each is compared."""
    heads = [*_COLUMNS.values(), "ranges", "times"]
    yield f"| timeline | what happens in it | {' | '.join(heads)} | left out |"
    yield f"|---|---|{'--:|' * len(heads)}---|"
    for path in sorted(TIMELINES.glob("*.json.gz")):
        name = path.name.removesuffix(".json.gz")
        stable = json.loads(_unpacked(path))["stable"]
        counts = Counter(key.partition("/")[0] for key in stable["equal_in_all_runs"])
        windows = sum("first" in window for window in stable["time_windows"].values())
        numbers = [*(counts[group] for group in _COLUMNS), len(stable["varying"]), windows]
        cells = " | ".join(str(number) if number else "" for number in numbers)
        kinds = [kind for kind, table in LEFT_OUT.items() if name in table]
        yield f"| `{name}` | {_description(name)} | {cells} | {', '.join(kinds)} |"


def left_out() -> Iterator[str]:
    """Yield what is not compared, by kind, timeline and pattern of the fact's key."""
    yield "| kind | timeline | facts, as a pattern of their keys |"
    yield "|---|---|---|"
    for kind, table in LEFT_OUT.items():
        for name, patterns in sorted(table.items()):
            shown = ", ".join("`" + pattern.replace("|", "\\|") + "`" for pattern in patterns)
            yield f"| {kind} | `{name}` | {shown} |"


def _unpacked(path: Path) -> bytes:
    opener: Any = gzip.decompress if path.suffix == ".gz" else lzma.decompress
    data: bytes = opener(path.read_bytes())
    return data


def _description(name: str) -> str:
    text = (TIMELINES / f"{name}.yaml").read_text(encoding="utf-8")
    head = text[: text.index("\nduration:")]
    return str(yaml.safe_load(head)["description"]).replace("|", "\\|").replace("\n", " ")


def updated(page: str) -> str:
    """Return a page with its tables as the recordings and the lists have them now."""
    for table in (decisions, timelines, left_out):
        begin, end = f"<!-- {table.__name__} -->\n", f"<!-- end of {table.__name__} -->"
        before, opening, rest = page.partition(begin)
        _, closing, after = rest.partition(end)
        if not opening or not closing:
            raise ValueError(f"{PAGE.name} has no place for the table {table.__name__}")
        page = "".join((before, begin, "\n".join(table()), "\n", end, after))
    return page


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
