"""Nodes and pods as a test wants to write them: only what matters."""

from collections.abc import Mapping, Sequence
from typing import Any

from gpusched.api.core import Node, Pod
from gpusched.cluster.cache import Cache
from gpusched.cluster.node import NodeInfo, compile_node
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo, compile_pod
from gpusched.cluster.resources import ResourceNames

Json = dict[str, Any]

ROOMY = {"cpu": "8", "memory": "32Gi", "pods": "110"}


def empty_cache() -> Cache:
    return Cache(ResourceNames(), ClusterObjects())


def node(
    cache: Cache,
    name: str,
    *,
    labels: Mapping[str, str] | None = None,
    allocatable: Mapping[str, str] = ROOMY,
    spec: Json | None = None,
    **status: Any,
) -> NodeInfo:
    """Return a compiled node that is in no cache yet."""
    wire = {
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": spec or {},
        "status": {"allocatable": dict(allocatable), **status},
    }
    return compile_node(Node.model_validate(wire), cache.resources)


def add_node(cache: Cache, name: str, **details: Any) -> NodeInfo:
    """Add a node to the cache; ``details`` as for `node`."""
    info = node(cache, name, **details)
    cache.add_node(info)
    return info


def container(name: str = "c", *, requests: Mapping[str, str] | None = None, **more: Any) -> Json:
    return {"name": name, "resources": {"requests": dict(requests or {})}, **more}


def pod(
    cache: Cache,
    name: str = "p",
    *,
    requests: Mapping[str, str] | None = None,
    containers: Sequence[Json] | None = None,
    status: Json | None = None,
    metadata: Json | None = None,
    **spec: Any,
) -> PodInfo:
    """Return a compiled pod; ``requests`` are those of its only container."""
    wire = {
        "metadata": {"name": name, "namespace": "default", "uid": name, **(metadata or {})},
        "spec": {"containers": containers or [container(requests=requests)], **spec},
        "status": status or {},
    }
    return compile_pod(Pod.model_validate(wire), cache.resources)
