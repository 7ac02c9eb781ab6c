"""kubectl's verbs as the recordings use them, with its words and its exit statuses.

Only what changes objects; what prints them (get, describe) is asked of a printer that a caller may give.

Source: kubernetes/kubectl pkg/cmd, v0.36.1
"""

import shlex
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

from gpusched.controllers.protocol import ApiError
from gpusched.controllers.rollout import HISTORY, REVISION, revision_of
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete, evict
from gpusched.sim.kinds import KINDS, Kind, find_kind
from gpusched.sim.pod import Json
from gpusched.timeline.apply import apply_manifest
from gpusched.timeline.arguments import Arguments, UsageError, parse_arguments
from gpusched.timeline.manifests import check_fields, read_manifests

Answer = Callable[[Json], None]
Work = Generator[None, None, Json]
"""A command under way: yields after each request, returns exit status and texts."""
Printer = Callable[[Sequence[str], ControlPlane], Json]
_FORCED = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated."
    " The resource may continue to run on the cluster indefinitely.\n"
)
_EVICT_AGAIN = 5 * SECOND


def no_printer(words: Sequence[str], plane: ControlPlane) -> Json:
    """Answer what is only printed with nothing."""
    del words, plane
    return {"rc": 0, "stdout": "", "stderr": ""}


