"""The table of pods; its STATUS column tells more than the phase.

Source: kubernetes/kubernetes pkg/printers/internalversion/printers.go printPod, v1.36.1
"""

from dataclasses import dataclass
from typing import Any

from gpusched.kubectl.ages import age, parse_time
from gpusched.kubectl.fields import JsonObject, dig, name_of, number, rows, text
from gpusched.kubectl.printers.cells import AGE, NAME
from gpusched.kubectl.table import Cells, Column, TableDefinition


@dataclass(slots=True)
class _Tally:
    """What a pass over container statuses finds."""

    status: str
    ready: int = 0
    restarts: int = 0
    last_restart: str = ""

    def count_restarts(self, container: JsonObject) -> None:
        self.restarts += number(container, "restartCount")
        finished = text(container, "lastState", "terminated", "finishedAt")
        ends = [time for time in (self.last_restart, finished) if time]
        self.last_restart = max(ends, key=parse_time, default="")


def _cells(pod: JsonObject, now: int) -> Cells:
    containers = rows(pod, "spec", "containers")
    sidecars = _sidecars(pod)
    tally, initializing = _init_containers(pod, sidecars, _first_status(pod))
    if not initializing or _condition(pod, "Initialized"):
        tally = _main_containers(pod, sidecars, tally)
    restarts = str(tally.restarts)
    if tally.restarts and tally.last_restart:
        restarts += f" ({age(tally.last_restart, now)} ago)"
    return [
        name_of(pod),
        f"{tally.ready}/{len(containers) + len(sidecars)}",
        _deleted_status(pod) or tally.status,
        restarts,
        age(dig(pod, "metadata", "creationTimestamp"), now),
        next((address["ip"] for address in rows(pod, "status", "podIPs")), "") or "<none>",
        text(pod, "spec", "nodeName") or "<none>",
        text(pod, "status", "nominatedNodeName") or "<none>",
        _readiness_gates(pod),
    ]


def _first_status(pod: JsonObject) -> str:
    """Return the status before any container is looked at."""
    gated = any(
        condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated"
        for condition in rows(pod, "status", "conditions")
    )
    if gated:
        return "SchedulingGated"
    return text(pod, "status", "reason") or text(pod, "status", "phase")


def _condition(pod: JsonObject, kind: str) -> bool:
    conditions = rows(pod, "status", "conditions")
    return any(c.get("type") == kind and c.get("status") == "True" for c in conditions)


def _sidecars(pod: JsonObject) -> set[str]:
    """Return the names of init containers that keep running."""
    init = rows(pod, "spec", "initContainers")
    return {container["name"] for container in init if container.get("restartPolicy") == "Always"}


def _init_containers(pod: JsonObject, sidecars: set[str], status: str) -> tuple[_Tally, bool]:
    """Return the tally of init containers, and whether one is still (or badly) at work."""
    tally = _Tally(status)
    for i, container in enumerate(rows(pod, "status", "initContainerStatuses")):
        tally.count_restarts(container)
        started = container["name"] in sidecars and container.get("started")
        terminated = dig(container, "state", "terminated")
        if terminated is not None and not number(terminated, "exitCode"):
            continue
        if started:
            tally.ready += bool(container.get("ready"))
            continue
        tally.status = _init_status(pod, container, i)
        return tally, True
    return tally, False


def _init_status(pod: JsonObject, container: JsonObject, index: int) -> str:
    terminated = dig(container, "state", "terminated")
    if terminated is not None:
        return f"Init:{_termination(terminated)}"
    waiting = text(container, "state", "waiting", "reason")
    if waiting and waiting != "PodInitializing":
        return f"Init:{waiting}"
    return f"Init:{index}/{len(rows(pod, 'spec', 'initContainers'))}"


def _termination(terminated: JsonObject) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if number(terminated, "signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{number(terminated, 'exitCode')}"


def _main_containers(pod: JsonObject, sidecars: set[str], init: _Tally) -> _Tally:
    """Return the tally of the main containers, which takes over from the init containers."""
    tally, running, error = _Tally(init.status, init.ready), False, ""
    for container in rows(pod, "status", "initContainerStatuses"):
        if container["name"] in sidecars:
            tally.count_restarts(container)
    for container in reversed(rows(pod, "status", "containerStatuses")):
        tally.count_restarts(container)
        terminated = dig(container, "state", "terminated")
        if waiting := text(container, "state", "waiting", "reason"):
            tally.status = waiting
        elif terminated is not None:
            tally.status = _termination(terminated)
            error = tally.status if number(terminated, "exitCode") else error
        elif container.get("ready") and dig(container, "state", "running") is not None:
            running = True
            tally.ready += 1
    if tally.status == "Completed":
        tally.status = _after_completion(pod, running=running, error=error)
    return tally


def _after_completion(pod: JsonObject, *, running: bool, error: str) -> str:
    """Return the status of a pod of which at least one container has completed."""
    if running and _condition(pod, "Ready"):
        return "Running"
    if error:
        return error
    return "NotReady" if running else "Completed"


def _deleted_status(pod: JsonObject) -> str:
    if not dig(pod, "metadata", "deletionTimestamp"):
        return ""
    if text(pod, "status", "reason") == "NodeLost":
        return "Unknown"
    finished = text(pod, "status", "phase") in ("Succeeded", "Failed")
    return "" if finished else "Terminating"


def _readiness_gates(pod: JsonObject) -> str:
    gates: list[Any] = rows(pod, "spec", "readinessGates")
    if not gates:
        return "<none>"
    return f"{sum(_condition(pod, gate['conditionType']) for gate in gates)}/{len(gates)}"


POD = TableDefinition(
    (
        NAME, Column("Ready"), Column("Status"), Column("Restarts"), AGE,
        Column("IP", wide=True), Column("Node", wide=True), Column("Nominated Node", wide=True),
        Column("Readiness Gates", wide=True),
    ),
    _cells,
)  # fmt: skip
