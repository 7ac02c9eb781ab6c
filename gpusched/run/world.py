"""Where a scenario's actions are carried out, and the simulated one of such worlds."""

from typing import Any, Protocol

from gpusched.controllers.protocol import ApiError, Key
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete
from gpusched.sim.kubelet import Kubelet
from gpusched.sim.pod import Json
from gpusched.timeline.answers import Answer
from gpusched.timeline.apply import apply_manifest
from gpusched.timeline.kubectl import Kubectl


class World(Protocol):
    """An API server's verbs, kubectl, and KWOK; whatever refuses does so with an `ApiError`."""

    def create(self, obj: Json) -> None:
        """Create an object."""

    def apply(self, obj: Json) -> str:
        """Apply a manifest; return ``created``, ``configured`` or ``unchanged``."""

    def delete(self, kind: str, key: Key, grace: int | None, policy: str) -> None:
        """Ask for an object's deletion."""

    def patch(self, kind: str, key: Key, patch: Any, form: str, subresource: str) -> None:
        """Patch an object, or one of its subresources if one is named."""

    def kubectl(self, line: str, stdin: str, answer: Answer) -> None:
        """Run kubectl; ``answer`` is told how it ended, now or later."""

    def start_kwok(self, name: str) -> None:
        """Start a KWOK process."""

    def stop_kwok(self, name: str) -> None:
        """Stop a KWOK process."""


class SimulatedWorld:
    """A simulated control plane as a `World`.

    Args:
        plane: The control plane.
    """

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._kubectl = Kubectl(plane)

    def create(self, obj: Json) -> None:
        """See `World`."""
        self._plane.api.create(obj)

    def apply(self, obj: Json) -> str:
        """See `World`."""
        return apply_manifest(self._plane.api, obj)

    def delete(self, kind: str, key: Key, grace: int | None, policy: str) -> None:
        """See `World`."""
        delete(self._plane.store, kind, key, grace, policy)

    def patch(self, kind: str, key: Key, patch: Any, form: str, subresource: str) -> None:
        """See `World`."""
        self._plane.api.patch(kind, key, patch, form, subresource)

    def kubectl(self, line: str, stdin: str, answer: Answer) -> None:
        """See `World`."""
        self._kubectl.run(line, stdin, answer)

    def start_kwok(self, name: str) -> None:
        """See `World`."""
        self._kubelet(name).start()

    def stop_kwok(self, name: str) -> None:
        """See `World`."""
        self._kubelet(name).stop()

    def _kubelet(self, name: str) -> Kubelet:
        kubelet = self._plane.kubelets.get(name)
        if kubelet is None:
            raise ApiError(404, "NotFound", f'kwok controller "{name}" not found')
        return kubelet
