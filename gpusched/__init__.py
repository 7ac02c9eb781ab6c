"""gpusched: what Kubernetes 1.36 would decide for your GPU pods, without a cluster.

* ``simulate(scenario)``: play a scenario in virtual time; returns a `Run`.
* ``open_saved(folder)``: a run that was kept.
* ``load_scenario(file)``: a scenario read and judged.
* ``InvalidInputError``: what a wrong file raises; it carries every fault.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gpusched.version import __version__

if TYPE_CHECKING:
    from gpusched.api.scenario import Scenario, load_scenario
    from gpusched.errors import GpuschedError, InvalidInputError
    from gpusched.face import Run, open_saved, simulate

__all__ = [
    "GpuschedError",
    "InvalidInputError",
    "Run",
    "Scenario",
    "__version__",
    "load_scenario",
    "open_saved",
    "simulate",
]
_HOMES = {
    "GpuschedError": "gpusched.errors",
    "InvalidInputError": "gpusched.errors",
    "Run": "gpusched.face",
    "Scenario": "gpusched.api.scenario",
    "load_scenario": "gpusched.api.scenario",
    "open_saved": "gpusched.face",
    "simulate": "gpusched.face",
}


def __getattr__(name: str) -> Any:
    """Import a name of the face when it is first used, so importing is cheap."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'gpusched' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    """Return the face's names, imported or not, for completion in notebooks."""
    return sorted({*globals(), *__all__})
