"""The lesson's evidence folder: what kubectl printed, and a report with verdicts by rule.

Knows the lesson's names and kubectl's texts; writes no file and reads no clock.

Source: the lesson's checklist, items L1-50 to L1-66
"""

from gpusched.kubectl.evidence.collect import EvidenceFile, collect, console
from gpusched.kubectl.evidence.report import REPORT_NAME, Environment, write_report
from gpusched.kubectl.evidence.verdicts import Verdict, verdicts

__all__ = [
    "REPORT_NAME",
    "Environment",
    "EvidenceFile",
    "Verdict",
    "collect",
    "console",
    "verdicts",
    "write_report",
]
