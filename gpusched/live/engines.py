"""One play under the fast engine and under the scan: equal byte for byte, or where they part."""

from itertools import zip_longest

from gpusched.run.record import RunRecord
from gpusched.sim.calendar import SECOND
from gpusched.sim.journal import Row, written

_END = "the end"


def parting(fast: RunRecord, scan: RunRecord) -> tuple[str, str, str] | None:
    """Return what differs first, as the one and as the other has it; None if nothing does.

    Compared are all writes (objects, pods, events) with their times and places in the journal, what
    became of every action, and the scheduler's counters and gauges.
    """
    for index, (one, two) in enumerate(zip_longest(fast.rows, scan.rows)):
        given, wanted = _text(one), _text(two)
        if given != wanted:
            return f"row {index + 1} of the journal", given, wanted
    for what, one, two in (
        ("reports of actions", fast.reports, scan.reports),
        *((each, fast.statistics[each], scan.statistics[each]) for each in ("counters", "gauges")),
    ):
        if one != two:
            return what, str(one), str(two)
    return None


def _text(row: Row | None) -> str:
    if row is None:
        return _END
    return f"{row.at / SECOND:g}s {row.what.name} {row.subject} {written(row.detail)}"
