"""DefaultBinder: binds a pod to the chosen node."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class DefaultBinder:
    """Stands for the POST to the binding subresource, which the simulation itself carries out.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/defaultbinder/default_binder.go,
    v1.36.1.
    """

    name: ClassVar[str] = "DefaultBinder"
