"""How long one decision takes: a pod that fits, a pod that fits nowhere, on 10 and 5,000 nodes.

Run ``python benchmarks/scan.py``; it prints medians in microseconds.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

from gpusched.api.config import default_configuration
from gpusched.api.core import Node, Pod
from gpusched.cluster.cache import Cache
from gpusched.cluster.node import compile_node
from gpusched.cluster.objects import ClusterObjects
from gpusched.cluster.pod import PodInfo, compile_pod
from gpusched.cluster.resources import ResourceNames
from gpusched.kube.cycle import Search, heap_tie_break, schedule
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.nominator import Nominator
from gpusched.kube.plugins import IN_TREE

REPEATS = 300
SIZES = (10, 5000)


def fleet(count: int) -> Cache:
    """Return a cache of ``count`` GPU nodes in three zones."""
    cache = Cache(ResourceNames(), ClusterObjects())
    for at in range(count):
        labels = {
            "kubernetes.io/hostname": f"gpu-{at}",
            "topology.kubernetes.io/zone": f"zone-{at % 3}",
            "gpu": "h100" if at % 2 else "a100",
        }
        capacity = {"cpu": "96", "memory": "1Ti", "pods": "110", "nvidia.com/gpu": "8"}
        node = Node.model_validate(
            {
                "metadata": {"name": f"gpu-{at}", "labels": labels},
                "status": {"allocatable": capacity},
            }
        )
        cache.add_node(compile_node(node, cache.resources))
    return cache


def pod(cache: Cache, gpus: int) -> PodInfo:
    """Return a pending pod that asks for H100 nodes."""
    requests = {"cpu": "8", "memory": "64Gi", "nvidia.com/gpu": str(gpus)}
    containers = [{"name": "train", "resources": {"requests": requests}}]
    spec = {"containers": containers, "nodeSelector": {"gpu": "h100"}}
    metadata = {"name": "train", "namespace": "default", "uid": "train"}
    wire = {"metadata": metadata, "spec": spec}
    return compile_pod(Pod.model_validate(wire), cache.resources)


def median(call: Callable[[], object]) -> float:
    """Return the median duration of ``call`` in microseconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1000


def main() -> None:
    """Print one line per fleet."""
    profile = default_configuration().profiles[0]
    framework = Framework(profile, IN_TREE, Nominator())
    search = Search(0, 0, heap_tie_break)
    for count in SIZES:
        cache = fleet(count)
        for gpus, word in ((4, "fits"), (16, "fits nowhere")):
            attempt = partial(schedule, framework, cache.snapshot(), pod(cache, gpus), search)
            print(f"{count:6d} nodes, {word:12s}: {median(attempt):8.1f} us")


if __name__ == "__main__":
    main()
