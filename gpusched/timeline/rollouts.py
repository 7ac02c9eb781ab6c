"""``kubectl rollout restart, undo, pause, resume``.

Source: kubernetes/kubectl pkg/cmd/rollout, pkg/polymorphichelpers/rollback.go, v0.36.1
"""

from typing import Any

from gpusched.controllers.protocol import Json
from gpusched.controllers.rollout import HISTORY, REVISION, revision_of
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.kinds import Kind
from gpusched.timeline.answers import Work, key_in, kind_named, said, targets
from gpusched.timeline.arguments import Arguments, UsageError

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_HASH = "pod-template-hash"


def rollout(plane: ControlPlane, given: Arguments) -> Work:
    """Restart, undo, pause or resume rollouts."""
    action, rest = given.words[0], given.with_words(given.words[1:])
    out = []
    found_targets = targets(rest) or _all_of(plane, rest)
    if not found_targets:
        return {**said(""), "stderr": f"No resources found in {given.namespace} namespace.\n"}
    for kind, name in found_targets:
        key = key_in(kind, name, given)
        found = plane.api.read(kind.name, *key)
        if action == "restart":
            notes = {"kubectl.kubernetes.io/restartedAt": plane.store.stamp()}
            body: Json = {"spec": {"template": {"metadata": {"annotations": notes}}}}
            plane.api.patch(kind.name, key, body)
            done = "restarted"
        elif action == "undo":
            done = _undo(plane, found, int(given.flag("to-revision") or 0))
        elif action in ("pause", "resume"):
            body = {"spec": {"paused": True if action == "pause" else None}}
            plane.api.patch(kind.name, key, body)
            done = f"{action}d"
        else:
            raise UsageError(f"error: unknown command {action!r}\n")
        out.append(f"{kind.singular}/{name} {done}\n")
        yield
    return said("".join(out))


def _all_of(plane: ControlPlane, given: Arguments) -> list[tuple[Kind, str]]:
    """Return every object of the kind that a command names without a name."""
    kind = kind_named(given.words[0])
    objects = plane.api.read_all(kind.name, given.namespace)
    return [(kind, obj["metadata"]["name"]) for obj in objects]


def _undo(plane: ControlPlane, found: Json, revision: int) -> str:
    """Put a former ReplicaSet's template back."""
    former = _former(plane, found, revision)
    template = former["spec"]["template"]
    labels = template["metadata"].get("labels") or {}
    bare = {name: value for name, value in labels.items() if name != _HASH}
    template = {**template, "metadata": {**template["metadata"], "labels": bare}}
    if template == found["spec"]["template"]:
        same = f"current template already matches revision {revision_of(former)}"
        return f"skipped rollback ({same})"
    body: Any = [
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": _notes(found, former)},
    ]
    key = (found["metadata"]["namespace"], found["metadata"]["name"])
    plane.api.patch(found["kind"], key, body, "json")
    return "rolled back"


def _former(plane: ControlPlane, found: Json, revision: int) -> Json:
    sets = sorted(plane.store.owned("ReplicaSet", found["metadata"]["uid"]), key=revision_of)
    wanted = [item for item in sets if revision_of(item) == revision] if revision else sets[-2:-1]
    if wanted:
        return wanted[0]
    raise UsageError(_no_history(found["metadata"]["name"], revision))


def _no_history(name: str, revision: int) -> str:
    if revision:
        return f"error: unable to find specified revision {revision} in history\n"
    return f'error: no rollout history found for deployment "{name}"\n'


def _notes(found: Json, former: Json) -> Json:
    """Return the annotations of a Deployment that goes back to a former ReplicaSet."""
    theirs = former["metadata"].get("annotations") or {}
    own = found["metadata"].get("annotations") or {}
    skipped = (REVISION, HISTORY)
    notes = {
        name: value
        for name, value in theirs.items()
        if name not in skipped and "deployment.kubernetes.io" not in name
    }
    return notes | {name: own[name] for name in (REVISION, _LAST_APPLIED) if name in own}
