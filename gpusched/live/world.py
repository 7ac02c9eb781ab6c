"""A real cluster as a world in which a scenario's actions are carried out."""

import os
import shlex
import shutil
import subprocess
from typing import Any, Final

from gpusched.controllers.protocol import Key
from gpusched.live.cluster import Cluster, ClusterError
from gpusched.sim.pod import Json
from gpusched.timeline.answers import Answer
from gpusched.timeline.apply import apply_manifest

_KUBECTL_MINUTES: Final = 5


class ClusterWorld:
    """See `gpusched.run.world.World`.

    Args:
        cluster: The cluster.
        kwok: A command that ``stop NAME`` or ``start NAME`` is put behind.
    """

    def __init__(self, cluster: Cluster, kwok: str) -> None:
        self._cluster = cluster
        self._kwok = kwok

    def create(self, obj: Json) -> None:
        """See `World`."""
        self._cluster.create(obj)

    def apply(self, obj: Json) -> str:
        """See `World`."""
        return apply_manifest(self._cluster, obj)

    def delete(self, kind: str, key: Key, grace: int | None, policy: str) -> None:
        """See `World`."""
        self._cluster.delete(kind, key, grace, policy)

    def patch(self, kind: str, key: Key, patch: Any, form: str, subresource: str) -> None:
        """See `World`."""
        self._cluster.patch(kind, key, patch, form, subresource)

    def kubectl(self, line: str, stdin: str, answer: Answer) -> None:
        """Run the real kubectl; it talks to the same context and sees no other configuration.

        Raises:
            ClusterError: It is not installed.
        """
        words = shlex.split(line)
        program = shutil.which("kubectl")
        if program is None:
            raise ClusterError(f"kubectl {words[0]}: kubectl is not installed")
        place = ["--context", self._cluster.context]
        if self._cluster.kubeconfig:
            place += ["--kubeconfig", os.fspath(self._cluster.kubeconfig)]
        done = subprocess.run(  # noqa: S603 - the user's own command, without a shell
            [program, *place, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_KUBECTL_MINUTES * 60,
            check=False,
        )
        answer({"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr})

    def start_kwok(self, name: str) -> None:
        """See `World`."""
        self._run_kwok("start", name)

    def stop_kwok(self, name: str) -> None:
        """See `World`."""
        self._run_kwok("stop", name)

    def _run_kwok(self, verb: str, name: str) -> None:
        """Run the command that stops and starts KWOK.

        Raises:
            ClusterError: It fails.
        """
        done = subprocess.run([*shlex.split(self._kwok), verb, name], check=False)  # noqa: S603 - the user's own command
        if done.returncode:
            raise ClusterError(f"{self._kwok} {verb} {name}: exit status {done.returncode}")
