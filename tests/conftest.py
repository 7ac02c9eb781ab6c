"""What holds for all tests: no law hangs on how fast a machine is, nor on luck.

The gate draws the same examples each time; ``--hypothesis-profile explore`` draws new ones.
And the options of the tests that need a real cluster; without ``--kubeconfig`` they are skipped.
"""

import signal
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "explore",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("gate", settings.get_profile("explore"), derandomize=True)
settings.load_profile("gate")

COMPARED = pytest.StashKey[Counter[str]]()
AGREEING = pytest.StashKey[list[str]]()
RACY = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("live", "a real cluster")
    group.addoption("--kubeconfig", help="the kubeconfig of a cluster to test against")
    group.addoption("--live-context", help="its context, if the kubeconfig has several")
    group.addoption("--live-cases", type=int, default=20, help="random scenarios to play")
    group.addoption(
        "--live-exact",
        action="store_true",
        help="its scheduler runs at parallelism: 1: compare each node",
    )
    group.addoption(
        "--live-configure", help="a command that starts its scheduler and KWOK as a scenario says"
    )
    group.addoption("--live-kwok", help="a command that ends and starts one of its KWOK processes")
    group.addoption("--live-stages", help="a file of Stages by which its KWOK ends pods in time")
    group.addoption(
        "--live-out", default="build/differences", help="where shrunk scenarios are written"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[COMPARED] = Counter()
    config.stash[AGREEING] = []
    config.stash[RACY] = []
    # A shell starts its background jobs deaf to Ctrl-C; tests that press it must be heard.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--kubeconfig"):
        return
    skip = pytest.mark.skip(reason="needs a cluster: --kubeconfig")
    for item in items:
        if item.get_closest_marker("live"):
            item.add_marker(skip)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    counts = config.stash[COMPARED]
    if counts:
        parts = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        terminalreporter.write_line(f"Compared with the cluster: {parts}")
        agreeing = config.stash[AGREEING]
        names = ", ".join(agreeing)
        terminalreporter.write_line(f"Committed scenarios that agree ({len(agreeing)}): {names}")
    for line in config.stash[RACY]:
        terminalreporter.write_line(f"Shown by one play only: {line}")
