"""A case as it stands on a line, checked for its shape; what it says is not understood here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpusched.errors import GpuschedError

Json = Mapping[str, Any]


class MalformedCaseError(GpuschedError, ValueError):
    """A case cannot be understood; the message begins with the place inside the case."""


@dataclass(frozen=True, slots=True)
class ForcedPreemption:
    """An outcome of preemption that is to be carried out, whatever was found.

    Attributes:
        node: The node to nominate.
        victims: Keys (``namespace/name``) of all pods that go, terminating ones included.
        cleared: Keys of pods that lose their nomination.
    """

    node: str
    victims: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A cluster and a queue.

    Attributes:
        name: How the answer is called.
        config: A KubeSchedulerConfiguration document; empty for the default.
        objects: What is in the cluster, as a client sends it.
        pending: The pods to decide, in order.
        forced: Parallel to ``pending``, or shorter: the node to bind to; empty for free choice.
        forced_preemptions: By pod and attempt.
    """

    name: str
    config: str
    objects: tuple[Any, ...]
    pending: tuple[Any, ...]
    forced: tuple[str, ...]
    forced_preemptions: Mapping[tuple[str, int], ForcedPreemption]

    @classmethod
    def read(cls, value: Any) -> "Case":
        """Read a case from a JSON value.

        Raises:
            MalformedCaseError: It has not the shape of a case.
        """
        if not isinstance(value, dict):
            raise MalformedCaseError("the case is not a JSON object")
        preemptions = _items(value, "forcedPreemptions", dict)
        return cls(
            name=_text(value, "name"),
            config=_text(value, "config"),
            objects=_items(value, "objects", dict),
            pending=_items(value, "pending", dict),
            forced=_items(value, "forced", str),
            forced_preemptions=dict(_forced(item, at) for at, item in enumerate(preemptions)),
        )


def _text(value: Json, name: str, place: str = "") -> str:
    text = value.get(name)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise MalformedCaseError(f"{place}{name}: not a string")
    return text


def _items(value: Json, name: str, kind: type, place: str = "") -> tuple[Any, ...]:
    items = value.get(name)
    if items is None:
        return ()
    if not isinstance(items, list):
        raise MalformedCaseError(f"{place}{name}: not a list")
    for at, item in enumerate(items):
        if not isinstance(item, kind):
            wanted = "an object" if kind is dict else "a string"
            raise MalformedCaseError(f"{place}{name}[{at}]: not {wanted}")
    return tuple(items)


def _forced(item: Json, at: int) -> tuple[tuple[str, int], ForcedPreemption]:
    place = f"forcedPreemptions[{at}]."
    attempt = item.get("attempt", 0)
    if not isinstance(attempt, int):
        raise MalformedCaseError(f"{place}attempt: not a number")
    victims = _items(item, "victims", str, place) + _items(item, "terminating", str, place)
    cleared = _items(item, "cleared", str, place)
    forced = ForcedPreemption(_text(item, "node", place), victims, cleared)
    return (_text(item, "pod", place), attempt), forced
