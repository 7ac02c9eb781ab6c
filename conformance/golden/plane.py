"""The real parts under one timeline: a control plane, its scheduler, its KWOK processes.

Only what was started here is ended here.
"""

import json
import os
import socket
import subprocess
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from gpusched.timeline.script import Script

SCRIPT = Path(__file__).parents[1] / "recorder" / "controlplane.sh"
KWOK_FLAGS = ("--node-lease-duration-seconds", "40")
_PATIENCE = 20


class RealPlane:
    """A control plane for one recording.

    Args:
        script: The timeline.
        state: A folder for its files; it is removed at the end.
        kubernetes: The version.
    """

    def __init__(self, script: Script, state: Path, kubernetes: str) -> None:
        self.kubeconfig = state / "kubeconfig"
        self.scheduler_log = state / "moves.log"
        self._script = script
        self._state = state
        self._environment = {**os.environ, "KUBE_VERSION": kubernetes, "WITHOUT": "scheduler kwok"}
        self._programs = Path(self._run("where").strip())
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._port = 0

    def __enter__(self) -> "RealPlane":
        self._run("up", str(self._state))
        for name in self.kwok_names:
            self.start_kwok(name)
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._processes):
            self._end(name)
        self._run("down", str(self._state))

    @property
    def kwok_names(self) -> list[str]:
        """The KWOK processes of the timeline, by name."""
        return [name for name, _, _ in self._script.kwok] or ["kwok"]

    def start_kwok(self, name: str) -> None:
        """Start a KWOK process, with the timeline's arguments and stages."""
        known = {item[0]: item[1:] for item in self._script.kwok}
        arguments, stages = known.get(name, (("--manage-all-nodes",), ""))
        command = [
            str(self._programs / "kwok"),
            "--kubeconfig",
            str(self.kubeconfig),
            *arguments,
            *KWOK_FLAGS,
        ]
        if stages:
            path = self._state / f"{name}.yaml"
            path.write_text(stages, encoding="utf-8")
            command += ["--config", str(path)]
        self._start(name, command)

    def stop_kwok(self, name: str) -> None:
        """End a KWOK process."""
        self._end(name)

    def start_scheduler(self) -> None:
        """Start the scheduler with the timeline's configuration and flags, its moves in a log."""
        self._port = _free_port()
        config = self._state / "scheduler.yaml"
        config.write_text(self._configuration(), encoding="utf-8")
        command = [
            str(self._programs / "controlplane"), "scheduler", "--config", str(config), "-v", "5",
            "--secure-port", str(self._port), "--bind-address", "127.0.0.1",
            "--authorization-always-allow-paths", "/metrics", *self._script.scheduler_flags,
        ]  # fmt: skip
        self._start("scheduler", command, self.scheduler_log)

    def metrics(self) -> str:
        """Return the scheduler's metrics as it shows them."""
        import ssl

        context = ssl._create_unverified_context()  # noqa: S323 - its certificate is made up at each start
        url = f"https://127.0.0.1:{self._port}/metrics"
        with urllib.request.urlopen(url, timeout=_PATIENCE, context=context) as answer:
            text: str = answer.read().decode()
        return text

    def _configuration(self) -> str:
        lines = self._script.scheduler_config.splitlines() or [
            "apiVersion: kubescheduler.config.k8s.io/v1",
            "kind: KubeSchedulerConfiguration",
        ]
        ours = ("leaderElection:", "clientConnection:")
        kept = [line for line in lines if not line.startswith(ours)]
        client = {"kubeconfig": str(self.kubeconfig), "qps": 1000, "burst": 2000}
        return "\n".join(
            [
                *kept,
                "leaderElection: {leaderElect: false}",
                f"clientConnection: {json.dumps(client)}",
                "",
            ]
        )

    def _start(self, name: str, command: Sequence[str], log: Path | None = None) -> None:
        with (log or self._state / f"{name}.log").open("ab") as output:
            self._processes[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    def _end(self, name: str) -> None:
        process = self._processes.pop(name)
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [str(SCRIPT), *words],
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
    return port
