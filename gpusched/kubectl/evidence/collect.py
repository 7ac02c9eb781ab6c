"""The evidence files: one command each, its line first, then what it printed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gpusched.kubectl.fields import name_of, text
from gpusched.kubectl.run import run
from gpusched.kubectl.view import View, listing, lookup

NAMESPACE: Final = "gpu-demo"
_FILES: Final = (
    ("nodes", "kubectl get nodes -o wide --show-labels"),
    ("nodes-describe", "kubectl describe nodes"),
    ("pods-all", "kubectl get pods -A -o wide"),
    ("pods-gpu-demo", f"kubectl get pods -n {NAMESPACE} -o wide"),
    ("pending-pods", "kubectl get pods -A --field-selector=status.phase=Pending -o wide"),
    ("events", "kubectl get events -A --sort-by=.lastTimestamp"),
    (
        "gpu-allocatable",
        (
            "kubectl get nodes -o custom-columns=NAME:.metadata.name,"
            "GPU_ALLOC:.status.allocatable.nvidia\\.com/gpu,"
            "GPU_CAP:.status.capacity.nvidia\\.com/gpu"
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """One file of the folder.

    Attributes:
        name: E.g. ``nodes.txt``.
        command: The command, as a shell would take it.
        text: The whole file.
        failed: Whether the command ended with an error.
    """

    name: str
    command: str
    text: str
    failed: bool


def collect(view: View) -> list[EvidenceFile]:
    """Return the lesson's evidence files, in the order in which they are written."""
    return [_captured(view, name, command) for name, command in _commands(view)]


def _commands(view: View) -> Iterator[tuple[str, str]]:
    yield from _FILES
    if lookup(view, "Namespace", "", NAMESPACE) is None:
        return
    for pod in listing(view, "Pod", NAMESPACE):
        if text(pod, "status", "phase") == "Pending":
            name = name_of(pod)
            yield f"describe-pod-{name}", f"kubectl describe pod -n {NAMESPACE} {name}"


def _captured(view: View, name: str, command: str) -> EvidenceFile:
    outcome = run(view, command.split(" "))
    printed = f"$ {command}\n\n{outcome.stdout}{outcome.stderr}"
    return EvidenceFile(f"{name}.txt", command, printed, outcome.exit_status != 0)


def console(folder: str, files: Sequence[EvidenceFile], report: str) -> str:
    """Return what the collector says while it writes ``files`` into ``folder``.

    Args:
        folder: The evidence folder, as the user named it.
        files: What is written.
        report: Path of the report that refers to the folder.
    """
    lines = [f"Collecting Kubernetes evidence into {folder}"]
    for file in files:
        if file.failed:
            lines.append(f"  [WARN] command failed (captured anyway): {file.command}")
        lines.append(f"  wrote {file.name}")
    return "\n".join([*lines, f"Done. Reference this directory in {report}", ""])
