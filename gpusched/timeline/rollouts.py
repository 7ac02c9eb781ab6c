"""``kubectl rollout restart, undo, pause, resume``.

Source: kubernetes/kubectl pkg/cmd/rollout, pkg/polymorphichelpers/rollback.go, v0.36.1
"""

from typing import Any, Final

from gpusched.controllers.protocol import ApiError, Json, Key
from gpusched.controllers.revisions import revision_data
from gpusched.controllers.rollout import HISTORY, REVISION, revision_of
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.kinds import Kind
from gpusched.timeline.answers import Work, chosen, key_in, kind_named, said, server_error, told
from gpusched.timeline.apply import LAST_APPLIED
from gpusched.timeline.arguments import Arguments, UsageError

_HASH = "pod-template-hash"
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_ROLLED = ("DaemonSet", "Deployment", "StatefulSet")
_SKIPPED = "skipped rollback (current template already matches revision {})"
_NO_REVISION = "unable to find specified revision {} in history"
_PAUSED = (
    "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try"
    " again"
)
_APPLIED = (
    "Warning: resource {} was previously managed with 'kubectl apply'. Rolling back will not update"
    " the {} annotation, which may cause unexpected behavior on future 'kubectl apply' operations."
    " Consider using 'kubectl apply' with your previous configuration file instead.\n"
)


def rollout(plane: ControlPlane, given: Arguments) -> Work:
    """Restart, undo, pause or resume rollouts."""
    action, rest = given.words[0], given.with_words(given.words[1:])
    found_targets = chosen(plane, rest) or _all_of(plane, rest)
    if not found_targets:
        return {**said(""), "stderr": f"No resources found in {given.namespace} namespace.\n"}
    act = _ACTIONS[action]
    out: list[str] = []
    warnings: list[str] = []
    errors: list[str] = []
    for kind, name in found_targets:
        try:
            found = plane.api.read(kind.name, *key_in(kind, name, given))
            if action == "undo" and LAST_APPLIED in (found["metadata"].get("annotations") or {}):
                warnings.append(_APPLIED.format(f"{kind.resource}/{name}", LAST_APPLIED))
            done = act(plane, kind, found, given)
        except ApiError as refusal:
            errors.append(server_error(refusal).rstrip("\n"))
            continue
        except UsageError as refusal:
            errors.append(str(refusal))
            continue
        out.append(f"{kind.singular}/{name} {done}\n")
        yield None
    return told(out, errors, warnings)


def _all_of(plane: ControlPlane, given: Arguments) -> list[tuple[Kind, str]]:
    """Return every object of the kind that a command names without a name."""
    kind = kind_named(given.words[0])
    objects = plane.api.read_all(kind.name, given.namespace)
    return [(kind, obj["metadata"]["name"]) for obj in objects]


def _restart(plane: ControlPlane, kind: Kind, found: Json, _: Arguments) -> str:
    if kind.name not in _ROLLED:
        raise _refused(kind, found, "restarting is not supported")
    if found["spec"].get("paused"):
        why = "can't restart paused deployment (run rollout resume first)"
        raise _refused(kind, found, why)
    now = plane.store.stamp()
    notes = (found["spec"]["template"].get("metadata") or {}).get("annotations") or {}
    if notes.get(_RESTARTED) == now:
        raise UsageError(
            f"failed to create patch for {found['metadata']['name']}: if restart has already been"
            " triggered within the past second, please wait before attempting to trigger another"
        )
    body = {"spec": {"template": {"metadata": {"annotations": {_RESTARTED: now}}}}}
    plane.api.patch(kind.name, _key(found), body)
    return "restarted"


def _pause(plane: ControlPlane, kind: Kind, found: Json, _: Arguments) -> str:
    if kind.name != "Deployment":
        raise _refused(kind, found, "pausing is not supported")
    if found["spec"].get("paused"):
        raise _refused(kind, found, "is already paused")
    plane.api.patch(kind.name, _key(found), {"spec": {"paused": True}})
    return "paused"


def _resume(plane: ControlPlane, kind: Kind, found: Json, _: Arguments) -> str:
    if kind.name != "Deployment":
        raise _refused(kind, found, "resuming is not supported")
    if not found["spec"].get("paused"):
        raise _refused(kind, found, "is not paused")
    plane.api.patch(kind.name, _key(found), {"spec": {"paused": None}})
    return "resumed"


def _refused(kind: Kind, found: Json, why: str) -> UsageError:
    return UsageError(f'error: {kind.qualified} "{found["metadata"]["name"]}" {why}')


def _key(found: Json) -> Key:
    return found["metadata"]["namespace"], found["metadata"]["name"]


def _undo(plane: ControlPlane, kind: Kind, found: Json, given: Arguments) -> str:
    if kind.name not in _ROLLED:
        raise UsageError(f'no rollbacker has been implemented for "{_grouped(kind)}"')
    revision = int(given.flag("to-revision") or 0)
    if kind.name == "Deployment":
        return _undo_deployment(plane, found, revision)
    return _undo_set(plane, kind, found, revision)


def _grouped(kind: Kind) -> str:
    return f"{kind.name}.{kind.group}" if kind.group else kind.name


def _undo_set(plane: ControlPlane, kind: Kind, found: Json, revision: int) -> str:
    """Put a StatefulSet's or DaemonSet's former template back."""
    owned = plane.store.owned("ControllerRevision", found["metadata"]["uid"])
    history = sorted(owned, key=lambda item: int(item["revision"]))
    if not revision and len(history) < 2:  # noqa: PLR2004 - the present one and a former one
        raise UsageError("no last revision to roll back to")
    wanted = [it for it in history if it["revision"] == revision] if revision else history[-2:-1]
    if not wanted:
        raise UsageError(_NO_REVISION.format(revision))
    if wanted[0]["data"] == revision_data(found["spec"]["template"]):
        return _SKIPPED.format(revision)
    plane.api.patch(kind.name, _key(found), wanted[0]["data"])
    return "rolled back"


def _undo_deployment(plane: ControlPlane, found: Json, revision: int) -> str:
    """Put a former ReplicaSet's template back."""
    former = _former(plane, found, revision)
    if found["spec"].get("paused"):
        raise UsageError(_PAUSED)
    template = former["spec"]["template"]
    labels = template["metadata"].get("labels") or {}
    bare = {name: value for name, value in labels.items() if name != _HASH}
    template = {**template, "metadata": {**template["metadata"], "labels": bare}}
    if template == found["spec"]["template"]:
        return _SKIPPED.format(revision)
    body: Any = [
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": _notes(found, former)},
    ]
    plane.api.patch(found["kind"], _key(found), body, "json")
    return "rolled back"


def _former(plane: ControlPlane, found: Json, revision: int) -> Json:
    sets = sorted(plane.store.owned("ReplicaSet", found["metadata"]["uid"]), key=revision_of)
    wanted = [item for item in sets if revision_of(item) == revision] if revision else sets[-2:-1]
    if wanted:
        return wanted[0]
    if revision:
        raise UsageError(_NO_REVISION.format(revision))
    name = found["metadata"]["name"]
    raise UsageError(f'no rollout history found for deployment "{name}"')


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
    return notes | {name: own[name] for name in (REVISION, LAST_APPLIED) if name in own}


_ACTIONS: Final = {"pause": _pause, "restart": _restart, "resume": _resume, "undo": _undo}
