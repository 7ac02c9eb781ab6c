"""Answers about values that many objects have in common."""

from gpusched.api.shared import Shared


def test_an_answer_is_worked_out_once_for_the_same_value() -> None:
    asked: list[object] = []

    def remember(value: object, more: int) -> object:
        asked.append(value)
        return (value, more)

    answers, value = Shared(remember), {"a": 1}
    assert answers.of((value,), 1) is answers.of((value,), 1)
    assert answers.of((value,), 2) == (value, 2)
    assert len(asked) == 2


def test_equal_values_are_different_values() -> None:
    answers = Shared(lambda value: value)
    first, second = {"a": 1}, {"a": 1}
    assert answers.of((first,)) is first
    assert answers.of((second,)) is second


def test_an_identity_never_passes_to_another_value() -> None:
    answers = Shared(lambda value: value["n"])
    for number in range(20_000):  # each map is dropped at once, its place is free for the next
        assert answers.of(({"n": number},)) == number
