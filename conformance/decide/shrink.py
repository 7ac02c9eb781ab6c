"""Making a case that shows a difference as small as possible."""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Json = dict[str, Any]
Path = tuple[str | int, ...]
Shows = Callable[[Sequence[Json]], list[bool]]
"""For each of several cases: whether it still shows the difference."""

_BATCH = 40


def shrink(case: Json, shows: Shows, rounds: int = 6) -> Json:
    """Return a smaller case that still shows the difference."""
    for name in ("pending", "objects"):
        case = _fewer_items(case, name, shows)
    for _ in range(rounds):
        smaller = _sweep(case, shows)
        if smaller == case:
            break
        case = smaller
    return case


def _fewer_items(case: Json, name: str, shows: Shows) -> Json:
    """Remove blocks of a list, large ones first, the last block first."""
    size = len(case[name]) // 2
    while size:
        starts = range(0, len(case[name]), size)
        candidates = [
            {**case, name: case[name][:at] + case[name][at + size :]} for at in reversed(starts)
        ]
        kept = next((at for at, good in enumerate(shows(candidates)) if good), None)
        if kept is None:
            size //= 2
        else:
            case = candidates[kept]
            size = min(size, len(case[name]))
    return case


def _sweep(case: Json, shows: Shows) -> Json:
    """Try to remove each part once, the largest first."""
    tried: set[Path] = set()
    while True:
        paths = [path for path in _removable(case) if path not in tried][:_BATCH]
        if not paths:
            return case
        candidates = [_without(case, path) for path in paths]
        kept = next((at for at, good in enumerate(shows(candidates)) if good), None)
        if kept is None:
            tried.update(paths)
            continue
        tried.update(paths[:kept])
        case = candidates[kept]


def _removable(case: Json) -> list[Path]:
    paths = [path for path in _paths(case, ()) if len(path) > 1 or path == ("config",)]
    return sorted(paths, key=lambda path: (len(path), [-_as_number(part) for part in path]))


def _as_number(part: str | int) -> int:
    """Later list items first: what comes after a difference is the first to go."""
    return part if isinstance(part, int) else 0


def _paths(value: Any, path: Path) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _paths(item, (*path, at))


def _without(case: Json, path: Path) -> Json:
    smaller = copy.deepcopy(case)
    holder: Any = smaller
    for part in path[:-1]:
        holder = holder[part]
    del holder[path[-1]]
    return smaller
