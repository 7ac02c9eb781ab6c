"""A scenario's expectations against what happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gpusched.api.quantity import Quantity
from gpusched.run.nodes import node_use
from gpusched.run.record import RunRecord


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was expected otherwise."""

    what: str
    expected: int
    observed: int


def differences(record: RunRecord) -> list[Difference]:
    """Return what the scenario expected and did not get; nothing if it expects nothing."""
    expect = record.expect or {}
    return [
        *_compare("pods in phase {}", expect.get("pods") or {}, record.phases()),
        *_messages(expect.get("messages") or (), record),
        *_nodes(expect.get("nodes") or {}, record),
    ]


def _compare(
    words: str, expected: dict[str, int], observed: dict[str, int]
) -> Iterator[Difference]:
    for name, count in expected.items():
        if observed.get(name, 0) != count:
            yield Difference(
                what=words.format(name), expected=count, observed=observed.get(name, 0)
            )


def _messages(expected: Any, record: RunRecord) -> Iterator[Difference]:
    wanted = {message["text"]: message["pods"] for message in expected}
    yield from _compare('pods waiting with "{}"', wanted, record.messages())


def _nodes(expected: dict[str, dict[str, Any]], record: RunRecord) -> Iterator[Difference]:
    if not expected:
        return
    use = node_use(record.end())
    for node, resources in expected.items():
        observed = {name: amounts["requested"] for name, amounts in use.get(node, {}).items()}
        wanted = {name: _amount(name, value) for name, value in resources.items()}
        yield from _compare(f"{{}} requested on node {node}", wanted, observed)


def _amount(resource: str, value: str | int) -> int:
    quantity = Quantity.parse(value)
    return quantity.milli_value() if resource == "cpu" else quantity.value()
