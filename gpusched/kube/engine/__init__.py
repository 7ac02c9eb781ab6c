"""Engines: the same decisions, by scanning columns or by node-state classes.

`scan` is the reference (`gpusched.kube.cycle`); `fast` gives the same answers from what it
remembers of interchangeable nodes and falls back to the scan where a case is outside it;
`verify` asks both and stops at the first difference.
"""

from collections.abc import Callable, Mapping
from typing import Final

from gpusched.cluster.cache import Cache
from gpusched.kube.engine.fast import FastEngine
from gpusched.kube.engine.interface import Engine, EngineStatistics, ScanEngine
from gpusched.kube.engine.verify import EngineDifferenceError, VerifyEngine

ENGINES: Final[Mapping[str, Callable[[Cache], Engine]]] = {
    "auto": FastEngine,
    "scan": ScanEngine,
    "fast": FastEngine,
    "verify": VerifyEngine,
}
"""All that can be asked for by name; nobody else lists them."""


def engine_named(name: str, cache: Cache) -> Engine:
    """Return a new engine: ``auto`` picks the fast one, which scans where it must.

    Raises:
        KeyError: There is no engine of that name.
    """
    return ENGINES[name](cache)


__all__ = [
    "ENGINES",
    "Engine",
    "EngineDifferenceError",
    "EngineStatistics",
    "FastEngine",
    "ScanEngine",
    "VerifyEngine",
    "engine_named",
]
