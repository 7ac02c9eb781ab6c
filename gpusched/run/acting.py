"""Carrying out a scenario's actions on a control plane, in kubectl's manner and words."""

import json
import shlex
from collections.abc import Callable
from typing import Any

from gpusched.api.scenario import (
    Apply,
    Cordon,
    Create,
    Delete,
    Drain,
    Kubectl,
    KwokStart,
    KwokStop,
    Label,
    Patch,
    Scale,
    Taint,
    Uncordon,
)
from gpusched.controllers.protocol import ApiError
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete
from gpusched.sim.kinds import Kind, find_kind
from gpusched.sim.pod import Json
from gpusched.timeline.apply import apply_manifest
from gpusched.timeline.kubectl import Kubectl as KubectlRunner

Report = Callable[[str, bool], None]
"""(text, whether it is a refusal) -> None"""


class Actor:
    """Plays actions.

    Args:
        plane: The control plane.
        report: Is told what each action did, or why it was refused.
    """

    def __init__(self, plane: ControlPlane, report: Report) -> None:
        self._plane = plane
        self._report = report
        self._kubectl = KubectlRunner(plane)
        self._actions: dict[type, Callable[[Any], None]] = {
            Apply: self._apply,
            Create: self._create,
            Delete: self._delete,
            Scale: self._scale,
            Patch: self._patch,
            Cordon: lambda a: self._line("cordon", *a.nodes),
            Uncordon: lambda a: self._line("uncordon", *a.nodes),
            Drain: self._drain,
            Taint: self._taint,
            Label: self._label,
            Kubectl: self._run_kubectl,
            KwokStop: lambda a: self._kubelet(a.name).stop(),
            KwokStart: lambda a: self._kubelet(a.name).start(),
        }

    def carry_out(self, action: object) -> None:
        """Carry out one action now; a refusal is reported, not raised."""
        try:
            self._actions[type(action)](action)
        except ApiError as refusal:
            self._report(f"Error from server ({refusal.reason}): {refusal.message}", True)

    def _apply(self, action: Apply) -> None:
        for manifest in action.manifests:
            self._one(manifest.object, lambda obj: apply_manifest(self._plane.api, obj))

    def _create(self, action: Create) -> None:
        for manifest in action.manifests:
            self._one(manifest.object, self._created)

    def _created(self, obj: Json) -> str:
        self._plane.api.create(obj)
        return "created"

    def _one(self, obj: Json, act: Callable[[Json], str]) -> None:
        """Act on one manifest; one refusal does not stop the next manifest."""
        kind = _kind(str(obj.get("kind")))
        meta = dict(obj.get("metadata") or {})
        if kind.namespaced:
            meta.setdefault("namespace", "default")
        name = meta.get("name") or meta.get("generateName", "")
        try:
            done = act(json.loads(json.dumps({**obj, "metadata": meta})))
            self._report(f"{kind.singular}/{name} {done}", False)
        except ApiError as refusal:
            self._report(f"{kind.singular}/{name}: {refusal.message}", True)

    def _delete(self, action: Delete) -> None:
        kind, key = _target(action)
        grace, policy = action.grace_period_seconds, action.propagation_policy
        delete(self._plane.store, kind.name, key, grace, policy or "Background")
        self._report(f'{kind.singular} "{action.name}" deleted', False)

    def _scale(self, action: Scale) -> None:
        kind, key = _target(action)
        self._plane.api.scale(kind.name, key, action.replicas)
        self._report(f"{kind.singular}/{action.name} scaled", False)

    def _patch(self, action: Patch) -> None:
        kind, key = _target(action)
        self._plane.api.patch(kind.name, key, action.patch, action.type, action.subresource or "")
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

    def _run_kubectl(self, action: Kubectl) -> None:
        self._kubectl.run(action.arguments, action.stdin or "", self._answer)

    def _line(self, *words: str) -> None:
        self._kubectl.run(shlex.join(words), "", self._answer)

    def _answer(self, result: Json) -> None:
        for line in str(result["stdout"]).splitlines():
            self._report(line, False)
        for line in str(result["stderr"]).splitlines():
            self._report(line, result["rc"] != 0)

    def _kubelet(self, name: str) -> Any:
        kubelet = self._plane.kubelets.get(name)
        if kubelet is None:
            raise ApiError(404, "NotFound", f'kwok controller "{name}" not found')
        return kubelet


def _kind(spelling: str) -> Kind:
    kind = find_kind(spelling)
    if kind is None:
        raise ApiError(404, "NotFound", f'the server doesn\'t have a resource type "{spelling}"')
    return kind


def _target(action: Delete | Scale | Patch) -> tuple[Kind, tuple[str, str]]:
    kind = _kind(action.kind)
    namespace = (action.namespace or "default") if kind.namespaced else ""
    return kind, (namespace, action.name)
