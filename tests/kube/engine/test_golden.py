"""Every recorded case, decided by both engines: they agree on all that was ever recorded."""

import json
import lzma
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpusched.cluster.cache import Cache, Snapshot
from gpusched.cluster.pod import PodInfo
from gpusched.decide import Settings, TieBreak, answer
from gpusched.decide.settings import ENGINES
from gpusched.kube.cycle import Attempt, Search
from gpusched.kube.engine import VerifyEngine
from gpusched.kube.framework.runtime import Framework

RECORDINGS = Path(__file__).parents[2] / "golden" / "decisions"
FAMILIES = sorted(path.name.removesuffix(".jsonl.xz") for path in RECORDINGS.glob("*.jsonl.xz"))


class Verifying:
    """One engine per cluster, as `decide` asks for attempts; clusters come one after another."""

    def __init__(self) -> None:
        self._cache: Cache | None = None
        self._engine: VerifyEngine | None = None
        self.fast = 0

    def attempt(
        self, framework: Framework, snapshot: Snapshot, pod: PodInfo, search: Search
    ) -> Attempt:
        cache = snapshot.list_nodes.__self__  # type: ignore[attr-defined] # the cache's method
        if self._engine is None or cache is not self._cache:
            self._cache, self._engine = cache, VerifyEngine(cache)
        before = self._engine.statistics.attempts["scan"]
        attempt = self._engine.attempt(framework, pod, search)
        self.fast += self._engine.statistics.attempts["scan"] == before
        return attempt


def cases(family: str) -> Iterator[str]:
    text = lzma.decompress((RECORDINGS / f"{family}.jsonl.xz").read_bytes()).decode()
    yield from text.splitlines()


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_engines_agree_on_every_recorded_case(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    verifying = Verifying()
    monkeypatch.setitem(ENGINES, "verify", verifying.attempt)
    settings = Settings(tie_break=TieBreak.NAME, engine="verify")
    for line in cases(family):
        answer(json.loads(line)["case"], settings)
    assert verifying.fast > 0, "the fast engine was never on its own"
