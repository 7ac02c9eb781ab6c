"""Shapes by what scheduling reads of a template: pods that differ in nothing else share one.

An index in a container's command, a variable or a hostname of its own make a template of every
pod, but to the scheduler such pods are replicas.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gpusched.api.meta import ObjectMeta, wire_name
from gpusched.api.pods import Container, Pod, PodSpec
from gpusched.cluster.pod import PodShape, compile_shape
from gpusched.cluster.requests import Requests
from gpusched.cluster.resources import ResourceNames
from gpusched.sim.pod import Json, PodTemplate

UNREAD_OF_PODS: Final = frozenset(
    {
        "active_deadline_seconds",
        "hostname",
        "service_account_name",
        "termination_grace_period_seconds",
    }
)
"""Fields of a pod's spec that no in-tree plugin reads."""

UNREAD_OF_CONTAINERS: Final = frozenset(
    {"args", "command", "env", "image_pull_policy", "resize_policy", "volume_mounts"}
)
"""Fields of a container that no in-tree plugin reads."""

_OF_PODS: Final = frozenset(map(wire_name, PodSpec.model_fields.keys() - UNREAD_OF_PODS))
_OF_CONTAINERS: Final = frozenset(
    map(wire_name, Container.model_fields.keys() - UNREAD_OF_CONTAINERS)
)
_MOST_SPECS: Final = 1 << 16
_LISTS: Final = ("initContainers", "containers")


@dataclass(slots=True, eq=False)
class _Kin:
    """Shapes that differ in labels and owner alone.

    Attributes:
        first: One of them.
        shapes: All of them, by labels and owner.
    """

    first: PodShape
    shapes: dict[object, PodShape] = field(default_factory=dict)


class Shapes:
    """The shapes of a run's templates, by content.

    What in-tree plugins do not read is left out of a shape's spec, so that none can come to hang
    on whose template was met first. A user's own plugin may read anything.

    Args:
        resources: Resource names to rows.
        whole: Whether somebody may read all of a spec: then specs must be equal to be shared.
    """

    def __init__(self, resources: ResourceNames, *, whole: bool) -> None:
        self._resources = resources
        self._whole = whole
        self._by_identity: dict[tuple[str, int], tuple[Json, _Kin]] = {}
        self._kin: dict[str, _Kin] = {}
        self._requests: dict[Requests, Requests] = {}

    def of(self, template: PodTemplate) -> PodShape:
        """Return what the pods of a template share with all that are alike to the scheduler."""
        kin = self._kin_of(template)
        owner = next((ref for ref in template.owners if ref.get("controller")), _NOBODY)
        key = (tuple(sorted(template.labels.items())), tuple(sorted(owner.items())))
        found = kin.shapes.get(key)
        if found is None:
            found = kin.shapes[key] = self._relative(kin, template)
        return found

    def _kin_of(self, template: PodTemplate) -> _Kin:
        """Return who reads the same spec; variants of a template have the very same one."""
        place = (template.namespace, id(template.spec))
        known = self._by_identity.get(place)
        if known is None:
            if len(self._by_identity) >= _MOST_SPECS:
                self._by_identity.clear()
            known = self._by_identity[place] = (template.spec, self._by_content(template))
        return known[1]

    def _by_content(self, template: PodTemplate) -> _Kin:
        spec = template.spec if self._whole else _as_read(template.spec)
        content = repr((template.namespace, spec))
        kin = self._kin.get(content)
        if kin is None:
            kin = self._kin[content] = _Kin(self._compile(_metadata(template), spec))
        return kin

    def _compile(self, metadata: Json, spec: Json) -> PodShape:
        shape = compile_shape(
            Pod.model_validate({"metadata": metadata, "spec": spec}), self._resources
        )
        # Templates that differ by their labels alone ask for the same: one object for all.
        shape.requests = self._requests.setdefault(shape.requests, shape.requests)
        return shape

    def _relative(self, kin: _Kin, template: PodTemplate) -> PodShape:
        if not kin.shapes:
            return kin.first
        meta = ObjectMeta.model_validate(_metadata(template))
        other = replace(kin.first, labels=meta.labels, owner=meta.controller)
        if self._whole:
            other.kin = object()  # somebody may read labels whom nobody knows
        return other


def _metadata(template: PodTemplate) -> Json:
    return {"namespace": template.namespace, **template.meta()}


def _as_read(spec: Json) -> Json:
    """Return what in-tree plugins read of a spec."""
    read = {name: value for name, value in spec.items() if name in _OF_PODS}
    for name in _LISTS:
        if spec.get(name):
            read[name] = [
                {part: value for part, value in container.items() if part in _OF_CONTAINERS}
                for container in spec[name]
            ]
    return read


_NOBODY: Mapping[str, Any] = {}
