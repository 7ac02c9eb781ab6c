"""A pod in the store: small, immutable, sharing its template with its siblings.

A `PodTemplate` is everything that a pod is created with; a `Pod` is one state of one pod: what
differs from its siblings
and what changed since. The full JSON manifest is made by `sim.manifest` only when somebody looks.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from itertools import chain
from typing import Any, NamedTuple

from gpusched.api.defaulting.qos import qos_class
from gpusched.controllers.interest import FIELDS, traits_of

Json = dict[str, Any]
TERMINAL = ("Succeeded", "Failed")


class Condition(NamedTuple):
    """One pod condition; ``transition`` is in microseconds since t = 0, a whole second."""

    type: str
    status: str
    transition: int
    reason: str = ""
    message: str = ""


_CLAIM_FIELDS = ("resourceClaimStatuses", "extendedResourceClaimStatus")


class Containers(NamedTuple):
    """All containers of a pod in one state, as KWOK's fast stages set them.

    Attributes:
        address: Number of the pod's IP address.
        started: When they started.
        finished: When they ended, or None while they run.
        exit_code: Their exit code once they ended.
        reason: ``Completed`` or ``Error`` once they ended.
        claims: What the status tells of the pod's resource claims, or None.
    """

    address: int
    started: int
    finished: int | None = None
    exit_code: int = 0
    reason: str = ""
    claims: Json | None = None


def claims_in(status: Json) -> Json | None:
    """Return what a status tells of resource claims; it outlives what KWOK writes."""
    return {name: status[name] for name in _CLAIM_FIELDS if name in status} or None


class PodTemplate:
    """What pods of one kind share after defaulting and admission. Never changed once made."""

    __slots__ = (
        "_form",
        "_qos",
        "_variants",
        "annotations",
        "finalizers",
        "further_owners",
        "gated",
        "generate_name",
        "grace",
        "labels",
        "namespace",
        "owner",
        "owners",
        "priority",
        "spec",
        "traits",
    )

    def __init__(self, namespace: str, meta: Json, spec: Json) -> None:
        self.namespace = namespace
        self.generate_name: str = meta.get("generateName") or ""
        self.labels: Mapping[str, str] = meta.get("labels") or {}
        self.annotations: Mapping[str, str] = meta.get("annotations") or {}
        self.owners: tuple[Json, ...] = tuple(meta.get("ownerReferences") or ())
        self.finalizers: tuple[str, ...] = tuple(meta.get("finalizers") or ())
        self.spec = spec
        self.priority = int(spec.get("priority") or 0)
        self.grace = int(spec.get("terminationGracePeriodSeconds", 30))
        self.owner: tuple[str, str, str] | None = next(
            (
                (ref["kind"], ref["name"], ref["uid"])
                for ref in self.owners
                if ref.get("controller")
            ),
            None,
        )
        self.gated = bool(spec.get("schedulingGates"))
        fields = frozenset(name for name in FIELDS if spec.get(name))
        controller = self.owner or ("", "", "")
        self.further_owners: tuple[str, ...] = tuple(
            ref["uid"] for ref in self.owners if ref["uid"] != controller[2]
        )
        self.traits = traits_of(controller[0], fields, bool(self.owners))
        self._variants: dict[Any, PodTemplate] = {}
        self._form = ""
        self._qos = ""

    def meta(self) -> Json:
        """Return the shared part of the pods' metadata."""
        parts: Json = {
            "generateName": self.generate_name,
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "ownerReferences": list(self.owners),
            "finalizers": list(self.finalizers),
        }
        return {name: value for name, value in parts.items() if value}

    def journal_form(self) -> str:
        """Return a hash of everything in it."""
        if not self._form:
            whole = json.dumps([self.namespace, self.meta(), self.spec], sort_keys=True)
            self._form = sha256(whole.encode()).hexdigest()
        return self._form

    @property
    def qos(self) -> str:
        """The quality-of-service class, worked out when somebody first asks."""
        if not self._qos:
            self._qos = qos_class(self.spec)
        return self._qos

    def labelled(self, labels: tuple[tuple[str, str], ...]) -> "PodTemplate":
        """Return this template with more labels."""
        found = self._variants.get(("labels", labels))
        if found is None:
            found = self.variant(("labels", labels), labels={**self.labels, **dict(labels)})
        return found

    def variant(self, key: Any, **changes: Any) -> "PodTemplate":
        """Return this template with some of its metadata replaced; equal keys share one variant."""
        found = self._variants.get(key)
        if found is None:
            found = self._variants[key] = PodTemplate(
                self.namespace, {**self.meta(), **changes}, self.spec
            )
        return found


