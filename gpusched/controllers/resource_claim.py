"""Resource claims: made from templates for pods, given up by pods that have ended, and deleted.

Not modelled: claims of pod groups. What upstream's garbage collector does with the claims of a pod
that is gone is done here.

Source: kubernetes/kubernetes pkg/controller/resourceclaim/controller.go, v1.36.1
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from gpusched.controllers.interest import PodInterest
from gpusched.controllers.protocol import (
    ApiError,
    Change,
    Controller,
    Create,
    Delete,
    Emit,
    Json,
    Key,
    Outcome,
    PodView,
    Read,
    Reader,
    Update,
    UpdateStatus,
    Wake,
    Work,
)

FINALIZER = "resource.kubernetes.io/delete-protection"
ENTRY = "resource.kubernetes.io/pod-claim-name"
"""Annotation of a generated claim: the entry of the pod's spec that it is for."""
_KIND = "ResourceClaim"
_TEMPLATE = "ResourceClaimTemplate"
_LONGEST_PREFIX = 57
_OF_ALLOCATION = ("allocation", "reservedFor", "devices")


class ResourceClaimController:
    """Makes and frees the claims of pods.

    Its keys are ``Pod`` or ``ResourceClaim`` and ``namespace/name``.
    """

    name: ClassVar[str] = "resource_claim"
    watches: ClassVar[tuple[str, ...]] = ("Pod", _KIND, _TEMPLATE)
    pods: ClassVar[tuple[PodInterest, ...]] = (
        PodInterest(field="resourceClaims", before=False),
        PodInterest(beside=_KIND, before=False),
    )
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 50
    pace: ClassVar[int] = 1

    def __init__(self) -> None:
        self._users: dict[tuple[str, str, str], dict[Key, None]] = {}
        self._told: dict[str, dict[str, str]] = {}

    # What concerns whom.

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return a pod that lacks claims, the claims that a pod gives up, and changed claims."""
        if change.kind == "Pod":
            return self._of_pod(change, reader)
        users = self._users.get((change.kind, *change.key), ())
        wakes = [Wake(_item("Pod", key)) for key in users]
        if change.kind == _KIND and change.verb != "DELETED":
            wakes.insert(0, Wake(_item(_KIND, change.key)))
        owner = _owning_pod(change.new)
        if owner is not None:
            wakes.append(Wake(_item("Pod", (change.key[0], owner["name"]))))
        return wakes

    def _of_pod(self, change: Change, reader: Reader) -> Iterable[Wake]:
        pod: PodView = change.new
        entries = pod.spec.get("resourceClaims") or ()
        gone = change.verb == "DELETED"
        done = gone or _is_done(pod)
        if not entries and not done:
            return ()
        owned = [
            (pod.namespace, claim["metadata"]["name"]) for claim in reader.owned(_KIND, pod.uid)
        ]
        if not entries and not owned:
            return ()
        self._keep_index(change, entries)
        named = [
            (pod.namespace, entry["resourceClaimName"])
            for entry in entries
            if entry.get("resourceClaimName")
        ]
        wakes = [Wake(_item(_KIND, key)) for key in (*named, *owned)] if done else []
        if entries and pod.deletion is None and not done:
            wakes.append(Wake(_item("Pod", change.key)))
        return wakes

    def _keep_index(self, change: Change, entries: Iterable[Mapping[str, str]]) -> None:
        """Remember which pods use a claim or a template by its name."""
        if change.verb == "MODIFIED":
            return
        for entry in entries:
            for kind, field in (
                (_KIND, "resourceClaimName"),
                (_TEMPLATE, "resourceClaimTemplateName"),
            ):
                if not entry.get(field):
                    continue
                users = self._users.setdefault((kind, change.key[0], entry[field]), {})
                if change.verb == "ADDED":
                    users[change.key] = None
                else:
                    users.pop(change.key, None)
        if change.verb == "DELETED":
            self._told.pop(change.new.uid, None)

    def sync(self, key: Key, reader: Reader) -> Work:
        """Give a pod its claims, or a claim its due."""
        namespace, _, name = key[1].partition("/")
        if key[0] == "Pod":
            return (yield from self._sync_pod((namespace, name), reader))
        yield from self._sync_claim((namespace, name), reader)
        return None

    # Pods.

    def _sync_pod(self, key: Key, reader: Reader) -> Work:
        pod = reader.pod(*key)
        if pod is None or pod.deletion is not None or _is_done(pod):
            return None
        names: dict[str, str] = {}
        for entry in _from_templates(pod):
            try:
                names[entry["name"]] = yield from self._generated(pod, entry, reader)
            except _TemplateMissingError as problem:
                yield _failure(pod, f"PodResourceClaim {entry['name']}: {problem}")
                return Outcome(retry=True)
            except ApiError as refusal:
                text = f"create ResourceClaim : {refusal.message}"
                yield _failure(pod, f"PodResourceClaim {entry['name']}: {text}")
                return Outcome(retry=True)
        if names and self._told.get(pod.uid) != names:
            yield from self._tell(pod, names)
        if pod.node:
            yield from self._reserve(pod, names, reader)
        return None

    def _generated(self, pod: PodView, entry: Json, reader: Reader) -> Any:
        """Return the name of the claim that was made for an entry; make it if need be."""
        for claim in reader.owned(_KIND, pod.uid):
            if (claim["metadata"].get("annotations") or {}).get(ENTRY) == entry["name"]:
                return claim["metadata"]["name"]
        name = entry["resourceClaimTemplateName"]
        template = reader.get(_TEMPLATE, pod.namespace, name)
        if template is None:
            raise _TemplateMissingError(name)
        made = yield Create(_claim_from(template, pod, entry["name"]))
        return made["metadata"]["name"]

    def _tell(self, pod: PodView, names: Mapping[str, str]) -> Any:
        """Write the claims' names into the pod's status."""
        manifest = yield Read("Pod", (pod.namespace, pod.name))
        statuses = [{"name": entry, "resourceClaimName": name} for entry, name in names.items()]
        status = {**manifest["status"], "resourceClaimStatuses": statuses}
        yield UpdateStatus(manifest, status)
        self._told[pod.uid] = dict(names)

    def _reserve(self, pod: PodView, names: Mapping[str, str], reader: Reader) -> Any:
        """Reserve what is allocated for a pod that came to its node past the scheduler."""
        for entry in pod.spec.get("resourceClaims") or ():
            name = entry.get("resourceClaimName") or names.get(entry["name"], "")
            claim = reader.get(_KIND, pod.namespace, name)
            status = (claim or {}).get("status") or {}
            reserved = status.get("reservedFor") or []
            if claim is None or not status.get("allocation") or _is_among(reserved, pod):
                continue
            consumer = {"resource": "pods", "name": pod.name, "uid": pod.uid}
            yield UpdateStatus(claim, {**status, "reservedFor": [*reserved, consumer]})

    # Claims.

    def _sync_claim(self, key: Key, reader: Reader) -> Any:
        claim = reader.get(_KIND, *key)
        if claim is None:
            return
        status = claim.get("status") or {}
        consumers = status.get("reservedFor") or []
        left = [each for each in consumers if _still_uses(each, key[0], reader)]
        protected = FINALIZER in (claim["metadata"].get("finalizers") or ())
        if len(left) < len(consumers):
            claim = yield UpdateStatus(claim, _released(status, left, free=protected))
            if protected and not (claim.get("status") or {}).get("allocation"):
                claim = yield Update(_unprotected(claim))
        elif protected and claim["metadata"].get("deletionTimestamp") and not left:
            if status.get("allocation"):
                claim = yield UpdateStatus(claim, _released(status, left, free=True))
            claim = yield Update(_unprotected(claim))
        if not left and _is_orphaned(claim, reader) and reader.get(_KIND, *key) is not None:
            yield Delete(_KIND, [key])


class _TemplateMissingError(Exception):
    """A pod names a template that is not there."""

    def __init__(self, name: str) -> None:
        what = f'resourceclaimtemplate.resource.k8s.io "{name}" not found'
        super().__init__(f'resource claim template "{name}": {what}')


def _item(kind: str, key: Key) -> Key:
    return kind, f"{key[0]}/{key[1]}"


def _is_done(pod: PodView) -> bool:
    """Return whether no container of a pod runs, nor ever will."""
    return pod.phase in ("Succeeded", "Failed") or (pod.deletion is not None and not pod.node)


def _from_templates(pod: PodView) -> Iterator[Json]:
    for entry in pod.spec.get("resourceClaims") or ():
        if entry.get("resourceClaimTemplateName"):
            yield entry


def _claim_from(template: Json, pod: PodView, entry: str) -> Json:
    spec = template["spec"]
    given = spec.get("metadata") or {}
    owner = {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid}
    metadata = {
        "generateName": claim_prefix(pod.name, entry),
        "namespace": pod.namespace,
        "labels": given.get("labels") or {},
        "annotations": {**(given.get("annotations") or {}), ENTRY: entry},
        "ownerReferences": [{**owner, "controller": True}],
    }
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": _KIND,
        "metadata": {name: value for name, value in metadata.items() if value},
        "spec": spec.get("spec") or {},
    }


def claim_prefix(pod: str, entry: str) -> str:
    """Return the prefix of a generated claim's name; both parts are shortened if it is too long.

    >>> claim_prefix("train", "gpu")
    'train-gpu-'
    """
    prefix = f"{pod}-{entry}-"
    if len(prefix) <= _LONGEST_PREFIX:
        return prefix
    first = pod[: len(pod) * _LONGEST_PREFIX // len(prefix)]
    shorter = first + "-"
    return shorter + entry[: len(entry) * _LONGEST_PREFIX // len(prefix)]


def _failure(pod: PodView, text: str) -> Emit:
    regarding = {
        "kind": "Pod",
        "namespace": pod.namespace,
        "name": pod.name,
        "uid": pod.uid,
        "apiVersion": "v1",
    }
    return Emit(regarding, "Warning", "FailedResourceClaimCreation", text)


def _owning_pod(claim: Json) -> Json | None:
    for owner in claim["metadata"].get("ownerReferences") or ():
        if owner.get("controller") and (owner["apiVersion"], owner["kind"]) == ("v1", "Pod"):
            return dict(owner)
    return None


def _is_orphaned(claim: Json, reader: Reader) -> bool:
    """Return whether the pod for which a claim was made will not use it."""
    owner = _owning_pod(claim)
    if owner is None or claim["metadata"].get("deletionTimestamp"):
        return False
    pod = reader.pod(claim["metadata"]["namespace"], owner["name"])
    return pod is None or pod.uid != owner["uid"] or _is_done(pod)


def _is_among(consumers: Iterable[Json], pod: PodView) -> bool:
    return any(each["uid"] == pod.uid for each in consumers)


def _still_uses(consumer: Json, namespace: str, reader: Reader) -> bool:
    """Return whether an entry of ``reservedFor`` is valid; what is no pod is left alone."""
    if consumer.get("apiGroup") or consumer["resource"] != "pods":
        return True
    pod = reader.pod(namespace, consumer["name"])
    return pod is not None and pod.uid == consumer["uid"] and not _is_done(pod)


def _released(status: Json, left: list[Json], *, free: bool) -> Json:
    """Return the status without the consumers that went; the last one takes the devices along."""
    if left:
        return {**status, "reservedFor": left}
    dropped = _OF_ALLOCATION if free else ("reservedFor",)
    return {name: value for name, value in status.items() if name not in dropped}


def _unprotected(claim: Json) -> Json:
    metadata = dict(claim["metadata"])
    metadata["finalizers"] = [name for name in metadata["finalizers"] if name != FINALIZER]
    if not metadata["finalizers"]:
        del metadata["finalizers"]
    return {**claim, "metadata": metadata}


_: Controller = ResourceClaimController()
