"""The scenario's file as it is written.

The order of the fields is the order in which a reader wants them.
"""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from gpusched.api.scenario.actions import (
    Delete,
    Drain,
    Label,
    Names,
    Patch,
    Scale,
    Source,
    Sources,
    Taint,
    listed,
)
from gpusched.api.scenario.durations import Runtime
from gpusched.api.scenario.parts import Duration, Part, require_one

API_VERSION: Final = "gpusched.dev/v1alpha1"
ACTIONS: Final = (
    "apply", "create", "delete", "scale", "patch", "cordon", "uncordon", "drain", "taint", "label",
    "kubectl", "kwokStop", "kwokStart",
)  # fmt: skip

Deletes = Annotated[
    tuple[Delete, ...], BeforeValidator(listed, json_schema_input_type=Delete | tuple[Delete, ...])
]
Scales = Annotated[
    tuple[Scale, ...], BeforeValidator(listed, json_schema_input_type=Scale | tuple[Scale, ...])
]
Patches = Annotated[
    tuple[Patch, ...], BeforeValidator(listed, json_schema_input_type=Patch | tuple[Patch, ...])
]


class StepDocument(Part):
    """Something that is done at a time; exactly one action is set."""

    at: Duration
    """When, from the start of the scenario."""
    note: str | None = None
    """Why; shown in the story of the run."""
    apply: Sources | None = None
    """Manifests to apply: files, or inline."""
    create: Sources | None = None
    """Manifests to create: files, or inline."""
    delete: Deletes | None = None
    """Objects to delete."""
    scale: Scales | None = None
    """Workloads to scale."""
    patch: Patches | None = None
    """Objects to patch."""
    cordon: Names | None = None
    """Nodes that shall take no new pods."""
    uncordon: Names | None = None
    """Nodes that shall take new pods again."""
    drain: Drain | None = None
    """Nodes to empty."""
    taint: Taint | None = None
    """Taints to set or remove."""
    label: Label | None = None
    """Labels to set or remove."""
    kubectl: str | None = None
    """Arguments of a kubectl command."""
    stdin: str | None = None
    """What the kubectl command reads."""
    kwok_stop: str | None = None
    """A KWOK controller to stop."""
    kwok_start: str | None = None
    """A KWOK controller to start again."""

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        require_one(self, ACTIONS)
        return self


class KwokController(Part):
    """One KWOK controller."""

    name: str
    """The name that ``kwokStop`` and ``kwokStart`` use."""
    nodes: dict[str, str] = Field(default_factory=dict)
    """Labels of the nodes that it plays; empty means all."""
    stages: Literal["fast", "general"] | Sources | None = None
    """Its stages, if they differ from the scenario's."""


class Kwok(Part):
    """How nodes and pods are played."""

    stages: Literal["fast", "general"] | Sources = "fast"
    """KWOK's own ``fast`` or ``general`` stages, or Stage manifests."""
    controllers: tuple[KwokController, ...] = ()
    """Several controllers instead of one that plays all nodes."""


class Rate(Part):
    """A client's request budget: a token bucket."""

    per_second: int = Field(gt=0)
    """Tokens that come back per second."""
    burst: int = Field(gt=0)
    """Tokens at most."""


class LatencyBlock(Part):
    """How long things take outside of Kubernetes' own timers."""

    request: Duration = 0
    """From a controller's request to the write."""
    watch: Duration = 0
    """From a write to its watchers."""
    kwok: Duration = 0
    """From what KWOK sees to its own write."""
    user: Duration = 0
    """From a user's request to the write."""
    kubectl: Duration = 0
    """From the start of a kubectl command to its first request."""
    rate: Rate | None = None
    """Request budget of each controller; absent: no limit."""


def _kind_of_latency(value: Any) -> str:
    return "name" if isinstance(value, str) else "block"


Latency = Annotated[
    Annotated[Literal["zero", "recorded-v1.36"], Tag("name")]
    | Annotated[LatencyBlock, Tag("block")],
    Discriminator(_kind_of_latency),
]
"""A latency model by its name, or its numbers."""


class ExpectedMessage(Part):
    """How many pods wait with a message."""

    text: str
    """The text of the FailedScheduling event."""
    pods: int = Field(ge=0)
    """How many pods."""


class Expectation(Part):
    """What must be true at the end; ``gpusched run`` says whether it is."""

    pods: dict[str, int] | None = None
    """Pods by phase."""
    messages: tuple[ExpectedMessage, ...] | None = None
    """The Pending pods' messages."""
    nodes: dict[str, dict[str, str | int]] | None = None
    """Requested resources by node."""


class ScenarioSpec(Part):
    """The scenario itself."""

    description: str | None = None
    """What it shows, in a sentence."""
    fleet: Sources = ()
    """Nodes (and whatever else must be there first): files, or inline manifests."""
    setup: Sources = ()
    """Objects created before the first step, e.g. namespaces and priority classes."""
    steps: tuple[StepDocument, ...] = ()
    """What happens, in order of time; steps of the same time happen in their order here."""
    runtimes: tuple[Runtime, ...] = ()
    """How long pods run; the first entry that fits a pod counts."""
    until: Duration = 600_000_000
    """When the scenario ends."""
    seed: int = Field(default=1, ge=0, lt=2**63)
    """What all random draws hang on."""
    scheduler_configuration: Source | None = None
    """A KubeSchedulerConfiguration: a file, or inline; absent: the scheduler's defaults."""
    scheduler_flags: tuple[str, ...] = ()
    """Further flags of kube-scheduler, e.g. ``--feature-gates=A=false``."""
    kwok: Kwok = Field(default_factory=Kwok)
    """How nodes and pods are played."""
    latency: Latency = "zero"
    """A latency model by its name, or its numbers."""
    expect: Expectation | None = None
    """What must be true at the end."""


class ScenarioMetadata(Part):
    """The scenario's name."""

    name: str = Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
    """A DNS name, as of any object."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Annotations."""


class ScenarioDocument(Part):
    """A fleet, timed steps over plain manifests, and how long pods run."""

    api_version: Literal["gpusched.dev/v1alpha1"]
    """The version of this format."""
    kind: Literal["Scenario"]
    """The kind."""
    metadata: ScenarioMetadata
    """The scenario's name."""
    spec: ScenarioSpec
    """The scenario itself."""
