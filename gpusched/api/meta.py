"""What all objects share: the base model, metadata, label selectors, times, resource lists.

Nothing here knows a kind. A model holds what somebody reads to decide, with Go's zero values: an
absent string is ``""``, an absent list ``()``, and ``None`` stands where upstream has a nil pointer
or tells a nil map or list from an empty one.

Source: kubernetes/apimachinery pkg/apis/meta/v1/types.go, v0.36.1
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    model_validator,
)

from gpusched.api.quantity import Quantity

_CAPITALS: Final = {
    "ip": "IP", "ips": "IPs", "cidr": "CIDR", "cidrs": "CIDRs", "id": "ID", "uri": "URI",
}  # fmt: skip
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))"
)
_LAYOUT_PARTS: Final = ("2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05", "Z07:00")
_LAYOUT: Final = "".join(_LAYOUT_PARTS)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def wire_name(name: str) -> str:
    """Return a field's name on the wire.

    >>> wire_name("restart_policy"), wire_name("host_ip"), wire_name("ip")
    ('restartPolicy', 'hostIP', 'ip')
    """
    first, *others = name.split("_")
    return first + "".join(_CAPITALS.get(word, word.capitalize()) for word in others)


@lru_cache(maxsize=4096)
def parse_time(text: str) -> int:
    """Return an RFC 3339 time as microseconds since the Unix epoch; further digits are cut off.

    Raises:
        ValueError: The text is no such time.

    >>> parse_time("1970-01-01T00:00:01.5Z"), parse_time("1970-01-01T01:00:00+01:00")
    (1500000, 0)
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f'parsing time "{text}" as "{_LAYOUT}": {_time_fault(text)}')
    fraction, sign, hours, minutes = match.groups()[6:]
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f'parsing time "{text}": {error}') from None
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    moment -= -offset if sign == "-" else offset
    return (moment - _EPOCH) // _MICROSECOND + int(f"{fraction or '0':0<6.6}")


def _time_fault(text: str) -> str:
    """Return where a text leaves the layout of a time, in Go's words."""
    rest = text
    for part in _LAYOUT_PARTS:
        pattern = r"\d" * len(part) if part.isdigit() else re.escape(part)
        if not re.match(pattern if part != "Z07:00" else r"[Zz]$|[+-]\d\d:\d\d$", rest):
            return f'cannot parse "{rest}" as "{part}"'
        rest = rest[len(part) :]
    return "cannot parse"


def format_time(microseconds: int, *, micro: bool = False) -> str:
    """Return microseconds since the Unix epoch as the API server prints them.

    Args:
        microseconds: The time.
        micro: Whether the field is a MicroTime, with six digits after the point.

    >>> format_time(1_500_000), format_time(1_500_000, micro=True)
    ('1970-01-01T00:00:01Z', '1970-01-01T00:00:01.500000Z')
    """
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{moment.microsecond:06d}Z" if micro else "Z")


@lru_cache(maxsize=65536)
def _listed(text: str) -> Quantity:
    return Quantity.parse(text).round_up_milli()


def _read_quantity(value: Any) -> Quantity:
    return value if isinstance(value, Quantity) else Quantity.parse(value)


def _read_resources(value: Any) -> dict[str, Quantity]:
    if not isinstance(value, Mapping):
        raise ValueError("a resource list is a map from names to quantities")  # noqa: TRY004 - pydantic's
    return {
        name: _listed(entry) if type(entry) is str else _read_quantity(entry).round_up_milli()
        for name, entry in value.items()
    }


def read_amounts(value: Any) -> dict[str, Quantity]:
    """Return a map of quantities that upstream does not round."""
    return {name: _read_quantity(entry) for name, entry in value.items()}


def _read_time(value: Any) -> int:
    if isinstance(value, str):
        return parse_time(value)
    if isinstance(value, int):
        return value
    raise ValueError("a time is an RFC 3339 string")


def print_amounts(resources: dict[str, Quantity]) -> dict[str, str]:
    """Return a map of quantities as the API server prints it."""
    return {name: str(quantity) for name, quantity in resources.items()}


Amount = Annotated[Quantity, PlainValidator(_read_quantity), PlainSerializer(str)]
"""A quantity that upstream does not round."""

ResourceList = Annotated[
    dict[str, Quantity], PlainValidator(_read_resources), PlainSerializer(print_amounts)
]
"""Quantities by resource name, each rounded up to thousandths."""

Time = Annotated[int, PlainValidator(_read_time), PlainSerializer(format_time)]
"""Microseconds since the Unix epoch; ``metav1.Time`` on the wire."""

MicroTime = Annotated[
    int, PlainValidator(_read_time), PlainSerializer(lambda time: format_time(time, micro=True))
]
"""Microseconds since the Unix epoch; ``metav1.MicroTime`` on the wire."""

IntOrString = int | str


class KubeModel(BaseModel):
    """A frozen part of an object, camelCase on the wire.

    Fields that nobody reads are dropped: whether a field exists at all is a question for
    ``gpusched.api.decode``, which asks it of the JSON.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=wire_name,
        populate_by_name=True,
        defer_build=True,
    )


class OwnerReference(KubeModel):
    """The object that another one belongs to."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False
    block_owner_deletion: bool = False


class ObjectMeta(KubeModel):
    """Name, labels and life of an object."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()
    finalizers: tuple[str, ...] = ()

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that manages this object, if any."""
        return next((owner for owner in self.owner_references if owner.controller), None)


class LabelSelectorRequirement(KubeModel):
    """One expression of a label selector."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class LabelSelector(KubeModel):
    """Labels and expressions that must all hold; an empty one matches everything, nil nothing."""

    match_labels: dict[str, str] = Field(default_factory=dict)
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()


class KubeObject(KubeModel):
    """A whole object: what has an ``apiVersion``, a ``kind`` and metadata."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)

    @property
    def key(self) -> str:
        """``namespace/name``, or the name alone for an object of the whole cluster."""
        namespace = self.metadata.namespace
        return f"{namespace}/{self.metadata.name}" if namespace else self.metadata.name

    @model_validator(mode="wrap")
    @classmethod
    def _take_null_as_absent(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Read ``field: null`` as an absent field, as Go does; looked at only if reading fails."""
        try:
            return handler(value)
        except ValidationError as error:
            if not any(fault["input"] is None for fault in error.errors(include_url=False)):
                raise
        return handler(without_nulls(value))


def without_nulls(value: Any) -> Any:
    """Return a JSON value without the fields that are null."""
    if isinstance(value, dict):
        return {key: without_nulls(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list):
        return [without_nulls(entry) for entry in value]
    return value


class Condition(KubeModel):
    """One condition of an object's status."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: Time | None = None


class ObservedCondition(Condition):
    """A condition that says which generation of the object it is about."""

    observed_generation: int = 0
