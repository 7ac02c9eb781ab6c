"""Random walks that can be named by a number: ``python -m tests.laws.walks SEED STEPS ENGINE``.

Prints the digest of the walk's journal, so that another process can be asked for it.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from gpusched.sim.calendar import SECOND
from tests.laws.lab import Lab, Operation
from tests.laws.manifests import SHAPES

_SPANS: Final = (1, 1000, SECOND // 2, SECOND, 7 * SECOND, 60 * SECOND, 400 * SECOND)
_POLICIES: Final = ("Background", "Foreground", "Orphan")
Draw = Callable[[int], int]

_MAKERS: Final[Mapping[str, Callable[[Draw], tuple[Any, ...]]]] = {
    "create_pod": lambda n: (n(len(SHAPES)), n(4), n(4), n(6) == 0, (0, 3, 30)[n(3)]),
    "create_workload": lambda n: (n(5), n(6), n(len(SHAPES)), n(4), n(4)),
    "delete_pod": lambda n: (n(40), (None, 0)[n(2)]),
    "finish_pod": lambda n: (n(40), n(2) == 0),
    "ungate": lambda n: (n(5),),
    "relabel_pod": lambda n: (n(40), n(2) == 0),
    "delete_workload": lambda n: (n(9), _POLICIES[n(3)]),
    "scale": lambda n: (n(9), n(7)),
    "roll": lambda n: (n(5), n(len(SHAPES)), n(2) == 0),
    "set_budget": lambda n: (n(len(SHAPES)), n(4)),
    "add_node": lambda n: (n(12),),
    "remove_node": lambda n: (n(30),),
    "set_gpus": lambda n: (n(9), (0, 2, 4, 8)[n(4)]),
    "move_pool": lambda n: (n(9), "ab"[n(2)]),
    "cordon": lambda n: (n(9),),
    "uncordon": lambda n: (n(9),),
    "drain": lambda n: (n(9),),
    "taint": lambda n: (n(9), n(3)),
    "untaint": lambda n: (n(9), n(3)),
    "silence": lambda _: (),
    "wake": lambda _: (),
}


def walk(seed: int, steps: int) -> list[Operation]:
    """Return a walk of so many operations, with pauses between most of them."""
    rng = np.random.default_rng([seed, steps])

    def draw(bound: int) -> int:
        return int(rng.integers(bound))

    names = list(_MAKERS)
    operations: list[Operation] = []
    while len(operations) < steps:
        name = names[draw(len(names))]
        operations.append((name, _MAKERS[name](draw)))
        if draw(3):
            operations.append(("advance", (_SPANS[draw(len(_SPANS))],)))
    return operations


def digest(seed: int, steps: int, engine: str, latency: str = "zero") -> str:
    """Return the digest of a walk's journal."""
    lab = Lab(engine, seed, latency).play(walk(seed, steps))
    return lab.plane.store.journal.digest()


if __name__ == "__main__":
    number, length, chosen = sys.argv[1:]
    print(digest(int(number), int(length), chosen))  # noqa: T201 - what the other process reads
