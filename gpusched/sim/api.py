"""The API server's verbs over the store.

Create, get, replace, patch, scale, each with its defaulting and admission.

A refusal is an `ApiError` with the server's words. Deleting and evicting are in `sim.deletion`.
This file must not know who calls, nor how long a call takes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpusched.api.admission import ClusterObjects
from gpusched.api.admission.tolerations import add_default_tolerations
from gpusched.api.create import refusal
from gpusched.api.defaulting import prepare_for_create, set_defaults
from gpusched.api.names import dns_subdomain
from gpusched.api.validation import FieldError, validate_object, validate_update
from gpusched.api.wire import DecodeError, decode, encode, is_known
from gpusched.controllers.protocol import ApiError, Key
from gpusched.controllers.references import owner_reference
from gpusched.sim import admission
from gpusched.sim.deletion import finish_if_unheld
from gpusched.sim.first_phase import with_first_phase
from gpusched.sim.kinds import KINDS, Kind
from gpusched.sim.manifest import manifest_of, pod_from
from gpusched.sim.names import NameSource
from gpusched.sim.patch import apply_patch
from gpusched.sim.pod import Json, Pod, PodTemplate
from gpusched.sim.pod_status import validate_status_update
from gpusched.sim.refusals import conflict, not_found, taken, unreadable
from gpusched.sim.siblings import MOST_CONTENTS, Pools, pod_content
from gpusched.sim.steps import bound, conditioned, phased, topology_labels, unfinalized
from gpusched.sim.store import Store

_NAME_RETRIES = 7
"""How often a made-up name that is taken is made up anew."""
_TEMPLATE_METADATA = ("labels", "annotations", "finalizers")
"""What an owner's pods take from the metadata of its template."""
_IDENTITY = (
    "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation",
    "namespace", "name",
)  # fmt: skip


