"""``kubectl apply, create, delete, scale``.

Source: kubernetes/kubectl pkg/cmd/{apply,create,delete,scale}, v0.36.1
"""

from collections.abc import Callable

from gpusched.controllers.protocol import ApiError, Json
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete as delete_object
from gpusched.sim.kinds import KINDS
from gpusched.timeline.answers import Work, key_in, said, server_error, targets
from gpusched.timeline.apply import apply_manifest
from gpusched.timeline.arguments import Arguments
from gpusched.timeline.manifests import check_fields, read_manifests

_FORCED = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has"
    " been terminated. The resource may continue to run on the cluster indefinitely.\n"
)
_CASCADES = {"foreground": "Foreground", "orphan": "Orphan"}


def apply(plane: ControlPlane, given: Arguments) -> Work:
    """Apply the manifests of standard input."""
    return _each_manifest(given, "apply", lambda obj: apply_manifest(plane.api, obj))


def create(plane: ControlPlane, given: Arguments) -> Work:
    """Create the objects of standard input."""

    def post(obj: Json) -> str:
        plane.api.create(obj)
        return "created"

    return _each_manifest(given, "create", post)


def _each_manifest(given: Arguments, verb: str, act: Callable[[Json], str]) -> Work:
    out, err, rc = [], [], 0
    for obj in read_manifests(given, verb):
        try:
            warnings = check_fields(obj, given.flag("validate") or "true")
            err += [f"Warning: {warning}\n" for warning in warnings]
            name = obj["metadata"].get("name", "")
            out.append(f"{KINDS[obj['kind']].singular}/{name} {act(obj)}\n")
        except ApiError as refusal:
            err.append(server_error(refusal, 'error when creating "STDIN": '))
            rc = 1
        yield
    return {"rc": rc, "stdout": "".join(out), "stderr": "".join(err)}


def delete(plane: ControlPlane, given: Arguments) -> Work:
    """Delete objects by name."""
    grace, forced = given.flag("grace-period"), given.flag("force") == "true"
    seconds = None if grace is None or int(grace) < 0 else int(grace)
    cascade = _CASCADES.get(given.flag("cascade") or "", "Background")
    out, err, rc = [], [_FORCED] if forced else [], 0
    for kind, name in targets(given):
        key = key_in(kind, name, given)
        try:
            delete_object(plane.store, kind.name, key, seconds, cascade)
        except ApiError as refusal:
            err.append(server_error(refusal))
            rc = 1
            continue
        place = f" from {given.namespace} namespace" if kind.namespaced else ""
        verb = "force deleted" if forced else "deleted"
        out.append(f'{kind.singular} "{name}" {verb}{place}\n')
        yield
    return {"rc": rc, "stdout": "".join(out), "stderr": "".join(err)}


def scale(plane: ControlPlane, given: Arguments) -> Work:
    """Set the size of workloads."""
    out = []
    for kind, name in targets(given):
        plane.api.scale(kind.name, key_in(kind, name, given), int(given.flag("replicas") or 0))
        out.append(f"{kind.singular}/{name} scaled\n")
        yield
    return said("".join(out))
