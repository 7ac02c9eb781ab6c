"""Ctrl-C between two actions of the loop, so that what was played until then is whole."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from gpusched.sim.loop import URGENT, Loop


@contextmanager
def between_actions(loop: Loop) -> Iterator[None]:
    """Let the first SIGINT end the loop before its next action; the second acts as usual.

    Python may raise KeyboardInterrupt inside a half-done write; here it is raised by an action of
    its own. Only a main thread whose SIGINT has Python's own handler is changed.

    Raises:
        KeyboardInterrupt: From the loop, after a SIGINT.
    """
    usual = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or usual is not signal.default_int_handler:
        yield
        return

    def ask(_number: int, _frame: FrameType | None) -> Any:
        signal.signal(signal.SIGINT, usual)
        loop.soon(_stop, priority=URGENT)

    signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _stop() -> NoReturn:
    raise KeyboardInterrupt
