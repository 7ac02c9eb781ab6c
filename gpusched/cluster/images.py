"""Container images by name: on how many nodes each is, and how large it is.

Source: kubernetes/kubernetes pkg/scheduler/backend/cache/cache.go (addNodeImageStates), v1.36.1.
"""

from dataclasses import dataclass

from gpusched.cluster.node import NodeInfo


@dataclass(slots=True)
class ImageState:
    """One image name.

    Attributes:
        size: Bytes, as the node says that brought the name in; later nodes are not asked.
        nodes: On how many nodes it is.
    """

    size: int
    nodes: int = 0


class ImageStates:
    """All image names that some node has."""

    def __init__(self) -> None:
        self._states: dict[str, ImageState] = {}

    def get(self, name: str) -> ImageState | None:
        """Return what is known of an image name, or None if no node has it."""
        return self._states.get(name)

    def add(self, info: NodeInfo) -> None:
        """Count a node's images."""
        for name, size in info.images.items():
            self._states.setdefault(name, ImageState(size)).nodes += 1

    def remove(self, info: NodeInfo) -> None:
        """Uncount a node's images; a name that no node has any more is forgotten."""
        for name in info.images:
            state = self._states[name]
            state.nodes -= 1
            if not state.nodes:
                del self._states[name]