class Kubectl:
    """kubectl.

    Args:
        plane: The control plane that it talks to.
        printer: Answers get, describe and whatever else only prints.
    """

    def __init__(self, plane: ControlPlane, printer: Printer = no_printer) -> None:
        self._plane = plane
        self._api = plane.api
        self._store = plane.store
        self._printer = printer
        self._verbs: Mapping[str, Callable[[Arguments], Work]] = {
            "apply": self._apply,
            "create": self._create,
            "delete": self._delete,
            "scale": self._scale,
            "cordon": lambda given: self._cordon(given, desired=True),
            "uncordon": lambda given: self._cordon(given, desired=False),
            "taint": self._taint,
            "label": self._label,
            "rollout": self._rollout,
        }

    def run(self, line: str, stdin: str, answer: Answer) -> None:
        """Run a command line and answer with exit status and texts, at once or when it is through."""
        words = shlex.split(line)
        if words[0] == "drain":
            self._advance(self._drain(parse_arguments(words[1:], stdin), answer), lambda _: None)
            return
        verb = self._verbs.get(words[0])
        if words[0] == "version":
            answer(_said("Client Version: v1.36.1\nKustomize Version: v5.8.1\n"))
            return
        if verb is None:
            answer(self._printer(words, self._plane))
            return
        self._advance(verb(parse_arguments(words[1:], stdin)), answer)

    def _advance(self, work: Work, answer: Answer) -> None:
        """Let a command go on until its next request."""
        try:
            next(work)
        except StopIteration as stop:
            answer(stop.value)
        except ApiError as refusal:
            answer(_failed(_server_error(refusal)))
        except UsageError as error:
            answer(_failed(str(error)))
        else:
            loop = self._plane.loop
            loop.at(loop.now + self._plane.latency.user, self._advance, work, answer)

    # --- manifests -------------------------------------------------------------------------------------------------

    def _apply(self, given: Arguments) -> Work:
        return self._each_manifest(given, "apply", lambda obj: apply_manifest(self._api, obj))

    def _create(self, given: Arguments) -> Work:
        def create(obj: Json) -> str:
            self._api.create(obj)
            return "created"

        return self._each_manifest(given, "create", create)

    def _each_manifest(self, given: Arguments, verb: str, act: Callable[[Json], str]) -> Work:
        out, err, rc = [], [], 0
        for obj in read_manifests(given, verb):
            kind = KINDS[obj["kind"]]
            try:
                warnings = check_fields(obj, given.flag("validate") or "true")
                err += [f"Warning: {warning}\n" for warning in warnings]
                out.append(f"{kind.singular}/{obj['metadata'].get('name', '')} {act(obj)}\n")
            except ApiError as refusal:
                err.append(_server_error(refusal, 'error when creating "STDIN": '))
                rc = 1
            yield
        return {"rc": rc, "stdout": "".join(out), "stderr": "".join(err)}

    # --- objects by name -------------------------------------------------------------------------------------------

    def _targets(self, given: Arguments) -> Iterator[tuple[Kind, str]]:
        """Yield the objects that the words name: ``KIND NAME…`` or ``KIND/NAME…``."""
        words = given.words
        if words and "/" not in words[0]:
            kind = _kind(words[0])
            yield from ((kind, name) for name in words[1:])
            return
        for word in words:
            spelling, _, name = word.partition("/")
            yield _kind(spelling), name

    def _key(self, kind: Kind, name: str, given: Arguments) -> tuple[str, str]:
        return (given.namespace if kind.namespaced else "", name)

    def _delete(self, given: Arguments) -> Work:
        grace = given.flag("grace-period")
        forced = given.flag("force") == "true"
        out, err = [], [_FORCED] if forced else []
        rc = 0
        for kind, name in self._targets(given):
            try:
                delete(self._store, kind.name, self._key(kind, name, given), int(grace) if grace else None, _cascade(given))
            except ApiError as refusal:
                err.append(_server_error(refusal))
                rc = 1
                continue
            place = f" from {given.namespace} namespace" if kind.namespaced else ""
            out.append(f'{kind.singular} "{name}" {"force " if forced else ""}deleted{place}\n')
            yield
        return {"rc": rc, "stdout": "".join(out), "stderr": "".join(err)}

    def _scale(self, given: Arguments) -> Work:
        out = []
        for kind, name in self._targets(given):
            self._api.scale(kind.name, self._key(kind, name, given), int(given.flag("replicas") or 0))
            out.append(f"{kind.singular}/{name} scaled\n")
            yield
        return _said("".join(out))

    def _cordon(self, given: Arguments, *, desired: bool) -> Work:
        out = []
        for name in _node_names(given):
            node = self._api.read("Node", "", name)
            already = bool((node.get("spec") or {}).get("unschedulable")) == desired
            if not already:
                self._api.patch("Node", ("", name), {"spec": {"unschedulable": True if desired else None}})
            out.append(f"node/{name} {'already ' if already else ''}{'cordoned' if desired else 'uncordoned'}\n")
            yield
        return _said("".join(out))

    def _label(self, given: Arguments) -> Work:
        kind = _kind(given.words[0])
        names, changes = _split_changes(given.words[1:], "=")
        out = []
        for name in names:
            key = self._key(kind, name, given)
            labels = self._api.read(kind.name, *key)["metadata"].get("labels") or {}
            wanted = {change.rstrip("-"): None for change in changes if change.endswith("-")}
            values = dict(change.split("=", 1) for change in changes if not change.endswith("-"))
            clash = next((label for label in values if label in labels and labels[label] != values[label]), None)
            if clash is not None and given.flag("overwrite") != "true":
                return _failed(f"error: '{clash}' already has a value ({labels[clash]}), and --overwrite is false\n")
            self._api.patch(kind.name, key, {"metadata": {"labels": {**wanted, **values}}}, "merge")
            out.append(_label_report(kind, name, labels, values, wanted))
            yield
        return _said("".join(out))

    def _taint(self, given: Arguments) -> Work:
        names, changes = _split_changes(given.words[1:], "=:")
        out = []
        for name in names:
            node = self._api.read("Node", "", name)
            kept, added, removed = _tainted(list((node.get("spec") or {}).get("taints") or ()), changes, given)
            self._api.patch("Node", ("", name), {"spec": {"taints": kept or None}})
            verb = "modified" if added and removed else "tainted" if added else "untainted"
            out.append(f"node/{name} {verb}\n")
            yield
        return _said("".join(out))

    # --- rollouts --------------------------------------------------------------------------------------------------

    def _rollout(self, given: Arguments) -> Work:
        action, rest = given.words[0], given.with_words(given.words[1:])
        out = []
        for kind, name in self._targets(rest):
            key = self._key(kind, name, given)
            found = self._api.read(kind.name, *key)
            if action == "restart":
                note = {"kubectl.kubernetes.io/restartedAt": self._store.stamp()}
                self._api.patch(kind.name, key, {"spec": {"template": {"metadata": {"annotations": note}}}})
                out.append(f"{kind.singular}/{name} restarted\n")
            elif action == "undo":
                out.append(f"{kind.singular}/{name} {self._undo(found, int(given.flag('to-revision') or 0))}\n")
            elif action in ("pause", "resume"):
                self._api.patch(kind.name, key, {"spec": {"paused": True if action == "pause" else None}})
                out.append(f"{kind.singular}/{name} {action}d\n")
            else:
                raise UsageError(f"error: unknown command {action!r}\n")
            yield
        return _said("".join(out))

    def _undo(self, found: Json, revision: int) -> str:
        """Put a former ReplicaSet's template back."""
        sets = sorted(self._store.owned("ReplicaSet", found["metadata"]["uid"]), key=revision_of)
        wanted = [item for item in sets if revision_of(item) == revision] if revision else sets[-2:-1]
        if not wanted:
            text = f"unable to find specified revision {revision} in history" if revision else "no rollout history found"
            raise UsageError(f"error: {text} for deployment {found['metadata']['name']!r}\n")
        template = wanted[0]["spec"]["template"]
        labels = {name: value for name, value in (template["metadata"].get("labels") or {}).items() if name != "pod-template-hash"}
        template = {**template, "metadata": {**template["metadata"], "labels": labels}}
        if template == found["spec"]["template"]:
            return f"skipped rollback (current template already matches revision {revision_of(wanted[0])})"
        notes = (wanted[0]["metadata"].get("annotations") or {}).items()
        kept = {name: value for name, value in notes if name not in (REVISION, HISTORY) and "deployment.kubernetes.io" not in name}
        own = found["metadata"].get("annotations") or {}
        kept |= {name: own[name] for name in (REVISION, "kubectl.kubernetes.io/last-applied-configuration") if name in own}
        body: Any = [
            {"op": "replace", "path": "/spec/template", "value": template},
            {"op": "replace", "path": "/metadata/annotations", "value": kept},
        ]
        self._api.patch(found["kind"], (found["metadata"]["namespace"], found["metadata"]["name"]), body, "json")
        return "rolled back"

    # --- drain -----------------------------------------------------------------------------------------------------

    def _drain(self, given: Arguments, answer: Answer) -> Work:
        """Cordon a node and evict its pods; those whose budget forbids it again every 5 s."""
        said = []
        for name in _node_names(given):
            try:
                cordoned = yield from self._cordon(given.with_words([name]), desired=True)
            except ApiError as refusal:
                answer(_failed(_server_error(refusal)))
                return {}
            said.append(cordoned["stdout"])
        Drain(self._plane, given, "".join(said), answer).begin()
        return {}


