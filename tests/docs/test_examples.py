"""The examples of the documentation: programs with their output, and a plugin of one's own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster.builders import add_node, empty_cache, pod
from tests.docs.pages import DOCS, ROOT
from tests.kube.plugins.conformance import Check, Trial, checks

EXAMPLES = sorted((DOCS / "examples").glob("*.py"))


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


PLUGIN = example("fragmentation_score").FragmentationScore(((1, 70), (8, 30)))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_stands_beside_it(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == path.with_suffix(".out").read_text(encoding="utf-8")


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.__name__)
def test_the_plugin_keeps_every_plugins_promises(check: Check) -> None:
    cache = empty_cache()
    gpus = {"cpu": "8", "memory": "32Gi", "pods": "10", "nvidia.com/gpu": "8"}
    for name in ("large", "half-full", "small"):
        count = "4" if name == "small" else "8"
        add_node(cache, name, allocatable={**gpus, "nvidia.com/gpu": count})
    cache.add_pod(pod(cache, "train", requests={"nvidia.com/gpu": "4"}), "half-full")
    check(Trial(PLUGIN, cache, pod(cache, "new", requests={"nvidia.com/gpu": "2"})))


@given(free=st.integers(0, 8))
def test_useless_gpus_are_those_that_the_mix_cannot_take(free: int) -> None:
    by_hand = (70 * free if free < 1 else 0) + (30 * free if free < 8 else 0)
    assert PLUGIN.useless(np.array([free])).tolist() == [by_hand]
