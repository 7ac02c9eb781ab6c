"""What a controller may ask for: the objects it reads, the requests it makes, the answers it gets.

This file must not know how the API server stores anything, nor how long a request takes.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from gpusched.controllers.interest import ANYTHING, PodInterest
from gpusched.errors import GpuschedError

Json = dict[str, Any]
Verb = Literal["ADDED", "MODIFIED", "DELETED"]
Key = tuple[str, str]
"""Namespace and name; the namespace is empty for objects of the cluster."""

SECOND = 1_000_000
TICK: Key = ("", "")
"""The key of a controller's periodic work."""


class ApiError(GpuschedError):
    """The API server's refusal: what a ``Status`` of kind ``Failure`` says.

    Attributes:
        code: HTTP status code.
        reason: Machine-readable reason, e.g. ``AlreadyExists``.
        message: The server's words.
        causes: Further reasons, e.g. ``NamespaceTerminating``.
    """

    def __init__(self, code: int, reason: str, message: str, causes: Sequence[str] = ()) -> None:
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = tuple(causes)
        super().__init__(message)


class PodView(Protocol):
    """What a controller reads of a pod. Times are microseconds since t = 0."""

    @property
    def namespace(self) -> str:
        """The namespace."""

    @property
    def name(self) -> str:
        """The name."""

    @property
    def uid(self) -> str:
        """The uid."""

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels."""

    @property
    def annotations(self) -> Mapping[str, str]:
        """The annotations."""

    @property
    def owner(self) -> tuple[str, str, str] | None:
        """Kind, name and uid of the controlling owner."""

    @property
    def owners(self) -> tuple[Json, ...]:
        """All owner references."""

    @property
    def finalizers(self) -> tuple[str, ...]:
        """The finalizers."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """The spec as created; the node is in `node`."""

    @property
    def created(self) -> int:
        """When it was created."""

    @property
    def node(self) -> str:
        """The node to which it is bound, or an empty string."""

    @property
    def phase(self) -> str:
        """Its phase."""

    @property
    def ready(self) -> bool:
        """Whether its Ready condition is True."""

    @property
    def ready_since(self) -> int:
        """When its Ready condition last changed."""

    @property
    def finished(self) -> int | None:
        """When its last container ended, or None."""

    @property
    def deletion(self) -> int | None:
        """Its deletion timestamp, or None."""

    @property
    def active(self) -> bool:
        """Neither terminating nor in a terminal phase."""

    def condition(self, kind: str) -> tuple[str, str] | None:
        """Status and reason of a condition."""

    def exit_codes(self) -> Mapping[str, int]:
        """Exit codes of the containers that have ended, by name."""


class Change(NamedTuple):
    """One write as a watcher sees it; ``old`` and ``new`` are pods or JSON objects.

    ``facets`` say what happened to a pod (`controllers.interest`).
    """

    kind: str
    verb: Verb
    key: Key
    old: Any
    new: Any
    facets: int = ANYTHING


class Tally(NamedTuple):
    """Counts over the pods of one owner."""

    active: int
    ready: int
    terminating: int


class Lookup(Protocol):
    """Single objects as they are now."""

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        """Return an object (not a pod), or None."""


class Reader(Lookup, Protocol):
    """The objects as they are now."""

    @property
    def now(self) -> int:
        """Microseconds since t = 0."""

    def stamp(self, at: int | None = None) -> str:
        """Return an RFC 3339 time in whole seconds, of now or of ``at``."""

    def micros(self, stamp: str) -> int:
        """Return the instant of an RFC 3339 time in microseconds since t = 0."""

    def objects(self, kind: str, namespace: str = "") -> Sequence[Json]:
        """Return the objects of a kind (not pods), oldest first."""

    def owned(self, kind: str, uid: str) -> Sequence[Json]:
        """Return the objects of ``kind`` whose controller is ``uid``, oldest first."""

    def dependents(self, uid: str) -> Sequence[tuple[str, str, str]]:
        """Return kind, namespace and name of everything that names ``uid`` as an owner."""

    def exists(self, uid: str) -> bool:
        """Return whether an object (not a pod) with this uid is alive."""

    def finds(self, owner: Json, namespace: str) -> bool:
        """Return whether the owner is there that an object in ``namespace`` refers to.

        An owner of a kind that is not served counts as there, for nobody can know.
        """

    def pod(self, namespace: str, name: str) -> PodView | None:
        """Return a pod, or None."""

    def pods(self, namespace: str = "") -> Iterable[PodView]:
        """Return the pods, oldest first."""

    def pod_count(self) -> int:
        """Return how many pods there are."""

    def pods_of(self, uid: str) -> Sequence[PodView]:
        """Return the pods whose controller is ``uid``, oldest first."""

    def open_pods_of(self, uid: str) -> Sequence[PodView]:
        """Return those of an owner's pods that are not over, or that a finalizer holds."""

    def pods_on(self, node: str) -> Sequence[PodView]:
        """Return the pods bound to a node."""

    def tally(self, uid: str) -> Tally:
        """Return how many pods of an owner are active, ready and terminating."""

    def lease_renewed(self, node: str) -> int | None:
        """Return when a node's lease was last renewed; None if never."""