class Drain:
    """One ``kubectl drain`` under way.

    Args:
        plane: The control plane.
        given: The command's words and flags.
        said: What it has said so far.
        answer: Whom to tell the end.
    """

    def __init__(self, plane: ControlPlane, given: Arguments, said: str, answer: Answer) -> None:
        self._plane = plane
        self._given = given
        self._out = [said]
        self._err: list[str] = []
        self._answer = answer
        self._left: dict[tuple[str, str], int] = {}
        self._evicted: dict[tuple[str, str], int] = {}
        self._deadline = _timeout(given, plane.loop.now)

    def begin(self) -> None:
        """Say what stays and evict the rest."""
        (name, *_) = _node_names(self._given)
        pods = [pod for pod in self._plane.store.pods_on(name)]
        kept = [pod for pod in pods if pod.owner is not None and pod.owner[0] == "DaemonSet"]
        if kept and self._given.flag("ignore-daemonsets") != "true":
            names = ", ".join(f"{pod.namespace}/{pod.name}" for pod in kept)
            text = f"cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): {names}"
            self._fail(name, text)
            return
        bare = [pod for pod in pods if pod.owner is None and not pod.terminal]
        if bare and self._given.flag("force") != "true":
            names = ", ".join(f"{pod.namespace}/{pod.name}" for pod in bare)
            self._fail(name, f"cannot delete Pods that declare no controller (use --force to override): {names}")
            return
        if kept:
            self._err.append(f"Warning: ignoring DaemonSet-managed Pods: {', '.join(f'{p.namespace}/{p.name}' for p in kept)}\n")
        self._left = {pod.key: pod.serial for pod in pods if pod not in kept}
        self._plane.store.watch("Pod", lambda _: self._look())
        for key in list(self._left):
            self._evict(key)
        self._look()

    def _fail(self, name: str, text: str) -> None:
        words = f'error: unable to drain node "{name}" due to error: {text}, continuing command...\n'
        words += f"There are pending nodes to be drained:\n {name}\n{text}\n"
        self._answer({"rc": 1, "stdout": "".join(self._out), "stderr": words})

    def _evict(self, key: tuple[str, str]) -> None:
        pod = self._plane.store.pod(*key)
        if pod is None or pod.serial != self._left.get(key):
            return
        if key not in self._evicted:
            self._out.append(f"evicting pod {key[0]}/{key[1]}\n")
        try:
            evict(self._plane.store, key)
            self._evicted[key] = pod.serial
        except ApiError as refusal:
            again = self._plane.loop.now + _EVICT_AGAIN
            if self._deadline is not None and again > self._deadline:
                return
            text = f'error when evicting pods/"{key[1]}" -n "{key[0]}" (will retry after 5s): {refusal.message}\n'
            self._err.append(text)
            self._plane.loop.at(again, self._evict, key)

    def _look(self) -> None:
        """Report the pods that have gone, and the end when all have."""
        for key, serial in list(self._left.items()):
            pod = self._plane.store.pod(*key)
            if pod is None or pod.serial != serial:
                del self._left[key]
                self._out.append(f"pod/{key[1]} evicted\n")
        if not self._left and self._answer is not None:
            (name, *_) = _node_names(self._given)
            self._out.append(f"node/{name} drained\n")
            answer, self._answer = self._answer, lambda _: None
            answer({"rc": 0, "stdout": "".join(self._out), "stderr": "".join(self._err)})


