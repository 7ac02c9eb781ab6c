"""The tables of jobs and cron jobs.

Source: kubernetes/kubernetes pkg/printers/internalversion/printers.go printJob, v1.36.1
"""

from typing import Final

from gpusched.kubectl.ages import age, human_duration, parse_time
from gpusched.kubectl.fields import JsonObject, dig, name_of, number, rows, text
from gpusched.kubectl.printers.cells import AGE, NAME, SELECTOR, TEMPLATE, template_cells
from gpusched.kubectl.selectors import label_selector_text
from gpusched.kubectl.table import Cells, Column, TableDefinition

_BEFORE_DELETION: Final = (("Complete", "Complete"), ("Failed", "Failed"))
_AFTER_DELETION: Final = (
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def _job_cells(job: JsonObject, now: int) -> Cells:
    return [
        name_of(job),
        _status(job),
        _completions(job),
        job_duration(job, now),
        age(dig(job, "metadata", "creationTimestamp"), now),
        *template_cells(job),
        label_selector_text(dig(job, "spec", "selector")),
    ]


def _status(job: JsonObject) -> str:
    conditions = {c["type"] for c in rows(job, "status", "conditions") if c.get("status") == "True"}
    for condition, status in _BEFORE_DELETION:
        if condition in conditions:
            return status
    if dig(job, "metadata", "deletionTimestamp"):
        return "Terminating"
    return next((status for name, status in _AFTER_DELETION if name in conditions), "Running")


def _completions(job: JsonObject) -> str:
    succeeded, wanted = number(job, "status", "succeeded"), dig(job, "spec", "completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = number(job, "spec", "parallelism")
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def job_duration(job: JsonObject, now: int) -> str:
    """Return how long a job has run, or ran; empty before it starts."""
    start, end = text(job, "status", "startTime"), text(job, "status", "completionTime")
    if not start:
        return ""
    return human_duration((parse_time(end) if end else now) - parse_time(start))


def _cron_job_cells(obj: JsonObject, now: int) -> Cells:
    last = dig(obj, "status", "lastScheduleTime")
    template = {"spec": dig(obj, "spec", "jobTemplate", "spec")}
    return [
        name_of(obj),
        text(obj, "spec", "schedule"),
        dig(obj, "spec", "timeZone") or "<none>",
        "True" if dig(obj, "spec", "suspend") else "False",
        len(rows(obj, "status", "active")),
        age(last, now) if last else "<none>",
        age(dig(obj, "metadata", "creationTimestamp"), now),
        *template_cells(template),
        label_selector_text(dig(template, "spec", "selector") or {}),
    ]


JOB = TableDefinition(
    (
        NAME, Column("Status"), Column("Completions"), Column("Duration"), AGE, *TEMPLATE, SELECTOR,
    ),
    _job_cells,
)  # fmt: skip
CRON_JOB = TableDefinition(
    (
        NAME, Column("Schedule"), Column("Timezone"), Column("Suspend"), Column("Active"),
        Column("Last Schedule"), AGE, *TEMPLATE, SELECTOR,
    ),
    _cron_job_cells,
)  # fmt: skip
