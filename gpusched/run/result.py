"""``result.json``: a run in one object, described by ``docs/reference/result.schema.json``."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gpusched.api.meta import wire_name
from gpusched.run.codec import SCHEMA
from gpusched.run.devices import device_use
from gpusched.run.expectations import Difference, differences
from gpusched.run.nodes import node_use
from gpusched.run.record import RunRecord
from gpusched.run.replay import Moment
from gpusched.sim.calendar import SECOND


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        alias_generator=wire_name,
        populate_by_name=True,
        frozen=True,
        defer_build=True,
    )


class ResourceUse(_Part):
    """One resource of one node: cpu in milli-CPU, memory in bytes, others in whole units."""

    allocatable: int
    requested: int


class DeviceUse(_Part):
    """The devices of one driver."""

    published: int = Field(description="Devices in the driver's ResourceSlices.")
    claimed: int = Field(description="Devices that ResourceClaims hold.")


class Result(_Part):
    """A run's result."""

    api_version: str = "gpusched.dev/v1alpha1"
    kind: str = "Result"
    schema_number: int = Field(default=SCHEMA, description="The number of this form.")
    simulated: bool = Field(description="False for a run recorded from a live cluster.")
    scenario: str = Field(description="The scenario's name.")
    seed: int
    simulated_seconds: float = Field(description="Virtual seconds from t = 0 to the end.")
    interrupted: bool = Field(description="Whether the run was stopped before its end.")
    pods: dict[str, int] = Field(description="Pods by phase at the end.")
    messages: dict[str, int] = Field(description="Waiting pods by the text of their condition.")
    nodes: dict[str, dict[str, ResourceUse]]
    devices: dict[str, DeviceUse] = Field(
        default={}, description="Devices by driver at the end; left out where there are none."
    )
    refusals: list[str] = Field(description="What the API server refused, in order.")
    scheduler: dict[str, Any] = Field(description="How attempts were answered, and metrics.")
    differences: list[Difference] = Field(description="What the scenario expected and did not get.")


def result_of(record: RunRecord, moment: Moment | None = None) -> dict[str, Any]:
    """Return a run's result as JSON.

    Args:
        record: The run.
        moment: Its end, if it is known already.
    """
    end = moment or record.end()
    result = Result(
        simulated=record.simulated,
        scenario=record.name,
        seed=record.seed,
        simulated_seconds=record.ended / SECOND,
        interrupted=record.interrupted,
        pods=record.phases(),
        messages=record.messages(),
        nodes={
            name: {resource: ResourceUse(**use) for resource, use in uses.items()}
            for name, uses in node_use(end).items()
        },
        devices={driver: DeviceUse(**use) for driver, use in device_use(end).items()},
        refusals=[text for _, text, refused in record.reports if refused],
        scheduler=record.statistics,
        differences=differences(record),
    )
    dumped = result.model_dump(by_alias=True)
    if not result.devices:
        del dumped["devices"]
    return dumped


def result_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``result.json``."""
    schema = Result.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
