"""The command line: arguments, exit statuses, printing. Nothing else prints.

Data goes to standard output, everything else to standard error. Exit status 0: done; 1: a file, a
run or an expectation is wrong; 2: the command line is wrong; 130: interrupted. A command knows no
Kubernetes: it reads its arguments, calls one function of a room below, and writes what it returns.
"""

import signal
import sys


def main() -> None:
    """Run the command line of this process and exit."""
    if hasattr(signal, "SIGPIPE"):  # `gpusched … | head` ends as quietly as any other tool
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        from gpusched.cli.commands import gpusched

        gpusched.main(prog_name="gpusched")
    except KeyboardInterrupt:  # before or after the command itself
        sys.exit(130)