class Pod:
    """One state of one pod. Times are microseconds since t = 0.

    Attributes:
        template: What it was created with.
        name: Its name.
        key: Namespace and name.
        serial: Number of creation over all objects.
        uid: Its uid, which follows from the serial number.
        created: When it was created.
        version: The resourceVersion of this state.
        node: The node to which it is bound, or an empty string.
        phase: ``Pending``, ``Running``, ``Succeeded`` or ``Failed``.
        conditions: Its conditions in the order in which they were added.
        started: ``status.startTime``, or None.
        nominated: ``status.nominatedNodeName``.
        deletion: ``metadata.deletionTimestamp``, or None.
        grace: ``metadata.deletionGracePeriodSeconds`` once it is deleted.
        detail: The rest of the status: `Containers`, a JSON object, or None; the number of its
            address alone if all its containers have run since `started`.
        finished: When its last container ended, or None.
        ready: Whether its Ready condition is True.
        generation: ``metadata.generation``.
    """

    __slots__ = (
        "conditions",
        "created",
        "deletion",
        "detail",
        "finished",
        "generation",
        "grace",
        "key",
        "name",
        "node",
        "nominated",
        "phase",
        "ready",
        "serial",
        "started",
        "template",
        "uid",
        "version",
    )

    template: PodTemplate
    name: str
    key: tuple[str, str]
    serial: int
    created: int
    version: int
    node: str
    phase: str
    conditions: tuple[Condition, ...]
    started: int | None
    nominated: str
    deletion: int | None
    grace: int
    detail: Containers | Json | int | None
    finished: int | None
    ready: bool
    generation: int
    uid: str

    def __init__(self, template: PodTemplate, name: str, serial: int, created: int) -> None:
        self.template = template
        self.name = name
        self.key = (template.namespace, name)
        self.serial = serial
        self.created = created
        self.version = 0
        self.node = template.spec.get("nodeName") or ""
        self.phase = "Pending"
        self.conditions = _gated_condition(created) if template.gated else ()
        self.started = None
        self.nominated = ""
        self.deletion = None
        self.grace = 0
        self.detail = None
        self.finished = None
        self.ready = False
        self.generation = 1
        self.uid = uid_of(serial)

    def copy(self) -> "Pod":
        """Return a new state that starts equal to this one."""
        twin = _new(Pod)
        twin.template = self.template
        twin.name = self.name
        twin.key = self.key
        twin.serial = self.serial
        twin.created = self.created
        twin.version = self.version
        twin.node = self.node
        twin.phase = self.phase
        twin.conditions = self.conditions
        twin.started = self.started
        twin.nominated = self.nominated
        twin.deletion = self.deletion
        twin.grace = self.grace
        twin.detail = self.detail
        twin.finished = self.finished
        twin.ready = self.ready
        twin.generation = self.generation
        twin.uid = self.uid
        return twin

    def journal_form(self) -> list[Any]:
        """Return everything in it."""
        whole = {name: getattr(self, name) for name in self.__slots__ if name != "key"}
        return [*{**whole, "detail": self.containers or self.detail}.values()]

    @property
    def namespace(self) -> str:
        """The namespace."""
        return self.template.namespace

    @property
    def containers(self) -> Containers | None:
        """Its containers, if they are all in one state."""
        detail = self.detail
        if isinstance(detail, int):
            return Containers(detail, self.started or 0)
        return detail if isinstance(detail, Containers) else None

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels."""
        return self.template.labels

    @property
    def annotations(self) -> Mapping[str, str]:
        """The annotations."""
        return self.template.annotations

    @property
    def owners(self) -> tuple[Json, ...]:
        """The template's owner references."""
        return self.template.owners

    @property
    def owner(self) -> tuple[str, str, str] | None:
        """Kind, name and uid of the controlling owner."""
        return self.template.owner

    @property
    def finalizers(self) -> tuple[str, ...]:
        """The finalizers."""
        return self.template.finalizers

    @property
    def spec(self) -> Json:
        """The spec as created; ``nodeName`` is in `node`."""
        return self.template.spec

    @property
    def terminal(self) -> bool:
        """Succeeded or Failed."""
        return self.phase in TERMINAL

    @property
    def active(self) -> bool:
        """Neither terminating nor in a terminal phase."""
        return self.deletion is None and self.phase not in TERMINAL

    @property
    def ready_since(self) -> int:
        """When the Ready condition last changed; 0 without one."""
        return next(
            (condition.transition for condition in self.conditions if condition.type == "Ready"), 0
        )

    def condition(self, kind: str) -> tuple[str, str] | None:
        """Return status and reason of a condition, or None."""
        for condition in self.conditions:
            if condition.type == kind:
                return condition.status, condition.reason
        return None

    def exit_codes(self) -> Mapping[str, int]:
        """Return the exit codes of the containers that have ended, by name."""
        found = self.containers
        if found is not None and found.finished is not None:
            return {item["name"]: found.exit_code for item in self.spec["containers"]}
        status = self.detail if isinstance(self.detail, dict) else {}
        lists = (status.get(f"{which}Statuses") or () for which in ("container", "initContainer"))
        ended = [
            (item["name"], (item.get("state") or {}).get("terminated")) for item in chain(*lists)
        ]
        return {name: state["exitCode"] for name, state in ended if state}

    def with_condition(self, condition: Condition) -> tuple[Condition, ...]:
        """Return the conditions with one set; its transition stays if its status does."""
        conditions = list(self.conditions)
        for index, old in enumerate(conditions):
            if old.type == condition.type:
                keep = old.transition if old.status == condition.status else condition.transition
                conditions[index] = condition._replace(transition=keep)
                return tuple(conditions)
        return (*self.conditions, condition)


_new = object.__new__


def _gated_condition(at: int) -> tuple[Condition, ...]:
    """Return the condition that a pod with scheduling gates is created with."""
    why = "Scheduling is blocked due to non-empty scheduling gates"
    return (Condition("PodScheduled", "False", at - at % 1_000_000, "SchedulingGated", why),)


def uid_of(serial: int) -> str:
    """Return the uid of the object that was created as number ``serial``.

    >>> uid_of(31)
    '0000001f-5bd1-4e19-8000-9e3779b97f4a'
    """
    return f"{serial:08x}-5bd1-4e19-8000-9e3779b97f4a"