class Api:
    """The verbs.

    Args:
        store: Where objects live.
        rng: The stream from which name suffixes are drawn.
    """

    def __init__(self, store: Store, rng: np.random.Generator) -> None:
        self.store = store
        self._names = NameSource(rng)
        self._templates: dict[str, tuple[int, Json, PodTemplate]] = {}
        self._contents: dict[bytes, tuple[int, PodTemplate]] = {}
        self._pools = Pools()
        self._targets: dict[str, tuple[Json | None, tuple[str, Any]]] = {}
        self._epoch = 0
        for kind in ("PriorityClass", "LimitRange", "Namespace"):
            store.watch(kind, lambda _: self._outdate())

    def _outdate(self) -> None:
        self._epoch += 1

    # --- reading ----------------------------------------------------------------------------------

    def read(self, kind: str, namespace: str, name: str) -> Json:
        """Return an object as JSON, or refuse with 404."""
        if kind == "Pod":
            return manifest_of(self._pod((namespace, name)), self.store.calendar)
        found = self.store.get(kind, namespace, name)
        if found is None:
            raise not_found(KINDS[kind], name)
        return found

    def read_all(self, kind: str, namespace: str = "") -> Sequence[Json]:
        """Return all objects of a kind as JSON, by namespace and name as etcd keeps them."""
        if kind == "Pod":
            found: list[Json] = [
                manifest_of(pod, self.store.calendar) for pod in self.store.pods(namespace)
            ]
        else:
            found = list(self.store.objects(kind, namespace))
        return sorted(
            found, key=lambda obj: (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        )

    def _pod(self, key: Key) -> Pod:
        pod = self.store.find(key)
        if pod is None:
            raise not_found(KINDS["Pod"], key[1])
        return pod

    # --- creating ---------------------------------------------------------------------------------

    def create(self, obj: Json) -> Json:
        """POST an object and return it as stored."""
        stored = self.post(obj)
        return manifest_of(stored, self.store.calendar) if isinstance(stored, Pod) else stored

    def post(self, obj: Json) -> Json | Pod:
        """POST an object; a pod comes back as the store holds it.

        Pods that differ by their name alone share one `PodTemplate`, such nodes all but metadata.
        """
        if obj.get("kind") == "Node":
            return self._post_node(obj)
        content = pod_content(obj)
        if content is None:
            return self._create(obj)
        known = self._contents.get(content)
        namespace, name = obj["metadata"].get("namespace") or "default", obj["metadata"]["name"]
        alone = self.store.find((namespace, name)) is None and not dns_subdomain(name)
        quota = self.store.objects("ResourceQuota", namespace)
        if known is not None and known[0] == self._epoch and alone and not quota:
            return self.store.add_pod(known[1], name)
        stored = self._create(obj)
        assert isinstance(stored, Pod)
        if len(self._contents) >= MOST_CONTENTS:
            self._contents.clear()
        self._contents[content] = (self._epoch, stored.template)
        return stored

    def _post_node(self, obj: Json) -> Json | Pod:
        made = self._pools.sibling(obj)
        if made is not None and self.store.get("Node", "", made["metadata"]["name"]) is None:
            return self.store.put(made)
        stored = self._create(obj)
        assert isinstance(stored, dict)
        self._pools.keep(obj, stored)
        return stored

    def _create(self, obj: Json) -> Json | Pod:
        obj = self._judged(obj)
        if obj["kind"] != "Pod":
            return self.store.put(obj)
        pod = pod_from(obj, None, self.store.calendar)
        return self.store.add_pod(pod.template, pod.name)

    def _judged(self, obj: Json) -> Json:
        """Return a new object as it will be stored, counted in its quotas, or refuse it."""
        kind = KINDS[obj["kind"]]
        given = obj.get("metadata") or {}
        namespace = (given.get("namespace") or "default") if kind.namespaced else ""
        obj = {**obj, "metadata": {**given, **({"namespace": namespace} if namespace else {})}}
        around = admission.surroundings(self.store, namespace)
        if is_known(kind.api_version, kind.name):
            obj = self._completed(kind, obj, around)
        name = obj["metadata"]["name"]
        found = (
            self.store.pod(namespace, name)
            if kind.name == "Pod"
            else self.store.get(kind.name, namespace, name)
        )
        if found is not None:
            raise taken(f'{kind.qualified} "{name}"', found)
        for quota in admission.charged(obj, around):
            self.store.put(quota)
        return obj

    def _completed(self, kind: Kind, obj: Json, around: ClusterObjects) -> Json:
        """Return an object decoded, defaulted, changed by admission, named and valid."""
        try:
            obj = decode(obj)
        except DecodeError as error:
            raise ApiError(400, "BadRequest", unreadable(obj, str(error))) from None
        uid = self.store.new_uid() if kind.name == "Job" else ""
        obj["metadata"] = {**obj.get("metadata", {}), "uid": uid}
        set_defaults(obj)
        obj = admission.admitted(obj, around)
        if not obj["metadata"].get("name") and obj["metadata"].get("generateName"):
            obj["metadata"]["name"] = self._names.complete(obj["metadata"]["generateName"])
        prepare_for_create(obj)
        _refuse_if(tuple(validate_object(obj)), obj)
        obj = encode(obj)
        obj["metadata"] = {
            field: value for field, value in obj["metadata"].items() if value not in ("", None)
        }
        return with_first_phase(obj, self.store.stamp())

    def create_pod(self, owner: Json, template: Json, name: str) -> Pod:
        """POST a pod of an owner's template; a name that ends in ``-`` is a prefix."""
        return self.admit_pod(owner, template, name)()

    def admit_pod(self, owner: Json, template: Json, name: str) -> Callable[[], Pod]:
        """Judge a pod of an owner's template, or refuse it; return what stores it.

        A request is judged when it arrives and stored later: whatever changes in between, be it a
        quota or the end of the namespace, comes too late for it. Siblings share one `PodTemplate`:
        defaults, admission and validation are worked out once.
        """
        uid, namespace = owner["metadata"]["uid"], owner["metadata"]["namespace"]
        known = self._templates.get(uid)
        shared = known is not None and known[0] == self._epoch and known[1] == template
        if known is None or not shared or self.store.objects("ResourceQuota", namespace):
            pod = self._judged_pod(owner, template, name)
            name = pod.name
            self._templates[uid] = known = (self._epoch, template, pod.template)
        judged = known[2]
        return lambda: self.store.add_pod(judged, self._free_name(namespace, name))

    def _judged_pod(self, owner: Json, template: Json, name: str) -> Pod:
        """Judge a pod with a prefix for a name, or with a name beside its owner's prefix.

        Source: kubernetes/kubernetes pkg/controller/controller_utils.go (GetPodFromTemplate),
        v1.36.1
        """
        given = template.get("metadata") or {}
        prefix = name if name.endswith("-") else f"{owner['metadata']['name']}-"
        meta = {
            **{field: given[field] for field in _TEMPLATE_METADATA if given.get(field)},
            "namespace": owner["metadata"]["namespace"],
            "ownerReferences": [owner_reference(owner)],
            "generateName": prefix,
            **({"name": name} if name != prefix else {}),
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}
        return pod_from(self._judged(pod), None, self.store.calendar)

    def _free_name(self, namespace: str, name: str) -> str:
        """Return a name that is not taken; one that was given and is taken is refused."""
        full = self._names.complete(name) if name.endswith("-") else name
        for _ in range(_NAME_RETRIES if name.endswith("-") else 0):
            if self.store.pod(namespace, full) is None:
                break
            full = self._names.complete(name)
        holder = self.store.pod(namespace, full)
        if holder is not None:
            raise taken(f'pods "{full}"', holder)
        return full

    # --- changing ---------------------------------------------------------------------------------

    def replace(self, obj: Json, *, unchanged: bool = False) -> Json:
        """PUT an object: everything but its status and identity.

        Args:
            obj: The object as it should be.
            unchanged: Refuse if it was written since ``obj`` was read.
        """
        kind, meta = KINDS[obj["kind"]], obj["metadata"]
        old = self.read(kind.name, meta.get("namespace", ""), meta["name"])
        if unchanged and meta["resourceVersion"] != old["metadata"]["resourceVersion"]:
            raise conflict(kind, meta["name"])
        return self._store_change(kind, old, {**obj, "status": old.get("status")}, "")

    def replace_status(self, obj: Json, status: Json) -> Json:
        """PUT an object's status; the rest stays as it is now."""
        kind = KINDS[obj["kind"]]
        old = self.read(kind.name, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        return self._store_change(kind, old, {**old, "status": status}, "status")

    def patch(
        self, kind_name: str, key: Key, body: Any, form: str = "strategic", sub: str = ""
    ) -> Json:
        """PATCH an object or one of its subresources ``status`` and ``scale``."""
        kind = KINDS[kind_name]
        if sub and not kind.serves(sub):
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        old = self.read(kind_name, *key)
        new = apply_patch(old, body, form)
        if sub == "":
            new = self._revised(kind, old, new)
        elif sub == "status" and kind_name == "Pod":
            _refuse_if(tuple(validate_status_update(new, old)), new)
        return self._store_change(kind, old, new, "" if sub == "scale" else sub)

    def _revised(self, kind: Kind, old: Json, new: Json) -> Json:
        """Return a patched object decoded, defaulted and found to be a valid change."""
        if new == old or not is_known(kind.api_version, kind.name):
            return new
        try:
            new = decode(new)
        except DecodeError as error:
            raise ApiError(400, "BadRequest", unreadable(old, str(error))) from None
        set_defaults(new)
        if kind.name == "Pod":  # this admission plugin sees updates, too
            new = add_default_tolerations(new)
        _refuse_if(tuple(validate_update(new, old)), new)
        return encode(new)

    def scale(self, kind_name: str, key: Key, replicas: int) -> Json:
        """PATCH the scale subresource."""
        return self.patch(kind_name, key, {"spec": {"replicas": replicas}}, "merge", "scale")

    def _store_change(self, kind: Kind, old: Json, new: Json, sub: str) -> Json:
        if kind.status:
            other = old if sub != "status" else new
            status = other.get("status")
            new = {
                **(new if sub != "status" else old),
                **({"status": status} if status is not None else {}),
            }
        new = {**new, "metadata": self._kept_meta(kind, old, new)}
        if new == old:
            return old
        if kind.name == "Pod":
            before = self._pod((old["metadata"]["namespace"], old["metadata"]["name"]))
            after = self.store.replace_pod(
                before, self._with_generation(before, pod_from(new, before, self.store.calendar))
            )
            finish_if_unheld(self.store, after)
            return manifest_of(after, self.store.calendar)
        stored = self.store.put(new)
        finish_if_unheld(self.store, stored)
        return stored

    def _with_generation(self, before: Pod, after: Pod) -> Pod:
        if (
            before.template.spec is not after.template.spec
            and before.template.spec != after.template.spec
        ):
            after.generation += 1
        return after

    def _kept_meta(self, kind: Kind, old: Json, new: Json) -> Json:
        meta = {name: value for name, value in new["metadata"].items() if name not in _IDENTITY}
        meta |= {name: old["metadata"][name] for name in _IDENTITY if name in old["metadata"]}
        if kind.generation and kind.name != "Pod" and new.get("spec") != old.get("spec"):
            meta["generation"] = meta.get("generation", 1) + 1
        meta["resourceVersion"] = old["metadata"]["resourceVersion"]
        return meta

    # --- pods' subresources -----------------------------------------------------------------------

    def bind(self, key: Key, node: str) -> Pod:
        """POST a pod's binding.

        Source: kubernetes/kubernetes pkg/registry/core/pod/storage/storage.go (BindingREST),
        v1.36.1
        """
        pod = self._pod(key)
        admission.check_open(self.store, pod)
        problem = ""
        if pod.deletion is not None:
            problem = f"pod {pod.name} is being deleted, cannot be assigned to a host"
        elif pod.node:
            problem = f'pod {pod.name} is already assigned to node "{pod.node}"'
        elif pod.template.spec.get("schedulingGates"):
            problem = f"pod {pod.name} has non-empty .spec.schedulingGates"
        if problem:
            raise ApiError(
                409,
                "Conflict",
                f'Operation cannot be fulfilled on pods/binding "{pod.name}": {problem}',
            )
        return self.store.step(pod, bound, self._target(node))

    def _target(self, name: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return a node's name and the labels that pods take over; bindings to it share them."""
        node = self.store.get("Node", "", name)
        known = self._targets.get(name)
        if known is None or known[0] is not node:
            labels = ((node or {}).get("metadata") or {}).get("labels") or {}
            known = self._targets[name] = (node, (name, topology_labels(labels)))
        return known[1]

    def patch_pod(
        self, key: Key, condition: Mapping[str, str] | None = None, phase: str = "", drop: str = ""
    ) -> None:
        """PATCH a pod's condition, phase or finalizers; what changes nothing writes nothing."""
        pod = self._pod(key)
        if condition is not None and not _has(pod, condition):
            words = (
                condition["type"],
                condition["status"],
                condition.get("reason", ""),
                condition.get("message", ""),
            )
            pod = self.store.step(pod, conditioned, words)
        if phase and pod.phase != phase:
            pod = self.store.step(pod, phased, phase)
        if drop and drop in pod.finalizers:
            pod = self.store.step(pod, unfinalized, drop)
            finish_if_unheld(self.store, pod)


def _refuse_if(errors: tuple[FieldError, ...], obj: Json) -> None:
    if errors:
        raise ApiError(422, "Invalid", refusal(obj, errors), tuple(map(str, errors)))


def _has(pod: Pod, wanted: Mapping[str, str]) -> bool:
    words = (wanted["status"], wanted.get("reason", ""), wanted.get("message", ""))
    return any(
        item.type == wanted["type"] and (item.status, item.reason, item.message) == words
        for item in pod.conditions
    )
