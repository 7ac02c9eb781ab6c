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


_FACTS: Final = ("tests/docs/test_plugin_reference.py", "tests/kube/plugins/test_conformance.py")
"""What every plugin must pass: the page about it, and the checks that all plugins share."""

_ENGINE: Final = ("tests/kube/engine/test_fast.py", "tests/kube/engine/test_states.py")
_NODE_AFFINITY: Final = "tests/kube/plugins/test_node_affinity.py"


def _plugin(tests: str, *families: str) -> Scope:
    """Return who watches over a plugin: the files of tests that begin so, two families or three."""
    files = sorted(path.as_posix() for path in Path("tests/kube/plugins").glob(f"{tests}*.py"))
    return Scope((*files, *_FACTS), families, 2)


_RESOURCES: Final = _plugin("test_node_resources", "resources", "config", "gpu_fleet")

_MODULES: Final[dict[str, Scope]] = {
    "gpusched/api/quantity.py": Scope(
        (
            "tests/api/test_quantity.py",
            "tests/api/test_quantity_bounds.py",
            "tests/cluster/test_requests.py",
        )
    ),
    **{
        f"gpusched/cluster/{module}.py": Scope(("tests/cluster", *tests))
        for module, tests in {
            "requests": (),
            "requirements": (_NODE_AFFINITY,),
            "selectors": (_NODE_AFFINITY,),
            "node_affinity": (_NODE_AFFINITY,),
            "tolerations": ("tests/kube/plugins/test_taint_toleration.py",),
            "domains": ("tests/kube/plugins/test_pod_topology_spread.py",),
            "placement": _ENGINE,
            "columns": _ENGINE,
            "nodes": _ENGINE,
            "cache": _ENGINE,
        }.items()
    },
    "gpusched/kube/framework/diagnosis.py": Scope(("tests/kube/framework",)),
    "gpusched/kube/cycle.py": Scope(("tests/kube/framework",)),
    f"{_PLUGINS}/node_resources_fit.py": _RESOURCES,
    "gpusched/kube/scoring_strategies.py": _RESOURCES,
    f"{_PLUGINS}/node_resources_balanced_allocation.py": _RESOURCES,
    f"{_PLUGINS}/taint_toleration.py": _plugin("test_taint_toleration", "taints", "mixed"),
    f"{_PLUGINS}/node_affinity.py": _plugin("test_node_affinity", "nodeaffinity", "config"),
}
_PACKAGES: Final = {
    "pod_topology_spread": _plugin("test_pod_topology_spread", "spread", "config"),
    "inter_pod_affinity": _plugin("test_inter_pod_affinity", "interpod", "config"),
    "default_preemption": _plugin("test_default_preemption", "preemption", "mixed"),
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
