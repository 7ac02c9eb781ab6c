"""ImageLocality: nodes that have the pod's images already are somewhat better."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.images import ImageState
from gpusched.cluster.nodes import Ints, Mask, Nodes
from gpusched.cluster.pod import PodInfo, PodShape
from gpusched.kube.framework.cycle_state import CycleState
from gpusched.kube.framework.interface import MAX_NODE_SCORE
from gpusched.kube.framework.status import Status

_MIB: Final = 1024 * 1024
_LEAST: Final = 23 * _MIB
_MOST_PER_CONTAINER: Final = 1000 * _MIB


@dataclass(frozen=True, slots=True)
class ImageLocality:
    """Rate nodes by the bytes of the pod's images that lie there, weighted by their spread.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/imagelocality/image_locality.go,
    v1.36.1.
    """

    name: ClassVar[str] = "ImageLocality"

    def score(
        self,
        _state: CycleState,
        pod: PodInfo,
        snapshot: Snapshot,
        rows: Ints,
    ) -> Ints | Status:
        """See ScorePlugin; below 23 MiB nothing counts, nor does more than 1000 MiB a container."""
        present = [
            (name, image)
            for name in pod.shape.memo(_image_names, _image_names)
            if (image := snapshot.images.get(name)) is not None
        ]
        if not present:
            return np.zeros(len(rows), np.int64)
        spec = pod.shape.spec
        most = _MOST_PER_CONTAINER * (len(spec.containers) + len(spec.init_containers))
        held = _bytes_held(snapshot.nodes, present)[rows].clip(_LEAST, most)
        scores: Ints = MAX_NODE_SCORE * (held - _LEAST) // (most - _LEAST)
        return scores


def _image_names(shape: PodShape) -> tuple[str, ...]:
    """Return the images of a pod, repeated ones repeatedly, ``:latest`` added where no tag is."""
    spec = shape.spec
    images = [container.image for container in (*spec.init_containers, *spec.containers)]
    images += [volume.image.reference for volume in spec.volumes if volume.image is not None]
    return tuple(normalized_image_name(image) for image in images)


def normalized_image_name(name: str) -> str:
    """Return an image's name with a tag.

    >>> normalized_image_name("localhost:5000/cuda")
    'localhost:5000/cuda:latest'
    """
    return name if name.rfind(":") > name.rfind("/") else f"{name}:latest"


def _bytes_held(nodes: Nodes, images: list[tuple[str, ImageState]]) -> Ints:
    """Return the weighted bytes of ``images`` on each node; shape (N,)."""
    held = np.zeros(len(nodes), np.int64)
    for name, image in images:
        held[_having(nodes, name)] += int(float(image.size) * (image.nodes / len(nodes)))
    return held


def _having(nodes: Nodes, name: str) -> Mask:
    return nodes.classes(("image", name), lambda info: name in info.images).among((True,))
