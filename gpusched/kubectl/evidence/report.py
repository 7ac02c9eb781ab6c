"""``local-simulation-report.md``: what was simulated, what came out, and what that proves."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gpusched.kubectl.ages import SECOND
from gpusched.kubectl.evidence.collect import NAMESPACE
from gpusched.kubectl.evidence.verdicts import Verdict, names_of_fleet, verdicts
from gpusched.kubectl.fields import text
from gpusched.kubectl.view import View, listing

REPORT_NAME: Final = "local-simulation-report.md"
_PROVES: Final = (
    (
        "The scheduler's decisions for this fleet: which pods are placed, which pods wait, "
        "and the reasons given for it, word for word."
    ),
    "How GPU requests, labels, taints and tolerations work together under the default scheduler.",
    "How a queue of pods fills a fleet, and what an operator sees of it with kubectl.",
)
_DOES_NOT_PROVE: Final = (
    "CUDA: no kernel ran, no container was started.",
    "Driver and container runtime: none is installed.",
    "NCCL: no collective was run.",
    "NVLink and NVSwitch: there is no topology between the simulated GPUs.",
    "MIG: no GPU was partitioned.",
    "GPUDirect RDMA: there is no network.",
    "GPU memory: none was allocated, none can run out.",
    "Real telemetry: any figure about a GPU is synthetic.",
)


@dataclass(frozen=True, slots=True)
class Environment:
    """Where the run took place, as the report's table says it.

    Attributes:
        evidence: The evidence folder, as the user named it.
        simulator: Name and version of the program.
        kubernetes: Release whose behaviour is mirrored.
        kwok: KWOK release whose stages are mirrored.
    """

    evidence: str
    simulator: str = "gpusched"
    kubernetes: str = "v1.36.1"
    kwok: str = "v0.7.0"

    def rows(self, now: int) -> list[tuple[str, str]]:
        """Return the rows of the table; ``now`` is the simulated instant."""
        date = datetime.fromtimestamp(now // SECOND, UTC)
        return [
            ("Date", f"{date:%Y-%m-%d %H:%M:%S} UTC (simulated)"),
            ("Host OS", f"none: simulated by {self.simulator}"),
            ("kind version", "not used: simulated control plane"),
            ("Kubernetes version", f"{self.kubernetes} (simulated)"),
            ("KWOK release", f"{self.kwok} (simulated)"),
            ("GPU layer", "extended resource nvidia.com/gpu (simulated)"),
            ("Evidence directory", f"`{self.evidence}`"),
        ]


def write_report(view: View, environment: Environment) -> str:
    """Return the report on the lesson's scenarios as they stand in ``view``."""
    results = verdicts(view)
    sections = (
        ("Environment", _table(("Item", "Value"), environment.rows(view.now))),
        ("Simulated fleet", _fleet(view)),
        ("Scenario results", _scenarios(view, results)),
        ("What this run proves", _bullets(_PROVES)),
        ("What this run does NOT prove", _bullets(_DOES_NOT_PROVE)),
        ("Notes / surprises", _notes(results)),
    )
    lines = [
        "# Local simulation report",
        "",
        (
            f"Source: a simulated run of {environment.simulator}. No GPU, driver or node was "
            "real; this report can never mark the real-hardware part complete."
        ),
    ]
    for title, content in sections:
        lines += ["", f"## {title}", "", *content]
    return "\n".join(lines) + "\n"


def _table(headings: Sequence[str], table: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for row in table:
        cells = (str(cell).replace("|", "\\|") for cell in row)
        yield f"| {' | '.join(cells)} |"


def _fleet(view: View) -> Iterator[str]:
    fleet = names_of_fleet(view)
    yield from _table(("Node", "Pool", "GPUs"), fleet)
    yield ""
    yield f"Total: {len(fleet)} nodes, {sum(gpus for _, _, gpus in fleet)} GPUs (simulated)."


def _scenarios(view: View, results: Sequence[Verdict]) -> Iterator[str]:
    headings = ("#", "Scenario", "Expected", "Observed", "Evidence file")
    yield from _table(
        headings,
        (
            (i, verdict.scenario, verdict.expected, _observed(verdict), f"`{verdict.evidence}`")
            for i, verdict in enumerate(results, 1)
        ),
    )
    phases = Counter(text(pod, "status", "phase") for pod in listing(view, "Pod", NAMESPACE))
    counted = ", ".join(f"{phases[phase]} {phase}" for phase in sorted(phases, reverse=True))
    yield ""
    yield f"Totals of namespace {NAMESPACE}: {counted or 'no pods'}."
    met = sum(verdict.met for verdict in results)
    yield ""
    yield f"Verdict: {met} of {len(results)} scenarios as expected (simulated)."


def _observed(verdict: Verdict) -> str:
    return f"{'as expected' if verdict.met else 'NOT as expected'}: {verdict.observed}"


def _bullets(sentences: Iterable[str]) -> list[str]:
    return [f"- {sentence}" for sentence in sentences]


def _notes(results: Sequence[Verdict]) -> list[str]:
    missed = [
        f"{verdict.scenario}: expected {verdict.expected}; observed {verdict.observed}."
        for verdict in results
        if not verdict.met
    ]
    return _bullets(missed or ["None: every scenario came out as expected."])
