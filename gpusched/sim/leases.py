"""Node leases: when each node's lease was last renewed, without an action per renewal.

A kubelet renews every 10 s from its start on, so the last renewal before any instant can be
computed.

Source: kubernetes-sigs/kwok pkg/kwok/controllers/node_lease_controller.go, v0.7.0
"""

from gpusched.sim.calendar import SECOND

PERIOD = 10 * SECOND


class Leases:
    """The leases of all nodes. Times are microseconds since t = 0."""

    def __init__(self) -> None:
        self._spans: dict[str, tuple[int, int | None]] = {}

    def start(self, node: str, now: int) -> None:
        """Renew a node's lease now and every 10 s from now on."""
        self._spans[node] = (now, None)

    def stop(self, node: str, now: int) -> None:
        """Renew a node's lease no more."""
        span = self._spans.get(node)
        if span is not None and span[1] is None:
            self._spans[node] = (span[0], now)

    def drop(self, node: str) -> None:
        """Forget a node."""
        self._spans.pop(node, None)

    def renewed(self, node: str, now: int) -> int | None:
        """Return when a node's lease was last renewed at or before ``now``; None if never.

        >>> leases = Leases()
        >>> leases.start("a", 3 * SECOND); leases.stop("a", 30 * SECOND)
        >>> leases.renewed("a", 99 * SECOND) // SECOND
        23
        """
        span = self._spans.get(node)
        if span is None:
            return None
        end = now if span[1] is None else min(now, span[1])
        return span[0] + (end - span[0]) // PERIOD * PERIOD if end >= span[0] else None