@dataclass(frozen=True, slots=True)
class Read:
    """GET one object past the cache: costs a request; the answer is the object."""

    kind: str
    key: Key


@dataclass(frozen=True, slots=True)
class Create:
    """POST one object; the answer is the stored object."""

    obj: Json


@dataclass(frozen=True, slots=True)
class CreatePods:
    """POST pods of one template side by side; the answer is a list of pods and refusals, in order.

    Attributes:
        owner: The controlling object.
        template: A ``PodTemplateSpec``; the owner's reference is added.
        names: One name each, or a prefix ending in ``-`` to which the server adds a suffix.
    """

    owner: Json
    template: Json
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Update:
    """PUT one object (everything but its status); the answer is the stored object.

    Attributes:
        obj: The object.
        unchanged: Refuse with a conflict if it was written since it was read.
        owners_only: PATCH its owners, whatever else was written since; nothing else of it is read.
    """

    obj: Json
    unchanged: bool = False
    owners_only: bool = False


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """PUT one object's status; the answer is the stored object."""

    obj: Json
    status: Json


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE objects side by side; the answer is a list of None and refusals, in order.

    As a ``collection`` it is one request, and the server deletes one after the other.
    """

    kind: str
    keys: Sequence[Key]
    grace: int | None = None
    propagation: str = "Background"
    collection: bool = False


@dataclass(frozen=True, slots=True)
class PatchPods:
    """Patch pods side by side; the answer is a list of None and refusals, in order.

    Attributes:
        keys: Which pods.
        condition: A condition to set, or None.
        phase: A phase to set, or an empty string.
        drop_finalizer: A finalizer to remove, or an empty string.
    """

    keys: Sequence[Key]
    condition: Mapping[str, str] | None = None
    phase: str = ""
    drop_finalizer: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for so many microseconds; the answer is None."""

    duration: int


@dataclass(frozen=True, slots=True)
class Emit:
    """Hand an event to the recorder; never waits.

    Attributes:
        regarding: The object as a reference: kind, namespace, name, uid, apiVersion and, where
            upstream gives it, resourceVersion.
        type: ``Normal`` or ``Warning``.
        reason: CamelCase reason.
        message: The text.
    """

    regarding: Mapping[str, str]
    type: str
    reason: str
    message: str


Request = Read | Create | CreatePods | Update | UpdateStatus | Delete | PatchPods | Pause | Emit
Work = Generator[Request, Any, "Outcome | None"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a sync ended. None stands for ``Outcome()``.

    Attributes:
        requeue_after: Sync the key again after so many microseconds.
        retry: Count a failure: sync the key again after its own exponential backoff.
        backoff: Its first and its longest pause, in microseconds.
    """

    requeue_after: int | None = None
    retry: bool = False
    backoff: tuple[int, int] = (5_000, 1000 * SECOND)


@dataclass(frozen=True, slots=True)
class Wake:
    """A key that a change concerns.

    Attributes:
        key: What to sync.
        after: Not before so many microseconds from now.
    """

    key: Key
    after: int = 0


class Controller(Protocol):
    """A reconciler.

    Attributes:
        name: The component's name, as its events show it.
        watches: The kinds whose changes it wants to see.
        period: Microseconds between ticks, on which it syncs the key `TICK`; 0 for none.
        workers: How many keys it syncs at once.
        pace: Its request rate as a multiple of the usual one.
    """

    name: ClassVar[str]
    watches: ClassVar[tuple[str, ...]]
    period: ClassVar[int]
    workers: ClassVar[int]
    pace: ClassVar[int]

    @property
    def pods(self) -> Sequence[PodInterest]:
        """If it watches pods: whose changes it wants to see. May differ from one sync to the next.

        A change outside of it concerns no key and leaves the controller as it is.
        """

    def concerns(self, change: Change, reader: Reader) -> Iterable[Wake]:
        """Return the keys that a change may leave in need of work."""

    def sync(self, key: Key, reader: Reader) -> Work:
        """Bring the object named by ``key`` nearer to what its spec says."""


def reference(obj: Json) -> dict[str, str]:
    """Return an object as an event's ``involvedObject``."""
    meta = obj["metadata"]
    ref = {
        "kind": obj["kind"],
        "namespace": meta.get("namespace", ""),
        "name": meta["name"],
        "uid": meta["uid"],
        "apiVersion": obj["apiVersion"],
        "resourceVersion": meta["resourceVersion"],
    }
    return {field: value for field, value in ref.items() if value}


def key_of(obj: Json) -> Key:
    """Return namespace and name."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
