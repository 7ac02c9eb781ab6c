"""Plant faults in the decision code and see whether the tests notice (``make mutate``).

Run as ``python -m tools.mutate [--sample 600] [--seed 1] [--jobs 3]`` from the repository's folder.
Each mutant lives in the memory of a process of its own: nothing is written to the tree. First the
tests of the mutated module run, then recorded decisions of the families that bear on it, and the
first failure kills. What the tests chosen below let pass is printed as a survivor; what becomes of
survivors stands in ``docs/explanation/mutation.md``.
"""

import argparse
import json
import lzma
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from multiprocessing import get_context
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final, TypeAlias

import hypothesis
import numpy as np
import pydantic
import pytest

from tools.mutants import Mutant, mutants_of, planted
from tools.mutation_scope import RECORDINGS, Scope, scope

PREPARED: Final = (hypothesis, pydantic)
"""Slow to import and free of our code: imported once, before mutants are born."""

_TIMEOUT: Final = 120
_SURVIVED: Final = 0
_KILLED_BY: Final = {1: "tests", 2: "recordings", None: "never ending"}

Outcome: TypeAlias = tuple[Mutant, str]


class _Planter(MetaPathFinder, Loader):
    """Imports one module from a tree that holds a fault."""

    def __init__(self, name: str, code: CodeType) -> None:
        self._name, self._code = name, code

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self._name else None

    def create_module(self, _spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)


def _plant(mutant: Mutant) -> None:
    name = mutant.path.removesuffix(".py").replace("/", ".")
    code = compile(planted(mutant, Path(mutant.path).read_text()), mutant.path, "exec")
    sys.meta_path.insert(0, _Planter(name, code))


def _examine(aims: Scope, mutant: Mutant | None) -> None:
    """Exit with what killed the mutant; runs in a process of its own."""
    _silence()
    try:
        if mutant is not None:
            _plant(mutant)
        hypothesis.settings.register_profile(
            "mutation",
            derandomize=True,
            database=None,
            phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
        )
        hypothesis.settings.load_profile("mutation")
        options = ["-x", "-q", "--assert=plain", "-p", "no:randomly", "-p", "no:cacheprovider"]
        if pytest.main([*options, *aims.tests]) != pytest.ExitCode.OK:
            os._exit(1)
        os._exit(_SURVIVED if all(map(_still_right, _recorded(aims))) else 2)
    except BaseException:  # noqa: BLE001 - whatever a fault raises has given it away
        os._exit(1)


def _silence() -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)


def _recorded(aims: Scope) -> Iterator[str]:
    """Yield the recorded cases that bear on a module, one in ``aims.every``."""
    for family in aims.families:
        lines = lzma.decompress((RECORDINGS / f"{family}.jsonl.xz").read_bytes())
        yield from lines.decode().splitlines()[:: aims.every]


def _still_right(line: str) -> bool:
    from gpusched.decide import Settings, TieBreak, answer  # noqa: PLC0415 - after planting
    from tests.decide.comparison import differences  # noqa: PLC0415

    recording = json.loads(line)
    found = answer(recording["case"], Settings(tie_break=TieBreak.NAME))
    return not found.malformed and not differences(recording["expect"], found.expect)


def _verdict(aims: Scope, mutant: Mutant | None) -> str:
    """Return what killed, or an empty text if nothing did."""
    process = get_context("fork").Process(target=_examine, args=(aims, mutant))
    process.start()
    process.join(_TIMEOUT)
    status = process.exitcode
    if status is None:
        process.kill()
        process.join()
    return "" if status == _SURVIVED else _KILLED_BY.get(status, "crash")


def examined(mutant: Mutant) -> Outcome:
    """Return a mutant and what killed it, or an empty text if nothing did."""
    return mutant, _verdict(scope()[mutant.path], mutant)


def check_the_sound(aims: Scope) -> None:
    """Make sure that tests and recordings pass without a fault: else a kill says nothing."""
    if how := _verdict(aims, None):
        raise SystemExit(f"without any fault, {', '.join(aims.tests)} fail: {how}")


def drawn(sample: int, seed: int, paths: Iterable[str]) -> list[Mutant]:
    """Return a random sample of all mutants of the given modules; all if ``sample`` is 0."""
    everyone = [mutant for path in paths for mutant in mutants_of(path, Path(path).read_text())]
    order = np.random.default_rng(seed).permutation(len(everyone))[: sample or None]
    print(f"{len(everyone)} mutants in {len(scope())} modules; {len(order)} drawn, seed {seed}")
    return [everyone[at] for at in order]


def _told(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Yield outcomes as they come and say every hundred how far it is."""
    for number, outcome in enumerate(outcomes, 1):
        if number % 100 == 0:
            print(f"{number} done", file=sys.stderr, flush=True)
        yield outcome


def report(outcomes: Sequence[Outcome]) -> None:
    """Print the score, what killed, and every survivor."""
    kills = Counter(how for _, how in outcomes)
    survivors = sorted(mutant for mutant, how in outcomes if not how)
    killed = len(outcomes) - len(survivors)
    print(f"killed {killed} of {len(outcomes)}: {100 * killed / max(1, len(outcomes)):.1f} %")
    print(", ".join(f"{count} by {how}" for how, count in kills.most_common() if how))
    print(*(f"survived  {mutant}" for mutant in survivors), sep="\n")


def main() -> None:
    """Draw, examine, report."""
    parser = argparse.ArgumentParser(description="mutation testing of the decision code")
    parser.add_argument("--sample", type=int, default=600, help="0 for every mutant")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--only", default="", help="modules whose path holds this text")
    given = parser.parse_args()
    paths = [path for path in scope() if given.only in path]
    mutants = drawn(given.sample, given.seed, paths)
    lanes = partial(ProcessPoolExecutor, given.jobs, get_context("fork"))
    with lanes() as pool:
        list(pool.map(check_the_sound, {scope()[path] for path in paths}))
        report(list(_told(pool.map(examined, mutants))))


if __name__ == "__main__":
    main()
