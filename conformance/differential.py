"""gpusched against the real kube-scheduler on random cases; see README.md.

python -m conformance.differential --oracle DECIDE [--count N] [--seed N] [--jobs N]
"""

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.decide import oracle
from conformance.decide.families import FAMILIES, draw_case
from conformance.decide.shrink import shrink
from gpusched.decide import Settings, TieBreak, answer
from tests.decide.comparison import Difference, differences

Json = dict[str, Any]

BATCH = 50
SETTINGS = Settings(tie_break=TieBreak.NAME, engine="verify")
"""Under ``verify`` both engines decide each attempt, and a difference between them is one, too."""
FREED = "deallocation of ResourceClaim completed"
UNUSABLE = "internal"
_MORE = 24
"""How often the oracle is asked again about a difference.

Claims that are freed reach its scheduler some time later: one such case went the same way seven
times in ten.
"""
"""The stage at which the oracle gives up on a case for reasons of its own."""
_NUMBERS = re.compile(r"\d+")
_LONGEST_REASON = 120


@dataclass(slots=True)
class Found:
    """What a batch has shown.

    Attributes:
        counts: Cases, and decisions by their results.
        reasons: Why cases were left out, with numbers written as N.
        examples: A case for each reason.
        differing: Cases that differ.
    """

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    differing: list[Json] = field(default_factory=list)

    def leave_out(self, case: Json, kind: str, why: str) -> None:
        """Count a case that says nothing, and why."""
        reason = f"{kind}: {_NUMBERS.sub('N', why)[:_LONGEST_REASON]}"
        self.counts[kind] += 1
        self.reasons[reason] += 1
        self.examples.setdefault(reason, case["name"])


def ours(case: Json, expected: Json) -> Json:
    """Return our answer; where the oracle preempted we follow the outcome that it took."""
    forced = [
        {"pod": d["pod"], "attempt": d.get("attempt", 0), **d["nominations"][0]}
        for d in expected.get("decisions") or []
        if d.get("nominations")
    ]
    try:
        return answer({**case, "forcedPreemptions": forced}, SETTINGS).expect
    except Exception as error:  # a crash is a difference like any other
        return {"name": case["name"], "error": f"crash: {error!r}", "stage": "crash"}


def compare(case: Json, expected: Json) -> list[Difference]:
    """Return the differences; of a refused object only that it is refused."""
    actual = ours(case, expected)
    certain = _certain(expected)
    if certain < len(expected["decisions"]):
        expected = {**expected, "decisions": expected["decisions"][:certain]}
        actual = {**actual, "decisions": (actual.get("decisions") or [])[:certain]}
    if expected.get("stage") == "object" and actual.get("stage") == "object":
        return []
    return differences(expected, actual)


def _certain(expected: Json) -> int:
    """Return how many decisions are certain.

    A claim that PostFilter frees reaches the oracle's scheduler through an informer, some
    milliseconds later: what comes after may or may not see it.
    """
    for at, decision in enumerate(expected["decisions"]):
        if FREED in decision.get("message", ""):
            return at + 1
    return len(expected["decisions"])


def run_batch(program: str, family: str, seed: int, indices: range) -> Found:
    """Compare one batch of cases."""
    found = Found()
    cases = [draw_case(family, seed, index) for index in indices]
    for case, expected in zip(cases, oracle.ask(program, cases), strict=True):
        found.counts["cases"] += 1
        if expected.get("stage") == UNUSABLE:
            found.leave_out(case, "unusable", expected.get("error", ""))
            continue
        found.counts["decisions"] += len(expected["decisions"])
        if expected.get("error"):
            found.counts[f"errors {expected['stage']}"] += 1
        for decision in expected["decisions"]:
            found.counts[decision["result"]] += 1
            found.counts["nominations"] += bool(decision.get("nominations"))
        if compare(case, expected):
            _settle(program, case, expected, found)
    return found


def _settle(program: str, case: Json, expected: Json, found: Found) -> None:
    """Ask again: what the real scheduler does not always say is no difference."""
    answers = [expected, *oracle.ask(program, [case] * _MORE)]
    failed = [one["error"] for one in answers if one.get("stage") == UNUSABLE]
    agreed = None if failed else oracle.agreed(answers)
    if agreed is None:
        found.leave_out(case, "flaky", failed[0] if failed else _varying(answers))
    elif compare(case, agreed):
        found.counts["different"] += 1
        found.differing.append(case)


