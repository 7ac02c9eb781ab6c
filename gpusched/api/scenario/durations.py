"""How long pods run once they are Running, and how they end.

The first entry whose selector fits a pod counts; a pod without one runs until it is deleted, as on
a KWOK node. On a live cluster the drawn time is given to KWOK as an annotation.
"""

from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gpusched.api.meta import LabelSelector
from gpusched.api.scenario.parts import Duration, Part, require_one


class Uniform(Part):
    """Each time between two is equally likely."""

    min: Duration
    """The shortest time."""
    max: Duration
    """The longest time."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise PydanticCustomError("order", "min must not be longer than max")
        return self


class Exponential(Part):
    """Short runs are common and long ones rare."""

    mean: Duration
    """The mean of the times, before the cut at ``max``."""
    max: Duration | None = None
    """The longest time; longer draws are cut off."""


class Lognormal(Part):
    """A few runs are very long, as measured of training jobs."""

    median: Duration
    """Half of the runs are shorter."""
    sigma: float = Field(gt=0, le=10)
    """Spread of the natural logarithm of the times."""
    max: Duration | None = None
    """The longest time; longer draws are cut off."""


class Runtime(Part):
    """How long the pods that a selector fits run; one of the four kinds of time is set."""

    selector: LabelSelector | None = None
    """Labels of the pods; absent means every pod."""
    namespace: str | None = None
    """The pods' namespace; absent means every namespace."""
    duration: Duration | None = None
    """The same time for every pod."""
    uniform: Uniform | None = None
    """A time drawn for each pod, evenly."""
    exponential: Exponential | None = None
    """A time drawn for each pod, mostly short."""
    lognormal: Lognormal | None = None
    """A time drawn for each pod, some very long."""
    exit_code: int = Field(default=0, ge=0, le=255)
    """How the containers end: 0 is success."""

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        require_one(self, ("duration", "uniform", "exponential", "lognormal"))
        return self
