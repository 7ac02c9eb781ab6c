"""What of a cluster the simulator is given before it plays a scenario."""

from typing import Any

from gpusched.live.preparing import LABEL
from gpusched.live.session import standing


def thing(kind: str, name: str, namespace: str = "", *, play: str = "") -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    if play:
        meta["labels"] = {LABEL: play}
    return {"kind": kind, "metadata": meta}


def test_what_the_last_play_has_left_in_its_ending_namespace_is_not_standing() -> None:
    """Its budget would tell the simulator that it has no pods any more."""
    theirs = [
        thing("Node", "real"),
        thing("Namespace", "lab"),
        thing("PodDisruptionBudget", "b", "lab"),
    ]
    left = [
        thing("Node", "kwok", play="p1"),
        thing("Namespace", "p1-lab", play="p1"),
        thing("PodDisruptionBudget", "b", "p1-lab", play="p1"),
        thing("ResourceClaim", "made-of-a-template", "p1-lab"),
    ]
    assert standing([*left, *theirs]) == tuple(theirs)
