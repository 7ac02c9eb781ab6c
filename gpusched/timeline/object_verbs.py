"""``kubectl apply, create, delete, scale``.

Source: kubernetes/kubectl pkg/cmd/{apply,create,delete,scale}, v0.36.1
"""

from collections.abc import Callable, Iterable

from gpusched.controllers.protocol import ApiError, Json, Key
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete as delete_object
from gpusched.sim.kinds import KINDS, Kind
from gpusched.timeline.answers import Work, chosen, key_in, server_error, told
from gpusched.timeline.apply import apply_manifest, lacks_note
from gpusched.timeline.arguments import Arguments, UsageError
from gpusched.timeline.manifests import check_fields, read_manifests

_FORCED = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has"
    " been terminated. The resource may continue to run on the cluster indefinitely.\n"
)
_UNNOTED = (
    "Warning: resource {} is missing the kubectl.kubernetes.io/last-applied-configuration"
    " annotation which is required by kubectl apply. kubectl apply should only be used on resources"
    " created declaratively by either kubectl create --save-config or kubectl apply. The missing"
    " annotation will be patched automatically.\n"
)
_LOOK_AGAIN = SECOND // 100
"""kubectl watches the objects that it waits for: how often we look instead."""
_NOT_FOUND = 404
_CASCADES = {"foreground": "Foreground", "orphan": "Orphan"}


def apply(plane: ControlPlane, given: Arguments) -> Work:
    """Apply the manifests of standard input."""
    warned: list[str] = []

    def put(obj: Json) -> str:
        bare = lacks_note(plane.api, obj)
        done = apply_manifest(plane.api, obj)
        if bare:
            name = f"{KINDS[obj['kind']].resource}/{obj['metadata']['name']}"
            warned.append(_UNNOTED.format(name))
        return done

    answer = yield from _each_manifest(given, "apply", put)
    return {**answer, "stderr": "".join(warned) + answer["stderr"]}


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
        yield None
    return {"rc": rc, "stdout": "".join(out), "stderr": "".join(err)}


def delete(plane: ControlPlane, given: Arguments) -> Work:
    """Delete objects and wait until they have gone."""
    forced, grace = _grace(given)
    cascade = _CASCADES.get(given.flag("cascade") or "", "Background")
    out, errors, gone = [], [], []
    when = 'error when deleting "STDIN": ' if given.flag("filename") else ""
    doomed = _doomed(plane, given)
    for kind, key in doomed:
        try:
            gone.append((kind.name, key, _uid(plane, kind.name, key)))
            delete_object(plane.store, kind.name, key, grace, cascade)
        except ApiError as refusal:
            if refusal.code != _NOT_FOUND or not given.switch("ignore-not-found"):
                errors.append(server_error(refusal, when).rstrip("\n"))
            continue
        place = f" from {key[0]} namespace" if kind.namespaced else ""
        verb = "force deleted" if grace == 0 else "deleted"
        out.append(f'{kind.singular} "{key[1]}" {verb}{place}\n')
        yield None
    while not errors and given.flag("wait") != "false" and _stand(plane, gone):
        yield _LOOK_AGAIN
    if not doomed:
        out.append("No resources found\n")
    return told(out, errors, [_FORCED] if forced and grace == 0 else [])


def _grace(given: Arguments) -> tuple[bool, int | None]:
    """Return whether a deletion is forced, and its grace period; None is the object's own."""
    forced = given.switch("force")
    grace = 1 if given.switch("now") else int(given.flag("grace-period") or -1)
    if forced and grace < 0:
        return forced, 0
    if not forced and grace == 0:
        return forced, 1
    return forced, None if grace < 0 else grace


def _doomed(plane: ControlPlane, given: Arguments) -> list[tuple[Kind, Key]]:
    if given.flag("filename"):
        metas = [(KINDS[obj["kind"]], obj["metadata"]) for obj in read_manifests(given, "delete")]
        return [(kind, (meta.get("namespace", ""), meta["name"])) for kind, meta in metas]
    return [(kind, key_in(kind, name, given)) for kind, name in chosen(plane, given)]


def _uid(plane: ControlPlane, kind: str, key: Key) -> str:
    return str(plane.api.read(kind, *key)["metadata"]["uid"])


def _stand(plane: ControlPlane, gone: Iterable[tuple[str, Key, str]]) -> bool:
    """Return whether some of the deleted objects are still there."""
    for kind, key, uid in gone:
        try:
            if _uid(plane, kind, key) == uid:
                return True
        except ApiError:
            continue
    return False


def scale(plane: ControlPlane, given: Arguments) -> Work:
    """Set the size of workloads."""
    out: list[str] = []
    errors, sizes = [], []
    for kind, name in chosen(plane, given):
        key = key_in(kind, name, given)
        try:
            sizes.append((kind, key, plane.api.read(kind.name, *key)["spec"].get("replicas")))
        except ApiError as refusal:
            errors.append(server_error(refusal).rstrip("\n"))
    if not sizes and not errors:
        raise UsageError("error: no objects passed to scale\n")
    expected = int(given.flag("current-replicas") or -1)
    for kind, key, size in sizes:
        if expected not in (-1, size):
            return told(out, [f"Expected replicas to be {expected}, was {size}"])
        plane.api.scale(kind.name, key, int(given.flag("replicas") or 0))
        out.append(f"{kind.singular}/{key[1]} scaled\n")
        yield None
    return told(out, errors)
