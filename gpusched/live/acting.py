"""Carrying out a scenario's actions on a real cluster, in the words of `run.acting`."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from gpusched.api.scenario import (
    Apply,
    Cordon,
    Create,
    Delete,
    Drain,
    Kubectl,
    Label,
    Patch,
    Scale,
    Taint,
    Uncordon,
)
from gpusched.controllers.protocol import ApiError, Key
from gpusched.live.cluster import Cluster, ClusterError
from gpusched.run.acting import Report
from gpusched.sim.api import Api
from gpusched.sim.kinds import KINDS, Kind, find_kind
from gpusched.sim.pod import Json
from gpusched.timeline.apply import apply_manifest

_KUBECTL_MINUTES: Final = 5


class LiveActor:
    """Plays actions.

    Args:
        cluster: Where.
        report: Is told what each action did, or why it was refused.
    """

    def __init__(self, cluster: Cluster, report: Report) -> None:
        self._cluster = cluster
        self._report = report
        self._actions: dict[type, Callable[[Any], None]] = {
            Apply: lambda a: self._each(a.manifests, self._applied),
            Create: lambda a: self._each(a.manifests, self._created),
            Delete: self._delete,
            Scale: self._scale,
            Patch: self._patch,
            Cordon: lambda a: self._line("cordon", *a.nodes),
            Uncordon: lambda a: self._line("uncordon", *a.nodes),
            Drain: self._drain,
            Taint: self._taint,
            Label: self._label,
            Kubectl: lambda a: self._kubectl(shlex.split(a.arguments), a.stdin or ""),
        }

    def carry_out(self, action: object) -> None:
        """Carry out one action now; a refusal is reported, not raised."""
        try:
            self._actions[type(action)](action)
        except ApiError as refusal:
            self._report(f"Error from server ({refusal.reason}): {refusal.message}", True)

    def _each(self, manifests: Sequence[Any], act: Callable[[Json], str]) -> None:
        for manifest in manifests:
            obj: Json = json.loads(json.dumps(manifest.object))
            kind = _kind(obj["kind"])
            name = obj["metadata"].get("name") or obj["metadata"].get("generateName", "")
            try:
                self._report(f"{kind.singular}/{name} {act(obj)}", False)
            except ApiError as refusal:
                self._report(f"{kind.singular}/{name}: {refusal.message}", True)

    def _created(self, obj: Json) -> str:
        self._cluster.create(obj)
        return "created"

    def _applied(self, obj: Json) -> str:
        # Applying asks for read, create and patch only, which the cluster has in the same form.
        return apply_manifest(cast("Api", self._cluster), obj)

    def _delete(self, action: Delete) -> None:
        kind, key = _target(action)
        policy = action.propagation_policy or "Background"
        self._cluster.delete(kind.name, key, action.grace_period_seconds, policy)
        self._report(f'{kind.singular} "{action.name}" deleted', False)

    def _scale(self, action: Scale) -> None:
        kind, key = _target(action)
        change = {"spec": {"replicas": action.replicas}}
        self._cluster.patch(kind.name, key, change, "merge", "scale")
        self._report(f"{kind.singular}/{action.name} scaled", False)

    def _patch(self, action: Patch) -> None:
        kind, key = _target(action)
        self._cluster.patch(kind.name, key, action.patch, action.type, action.subresource or "")
        self._report(f"{kind.singular}/{action.name} patched", False)

    def _drain(self, action: Drain) -> None:
        flags = [f"--ignore-daemonsets={str(action.ignore_daemon_sets).lower()}"]
        flags.append(f"--delete-emptydir-data={str(action.delete_empty_dir_data).lower()}")
        flags.append(f"--force={str(action.force).lower()}")
        if action.grace_period_seconds is not None:
            flags.append(f"--grace-period={action.grace_period_seconds}")
        self._line("drain", *action.nodes, *flags)

    def _taint(self, action: Taint) -> None:
        flags = ["--overwrite"] if action.overwrite else []
        self._line("taint", "nodes", *action.nodes, *action.taints, *flags)

    def _label(self, action: Label) -> None:
        changes = [
            f"{key}-" if value is None else f"{key}={value}" for key, value in action.labels.items()
        ]
        place = ["-n", action.namespace] if action.namespace else []
        self._line("label", action.kind, *action.names, *changes, "--overwrite", *place)

    def _line(self, *words: str) -> None:
        self._kubectl(words, "")

    def _kubectl(self, words: Sequence[str], stdin: str) -> None:
        """Run the real kubectl; it talks to the same context and sees no other configuration."""
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
        for line in done.stdout.splitlines():
            self._report(line, False)
        for line in done.stderr.splitlines():
            self._report(line, done.returncode != 0)


def _kind(spelling: str) -> Kind:
    kind = KINDS.get(spelling) or find_kind(spelling)
    if kind is None:
        raise ApiError(404, "NotFound", f'the server doesn\'t have a resource type "{spelling}"')
    return kind


def _target(action: Delete | Scale | Patch) -> tuple[Kind, Key]:
    kind = _kind(action.kind)
    return kind, ((action.namespace or "default") if kind.namespaced else "", action.name)
