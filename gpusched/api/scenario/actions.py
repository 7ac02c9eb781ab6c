"""What a step can do to a cluster: the verbs of kubectl over plain manifests and names.

Manifests are given as files or inline (``Source``); ``reading`` turns them into ``Apply`` and
``Create`` with the objects themselves.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from gpusched.api.load import Manifest
from gpusched.api.scenario.parts import Part

Json = dict[str, Any]


def _read_source(value: Any) -> Any:
    if isinstance(value, str | dict) and value:
        return value
    raise PydanticCustomError("source", "must be a file's name or a manifest")


Source = Annotated[
    str | Json,
    PlainValidator(_read_source),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "description": "A file, relative to this one."},
                {
                    "type": "object",
                    "description": "A manifest.",
                    "required": ["apiVersion", "kind"],
                },
            ],
        }
    ),
]
"""A file of manifests, relative to the scenario's file, or one manifest."""


def listed(value: Any) -> Any:
    """Return a lone value as a list of one."""
    return value if value is None or isinstance(value, list | tuple) else [value]


Sources = Annotated[
    tuple[Source, ...],
    BeforeValidator(listed, json_schema_input_type=Source | tuple[Source, ...]),
]
"""One source or several."""

Names = Annotated[
    tuple[str, ...],
    BeforeValidator(listed, json_schema_input_type=str | tuple[str, ...]),
]
"""One name or several."""


class Target(Part):
    """An object by its name."""

    api_version: str | None = None
    """E.g. ``apps/v1``; absent: the version that gpusched knows of the kind."""
    kind: str
    """E.g. ``Deployment``, or a short name such as ``deploy``."""
    name: str
    """The object's name."""
    namespace: str | None = None
    """Its namespace; absent means ``default``, or none for an object of the whole cluster."""


class Delete(Target):
    """Deletes an object, as ``kubectl delete``."""

    grace_period_seconds: int | None = Field(default=None, ge=0)
    """Seconds that its pods have to end; absent: as the object says."""
    propagation_policy: Literal["Background", "Foreground", "Orphan"] | None = None
    """What becomes of the objects that it owns."""


class Scale(Target):
    """Sets the number of replicas of a workload."""

    replicas: int = Field(ge=0, le=2**31 - 1)
    """How many."""


class Patch(Target):
    """Patches an object."""

    type: Literal["strategic", "merge", "json"] = "strategic"
    """How the patch is meant."""
    subresource: str | None = None
    """E.g. ``status``."""
    patch: Json | list[Any]
    """The patch."""


class Cordon(Part):
    """Keeps new pods off nodes."""

    nodes: Names


class Uncordon(Part):
    """Lets new pods on nodes again."""

    nodes: Names


class Drain(Part):
    """Cordons nodes and evicts their pods."""

    nodes: Names
    """The nodes."""
    ignore_daemon_sets: bool = True
    """Leave pods of DaemonSets where they are; else such pods are an error."""
    delete_empty_dir_data: bool = True
    """Evict pods with scratch volumes, too."""
    force: bool = False
    """Evict pods that nothing would make again, too."""
    grace_period_seconds: int | None = Field(default=None, ge=0)
    """Seconds that pods have to end; absent: as each pod says."""


class Taint(Part):
    """Changes the taints of nodes."""

    nodes: Names
    """The nodes."""
    taints: Names
    """As kubectl writes them: ``key=value:NoSchedule``; with ``-`` at the end to remove one."""
    overwrite: bool = False
    """Replace a taint of the same key and effect."""


class Label(Part):
    """Changes the labels of objects."""

    kind: str
    """E.g. ``Node``."""
    names: Names
    """The objects' names."""
    namespace: str | None = None
    """Their namespace."""
    labels: dict[str, str | None]
    """The labels; null removes one."""
    overwrite: bool = True
    """Replace labels that are there."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Runs kubectl with arguments.

    Attributes:
        arguments: What stands behind ``kubectl``.
        stdin: What it reads with ``-f -``.
    """

    arguments: str
    stdin: str | None = None


@dataclass(frozen=True, slots=True)
class KwokStop:
    """Stops a KWOK controller, so that its nodes fall silent."""

    name: str


@dataclass(frozen=True, slots=True)
class KwokStart:
    """Starts a stopped KWOK controller again."""

    name: str


@dataclass(frozen=True, slots=True)
class Apply:
    """Applies manifests, as ``kubectl apply``."""

    manifests: tuple[Manifest, ...]


@dataclass(frozen=True, slots=True)
class Create:
    """Creates objects; those that exist are an error."""

    manifests: tuple[Manifest, ...]


Action = (
    Apply | Create | Delete | Scale | Patch | Cordon | Uncordon | Drain | Taint | Label
    | Kubectl | KwokStop | KwokStart
)  # fmt: skip
"""One change of the cluster."""
