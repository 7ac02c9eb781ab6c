"""The changes of a watch, piece by piece as they come in."""

from collections.abc import Iterator
from typing import Any

from gpusched.live.cluster import Stream


class Answer:
    """An open answer to a watch; what it yields after its end is not for us."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    def stream(self, _amount: None, **_how: Any) -> Iterator[bytes]:
        yield from self.pieces

    def shutdown(self) -> None:
        """Nothing is heard of it in the thread that reads."""


def test_changes_may_be_cut_anywhere() -> None:
    text = b'{"type":"ADDED","object":{"a":1}}\n{"type":"DELETED","object":{"a":2}}\n'
    for cut in range(len(text)):
        found = list(Stream(Answer([text[:cut], text[cut:]])).changes())
        assert found == [("ADDED", {"a": 1}), ("DELETED", {"a": 2})]


def test_what_comes_in_while_the_connection_is_shut_down_is_not_read() -> None:
    first = b'{"type":"ADDED","object":{}}\n'
    stream = Stream(Answer([first, b"\xa6\x17\n"]))
    changes = stream.changes()
    assert next(changes) == ("ADDED", {})
    stream.close()
    assert list(changes) == []