def _timeout(given: Arguments, now: int) -> int | None:
    text = given.flag("timeout")
    return now + int(float(text.removesuffix("s")) * SECOND) if text else None


def _kind(spelling: str) -> Kind:
    found = find_kind(spelling)
    if found is None:
        raise UsageError(f'error: the server doesn\'t have a resource type "{spelling}"\n')
    return found


def _cascade(given: Arguments) -> str:
    return {"foreground": "Foreground", "orphan": "Orphan"}.get(given.flag("cascade") or "", "Background")


def _node_names(given: Arguments) -> list[str]:
    return [word.removeprefix("node/") for word in given.words]


def _split_changes(words: Sequence[str], marks: str) -> tuple[list[str], list[str]]:
    changes = [word for word in words if word.endswith("-") or any(mark in word for mark in marks)]
    return [word for word in words if word not in changes], changes


def _label_report(kind: Kind, name: str, had: Json, values: Json, removed: Json) -> str:
    missing = [f'label "{label}" not found.\n' for label in removed if label not in had]
    changed = any(had.get(label) != value for label, value in values.items())
    gone = any(label in had for label in removed)
    verb = "labeled" if changed else "unlabeled" if gone else "not labeled"
    return "".join(missing) + f"{kind.singular}/{name} {verb}\n"


def _tainted(taints: list[Json], changes: Sequence[str], given: Arguments) -> tuple[list[Json], int, int]:
    """Return the taints after the changes, and how many were added and removed."""
    added = removed = 0
    for change in changes:
        if change.endswith("-"):
            key, _, effect = change.rstrip("-").partition(":")
            key = key.partition("=")[0]
            kept = [item for item in taints if item["key"] != key or (effect and item["effect"] != effect)]
            if len(kept) == len(taints):
                suffix = f":{effect}" if effect else ""
                raise UsageError(f'error: taint "{key}{suffix}" not found\n')
            removed += len(taints) - len(kept)
            taints = kept
            continue
        pair, _, effect = change.partition(":")
        key, _, value = pair.partition("=")
        same = [item for item in taints if item["key"] == key and item["effect"] == effect]
        if same and given.flag("overwrite") != "true":
            raise UsageError(f"error: node {given.words[1]} already has {key} taint(s) with same effect(s) and --overwrite is false\n")
        new = {"key": key, **({"value": value} if value else {}), "effect": effect}
        taints = [item for item in taints if item not in same] + [new]
        added += 1
    return taints, added, removed


def _said(text: str) -> Json:
    return {"rc": 0, "stdout": text, "stderr": ""}


def _failed(text: str) -> Json:
    return {"rc": 1, "stdout": "", "stderr": text}


def _server_error(refusal: ApiError, when: str = "") -> str:
    """Return a refusal as kubectl prints it: invalid objects as a list, everything else with its reason."""
    if refusal.reason == "Invalid" and refusal.causes:
        kind, _, rest = refusal.message.partition(" ")
        head = f"{kind.partition('.')[0]} {rest.partition(' is invalid: ')[0]} is invalid: "
        causes = dict.fromkeys(refusal.causes)
        listed = next(iter(causes)) if len(causes) == 1 else "\n" + "\n".join(f"* {cause}" for cause in causes)
        return f"The {head}{listed}\n"
    return f"Error from server ({refusal.reason}): {when}{refusal.message}\n"
