"""Cases in the golden format to decisions: what ``gpusched decide`` runs.

A case is a cluster, pods in scheduling order and perhaps a scheduler configuration; the answer says
what kube-scheduler decides for each pod, with every score, reason and message. The room joins the
API server's side (`gpusched.api`) with the scheduler (`gpusched.kube`) and knows no clock: pods are
tried strictly in order, and what a decision changes happens at once.

Source: the format is that of the recorded decisions, described in docs/reference/decide.md.
"""

from gpusched.decide.case import Case, MalformedCaseError
from gpusched.decide.manifests import case_of_manifests
from gpusched.decide.reading import numbered_lines
from gpusched.decide.running import Answer, answer, answers
from gpusched.decide.settings import Settings, TieBreak
from gpusched.decide.table import as_table

__all__ = [
    "Answer",
    "Case",
    "MalformedCaseError",
    "Settings",
    "TieBreak",
    "answer",
    "answers",
    "as_table",
    "case_of_manifests",
    "numbered_lines",
]
