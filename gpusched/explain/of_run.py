"""An attempt of a run, found and explained."""

from bisect import bisect_right
from dataclasses import replace
from typing import Final

from gpusched.cluster.cache import Snapshot
from gpusched.cluster.nodes import Ints
from gpusched.errors import Fault, InvalidInputError
from gpusched.explain.attempt import explain
from gpusched.explain.explanation import Explanation
from gpusched.explain.scene import Scene, scene_of
from gpusched.explain.story import AttemptMark, attempts_of, queue_story
from gpusched.kube.cycle import Search, TieBreak, heap_tie_break, name_tie_break
from gpusched.run.record import RunRecord
from gpusched.run.replay import PodChange, Replay
from gpusched.sim.calendar import SECOND
from gpusched.sim.journal import EVENT_WRITTEN

_ALL_NODES: Final = 100
_TIE_BREAKS: Final[dict[str, TieBreak]] = {"kube": heap_tie_break, "name": name_tie_break}
_OTHER_NODE: Final = (
    "the run took {actual}: its scheduler looked at part of the nodes, drew lots, or saw an older "
    "state"
)
_OTHER_MESSAGE: Final = "the run's own message differs: its scheduler saw an older state"


def explain_pod(
    record: RunRecord, pod: str, *, until: int | None = None, number: int | None = None
) -> Explanation:
    """Return one attempt of a run taken apart.

    Args:
        record: The run.
        pod: ``namespace/name``.
        until: Microseconds since t = 0; attempts after it do not count. By default the end.
        number: Which attempt, from 1; by default the last one.

    Raises:
        InvalidInputError: There is no such pod or attempt.
    """
    until = record.ended if until is None else until
    changes = _changes_of(record, pod)
    marks = attempts_of(record.moves, pod, until) or _from_journal(changes, until)
    mark = _chosen(marks, number, pod, until)
    found = _explained(record, scene_of(record, mark.row), pod)
    found = _compared(found, changes, marks, mark)
    found = _with_victims(found, record, changes, mark)
    if number is None and found.result != "scheduled":
        found = _with_changes_now(found, record, pod, until)
    return replace(
        found,
        attempt=marks.index(mark) + 1,
        attempts=len(marks),
        seconds=mark.at / SECOND,
        history=queue_story(record.moves, pod, until),
    )


def _with_changes_now(found: Explanation, record: RunRecord, pod: str, until: int) -> Explanation:
    """Count the changes in the cluster as it is at ``until``: the attempt may be long past."""
    rows = bisect_right(record.rows, until, key=lambda row: row.at)
    scene = scene_of(record, rows)
    if pod not in scene.waiting:
        return found
    now = _explained(record, scene, pod)
    return replace(found, smallest_change=now.smallest_change, changes_seconds=until / SECOND)


def _explained(record: RunRecord, scene: Scene, pod: str) -> Explanation:
    info = scene.waiting[pod]
    framework = scene.frameworks.get(info.shape.spec.scheduler_name or "")
    if framework is None:
        words = f"it is for the scheduler {info.shape.spec.scheduler_name!r}, which did not run"
        raise _refusal(pod, words)
    tie_break = _TIE_BREAKS.get(record.tie_break, _any)
    return explain(framework, scene.snapshot, info, Search(0, _ALL_NODES, tie_break))


def _any(_snapshot: Snapshot, feasible: Ints, best: Ints) -> int:
    """Stand in for lots that were drawn: the run itself says where they fell."""
    return int(feasible[best[0]])


def _changes_of(record: RunRecord, pod: str) -> list[tuple[int, PodChange]]:
    """Return the writes of a pod and the number of rows before each.

    Raises:
        InvalidInputError: There never was such a pod.
    """
    namespace, _, name = pod.rpartition("/")
    replay = Replay(record.rows)
    found = []
    while replay.position < len(record.rows):
        change = replay.one()
        known = change and (change.new or change.old)
        if change and known and (known.namespace, known.name) == (namespace, name):
            found.append((replay.position - 1, change))
    if not found:
        raise _refusal(pod, "the run never had this pod (see: gpusched get pods -A)")
    return found


def _from_journal(changes: list[tuple[int, PodChange]], until: int) -> list[AttemptMark]:
    """Return the attempts that the pod itself shows, for runs without a scheduler's log."""
    marks = []
    for row, change in changes:
        old, new = change.old, change.new
        if old is None or new is None or old.node or change.at > until:
            continue
        if new.node or new.conditions != old.conditions:
            marks.append(AttemptMark(change.at, row))
    return marks


def _chosen(marks: list[AttemptMark], number: int | None, pod: str, until: int) -> AttemptMark:
    if not marks:
        raise _refusal(pod, f"no attempt to schedule it until {until / SECOND:g}s")
    if number is not None and not 1 <= number <= len(marks):
        raise _refusal(pod, f"there is no attempt {number}; it had {len(marks)}")
    return marks[-1 if number is None else number - 1]


def _compared(
    found: Explanation,
    changes: list[tuple[int, PodChange]],
    marks: list[AttemptMark],
    mark: AttemptMark,
) -> Explanation:
    """Hold the explanation against what the run says; the run is right where they differ."""
    after = marks[marks.index(mark) + 1 :]
    end = after[0].row if after else None
    states = [c.new for row, c in changes if c.new is not None and (end is None or row < end)]
    last = states[-1]
    if last.node and not after:
        same = found.node == last.node
        notes = () if same else (_OTHER_NODE.format(actual=last.node),)
        return replace(found, node=last.node, result="scheduled", notes=notes)
    told = [c.message for c in last.conditions if c.type == "PodScheduled"]
    if told and found.message and told[0] != found.message:
        return replace(found, message=told[0], notes=(_OTHER_MESSAGE,))
    return found


def _with_victims(
    found: Explanation,
    record: RunRecord,
    changes: list[tuple[int, PodChange]],
    mark: AttemptMark,
) -> Explanation:
    """Tell the node and the victims that the run's preemption took: it draws lots among equals."""
    after = next((c.new for row, c in changes if row >= mark.row and c.new is not None), None)
    if after is None or after.nominated not in found.candidates:
        return found
    chosen = after.nominated
    told = f"Preempted by pod {after.uid} on node {chosen}"
    events = (row.detail for row in record.rows[mark.row :] if row.what is EVENT_WRITTEN)
    victims = [
        f"{event.regarding['namespace']}/{event.regarding['name']}"
        for event in events
        if event.message == told
    ]
    return replace(found, nominated=chosen, victims=tuple(dict.fromkeys(victims)))


def _refusal(pod: str, why: str) -> InvalidInputError:
    return InvalidInputError([Fault(f"pod {pod}: {why}")])
