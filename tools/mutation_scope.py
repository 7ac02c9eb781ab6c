"""Which modules are mutated, and which tests have to notice."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

RECORDINGS: Final = Path("tests/golden/decisions")
_PLUGINS: Final = "gpusched/kube/plugins"
_FAMILIES: Final = (
    "resources", "taints", "nodeaffinity", "spread", "interpod", "ports_misc", "preemption",
    "mixed", "config", "gpu_fleet", "volumes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scope:
    """Who watches over a module.

    Attributes:
        tests: Files of tests.
        families: Families of recorded decisions.
        every: One in so many recorded cases is asked.
    """

    tests: tuple[str, ...]
    families: tuple[str, ...] = _FAMILIES
    every: int = 6


_RESOURCES: Final = Scope(
    ("tests/kube/plugins/test_node_resources.py",), ("resources", "config", "gpu_fleet"), 2
)
_CLUSTER_TESTS: Final = ("tests/cluster", "tests/kube/plugins/test_node_affinity.py")

_MODULES: Final[dict[str, Scope]] = {
    "gpusched/api/quantity.py": Scope(
        ("tests/api/test_quantity.py", "tests/cluster/test_requests.py")
    ),
    **{
        f"gpusched/cluster/{module}.py": Scope(_CLUSTER_TESTS)
        for module in (
            "requests", "requirements", "selectors", "node_affinity", "tolerations", "domains",
            "placement", "columns", "nodes", "cache",
        )
    },
    "gpusched/kube/framework/diagnosis.py": Scope(("tests/kube/framework",)),
    "gpusched/kube/cycle.py": Scope(("tests/kube/framework",)),
    f"{_PLUGINS}/node_resources_fit.py": _RESOURCES,
    "gpusched/kube/scoring_strategies.py": _RESOURCES,
    f"{_PLUGINS}/node_resources_balanced_allocation.py": _RESOURCES,
    f"{_PLUGINS}/taint_toleration.py": Scope(
        ("tests/kube/plugins/test_taint_toleration.py",), ("taints", "mixed"), 2
    ),
    f"{_PLUGINS}/node_affinity.py": Scope(
        ("tests/kube/plugins/test_node_affinity.py",), ("nodeaffinity", "config", "mixed"), 2
    ),
}  # fmt: skip
_PACKAGES: Final = {
    "pod_topology_spread": Scope(
        ("tests/kube/plugins/test_pod_topology_spread.py",), ("spread", "config", "mixed"), 2
    ),
    "inter_pod_affinity": Scope(
        ("tests/kube/plugins/test_inter_pod_affinity.py",), ("interpod", "config", "mixed"), 2
    ),
    "default_preemption": Scope(
        ("tests/kube/plugins/test_default_preemption.py",), ("preemption", "mixed"), 2
    ),
}


@cache
def scope() -> dict[str, Scope]:
    """Return every mutated module with those who watch over it."""
    return _MODULES | dict(_packaged())


def _packaged() -> Iterator[tuple[str, Scope]]:
    for package, aims in _PACKAGES.items():
        for path in sorted(Path(_PLUGINS, package).glob("*.py")):
            if path.name != "__init__.py":
                yield path.as_posix(), aims
