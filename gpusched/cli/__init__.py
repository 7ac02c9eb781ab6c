"""The command line: arguments, exit statuses, printing. Nothing else prints.

Data goes to standard output, everything else to standard error. Exit status 0: done; 1: a file, a
run or an expectation is wrong; 2: the command line is wrong; 130: interrupted. A command knows no
Kubernetes: it reads its arguments, calls one function of a room below, and writes what it returns.
"""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def short_lived() -> Iterator[None]:
    """Let this process start, run and end quickly; for a program of its own, never for a library.

    The interpreter's collector would walk all modules and the whole run several times, at the end
    once more, though neither makes much garbage in cycles. BLAS, which nobody here calls, would
    start a thread on each core when numpy is imported.
    """
    gc.set_threshold(200_000, 50, 1000)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        yield
    finally:
        gc.freeze()


def main() -> None:
    """Run the command line of this process and exit."""
    if hasattr(signal, "SIGPIPE"):  # `gpusched … | head` ends as quietly as any other tool
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        with short_lived():
            from gpusched.cli.commands import gpusched

            gpusched.main(prog_name="gpusched")
    except KeyboardInterrupt:  # before or after the command itself
        sys.exit(130)