def _varying(answers: Sequence[Json]) -> str:
    """Return in which fields the real scheduler contradicts itself."""
    first, *others = answers
    fields = {difference.field for other in others for difference in differences(first, other)}
    return f"the real scheduler itself varies in {', '.join(sorted(fields)) or 'unknown fields'}"


def shrunk(program: str, case: Json) -> Json:
    """Return a small case that shows a difference of the same fields."""

    def fields(candidate: Json, expected: Json) -> set[str]:
        return {difference.field for difference in compare(candidate, expected)}

    wanted = fields(case, oracle.ask(program, [case])[0])

    def shows(candidates: Sequence[Json]) -> list[bool]:
        return [
            expected.get("stage") not in {UNUSABLE, "object"}
            and bool(fields(candidate, expected) & wanted)
            for candidate, expected in zip(candidates, oracle.ask(program, candidates), strict=True)
        ]

    return shrink(case, shows)


def write(program: str, case: Json, folder: Path) -> None:
    """Write a shrunk case with both answers, and print where they part."""
    small = shrunk(program, case)
    expected = oracle.ask(program, [small])[0]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{case['name']}.json"
    content = {"case": small, "expect": expected, "actual": ours(small, expected)}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"difference in {case['name']}, shrunk to {path}:")
    for difference in compare(small, expected)[:3]:
        print(f"  {difference.where} {difference.field}")
        print(f"    expected {json.dumps(difference.expected)[:600]}")
        print(f"    actual   {json.dumps(difference.actual)[:600]}")


def batches(families: Sequence[str], seed: int, count: int) -> Iterator[tuple[str, int, range]]:
    """Share ``count`` cases out among the families, batch by batch in turn."""
    start = 0
    while count > 0:
        for family in families:
            size = min(BATCH, count)
            if size <= 0:
                return
            yield family, seed, range(start, start + size)
            count -= size
        start += BATCH


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison; return 1 if anything differed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--oracle", help="the recorder's decide program")
    parser.add_argument("--recorder", help="the recorder's folder, to build it with Go")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--most", type=int, default=5, help="differences to shrink before stopping")
    parser.add_argument("--out", type=Path, default=Path("differences"))
    options = parser.parse_args(arguments)
    if not options.oracle and not options.recorder:
        parser.error("give --oracle or --recorder")
    program = options.oracle or oracle.build(options.recorder)
    print(
        f"asked: {options.count} cases, seed {options.seed}, families {options.families};"
        f" answered by engine {SETTINGS.engine}, held against {program}",
        flush=True,
    )
    total = _run(program, options)
    print(dict(sorted(total.counts.items())))
    for reason, count in total.reasons.most_common():
        print(f"left out {count} x {reason} (as {total.examples[reason]})")
    for case in total.differing:
        print(f"different: {case['name']}", flush=True)
    for case in total.differing[: options.most]:
        write(program, case, options.out)
    return 1 if total.differing else 0


def _run(program: str, options: argparse.Namespace) -> Found:
    total, began, told = Found(), time.monotonic(), 0.0
    work = batches(options.families.split(","), options.seed, options.count)
    with ProcessPoolExecutor(options.jobs) as pool:
        running: set[Future[Found]] = set()
        for batch in work:
            running.add(pool.submit(run_batch, program, *batch))
            while len(running) >= options.jobs * 2:
                running = _collect(running, total)
            if time.monotonic() - told > 30:
                told = time.monotonic()
                print(f"{told - began:.0f} s: {dict(total.counts)}", file=sys.stderr, flush=True)
            if len(total.differing) >= options.most:
                break
        while running:
            running = _collect(running, total)
    return total


def _collect(running: set[Future[Found]], total: Found) -> set[Future[Found]]:
    done, left = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        found = future.result()
        total.counts += found.counts
        total.reasons += found.reasons
        total.examples = {**found.examples, **total.examples}
        total.differing += found.differing
    return left


if __name__ == "__main__":
    sys.exit(main())
