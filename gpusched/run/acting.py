"""Carrying out a scenario's actions in a world, in kubectl's manner and words."""

import json
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from gpusched.api.load import Manifest
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
from gpusched.controllers.protocol import ApiError, Key
from gpusched.run.world import World
from gpusched.sim.kinds import Kind, find_kind
from gpusched.sim.pod import Json

Report = Callable[[str, bool], None]
"""(text, whether it is a refusal) -> None"""


class Actor:
    """Plays actions.

    Args:
        world: Where.
        report: Is told what each action did, or why it was refused.
    """

    def __init__(self, world: World, report: Report) -> None:
        self._world = world
        self._report = report
        self._actions: dict[type, Callable[[Any], None]] = {
            Apply: lambda a: self._each(a.manifests, world.apply),
            Create: lambda a: self._each(a.manifests, self._created),
            Delete: self._delete,
            Scale: self._scale,
            Patch: self._patch,
            Cordon: lambda a: self._line("cordon", *a.nodes),
            Uncordon: lambda a: self._line("uncordon", *a.nodes),
            Drain: self._drain,
            Taint: self._taint,
            Label: self._label,
            Kubectl: lambda a: world.kubectl(a.arguments, a.stdin or "", self._answer),
            KwokStop: lambda a: world.stop_kwok(a.name),
            KwokStart: lambda a: world.start_kwok(a.name),
        }

    def carry_out(self, action: object) -> None:
        """Carry out one action now; a refusal is reported, not raised."""
        try:
            self._actions[type(action)](action)
        except ApiError as refusal:
            self._report(f"Error from server ({refusal.reason}): {refusal.message}", True)

    def _each(self, manifests: Sequence[Manifest], act: Callable[[Json], str]) -> None:
        """Act on manifests; one refusal does not stop the next one."""
        for manifest in manifests:
            obj: Json = json.loads(json.dumps(manifest.object))
            kind = _kind(str(obj.get("kind")))
            meta = obj["metadata"] = obj.get("metadata") or {}
            if kind.namespaced:
                meta.setdefault("namespace", "default")
            name = meta.get("name") or meta.get("generateName", "")
            try:
                self._report(f"{kind.singular}/{name} {act(obj)}", False)
            except ApiError as refusal:
                self._report(f"{kind.singular}/{name}: {refusal.message}", True)

    def _created(self, obj: Json) -> str:
        self._world.create(obj)
        return "created"

    def _delete(self, action: Delete) -> None:
        kind, key = _target(action)
        policy = action.propagation_policy or "Background"
        self._world.delete(kind.name, key, action.grace_period_seconds, policy)
        self._report(f'{kind.singular} "{action.name}" deleted', False)

    def _scale(self, action: Scale) -> None:
        kind, key = _target(action)
        change = {"spec": {"replicas": action.replicas}}
        self._world.patch(kind.name, key, change, "merge", "scale")
        self._report(f"{kind.singular}/{action.name} scaled", False)

    def _patch(self, action: Patch) -> None:
        kind, key = _target(action)
        self._world.patch(kind.name, key, action.patch, action.type, action.subresource or "")
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
        self._world.kubectl(shlex.join(words), "", self._answer)

    def _answer(self, result: Json) -> None:
        for line in str(result["stdout"]).splitlines():
            self._report(line, False)
        for line in str(result["stderr"]).splitlines():
            self._report(line, result["rc"] != 0)


def _kind(spelling: str) -> Kind:
    kind = find_kind(spelling)
    if kind is None:
        raise ApiError(404, "NotFound", f'the server doesn\'t have a resource type "{spelling}"')
    return kind


def _target(action: Delete | Scale | Patch) -> tuple[Kind, Key]:
    kind = _kind(action.kind)
    namespace = (action.namespace or "default") if kind.namespaced else ""
    return kind, (namespace, action.name)
