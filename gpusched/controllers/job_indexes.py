"""Completion indexes of Indexed Jobs: sets of integers written as ``0-2,5``.

Source: kubernetes/kubernetes pkg/controller/job/indexed_job_utils.go, v1.36.1
"""

from collections.abc import Iterable, Sequence

from gpusched.controllers.protocol import Json, PodView

INDEX = "batch.kubernetes.io/job-completion-index"


def parse_indexes(text: str) -> list[int]:
    """Return the indexes of a text.

    >>> parse_indexes("0-2,5")
    [0, 1, 2, 5]
    """
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def format_indexes(indexes: Iterable[int]) -> str:
    """Return the text of a set of indexes: two in a row stay apart only by a comma.

    >>> format_indexes([5, 0, 1, 2, 7, 8])
    '0-2,5,7,8'
    """
    runs: list[list[int]] = []
    for index in sorted(set(indexes)):
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(_run(first, last) for first, last in runs)


def _run(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}{',' if last == first + 1 else '-'}{last}"


def index_of(pod: PodView) -> int | None:
    """Return a pod's completion index."""
    text = pod.annotations.get(INDEX, "")
    return int(text) if text.isdigit() else None


def pending_indexes(taken: Iterable[int | None], completions: int, count: int) -> list[int]:
    """Return the first ``count`` indexes that are neither active nor succeeded."""
    busy = {index for index in taken if index is not None}
    free = (index for index in range(completions) if index not in busy)
    return [index for _, index in zip(range(count), free, strict=False)]


def indexed_template(template: Json, job_name: str, index: int) -> Json:
    """Return a pod template with its index in annotation, label, environment and host name."""
    meta, spec = template.get("metadata") or {}, template["spec"]
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}}
    variable = {"name": "JOB_COMPLETION_INDEX", "valueFrom": source}
    return {
        **template,
        "metadata": {
            **meta,
            "annotations": {**(meta.get("annotations") or {}), INDEX: str(index)},
            "labels": {**(meta.get("labels") or {}), INDEX: str(index)},
        },
        "spec": {
            **spec,
            "hostname": f"{job_name}-{index}",
            **{
                name: _with_variable(spec[name], variable)
                for name in ("containers", "initContainers")
                if name in spec
            },
        },
    }


def _with_variable(containers: Sequence[Json], variable: Json) -> list[Json]:
    return [
        item
        if any(known["name"] == variable["name"] for known in item.get("env") or ())
        else {**item, "env": [*(item.get("env") or ()), variable]}
        for item in containers
    ]
