"""A Scenario: a fleet, timed steps over plain manifests, and how long pods run.

The only kind of our own. It holds nothing but what a cluster understands, plus times, so that the
same file can be played in the simulator and on a live cluster. Reading it compiles nothing.

* ``document``: the file as it is written; ``schema``: its JSON Schema.
* ``actions``: what a step can do.
* ``durations``: how long pods run.
* ``reading``: files resolved and everything judged; all faults at once.
"""

from gpusched.api.scenario.actions import (
    Apply,
    Cordon,
    Create,
    Delete,
    Drain,
    Kubectl,
    KwokStart,
    KwokStop,
    Label,
    Patch,
    Scale,
    Taint,
    Uncordon,
)
from gpusched.api.scenario.document import ScenarioDocument
from gpusched.api.scenario.durations import Runtime
from gpusched.api.scenario.reading import Scenario, Step, load_scenario

__all__ = [
    "Apply",
    "Cordon",
    "Create",
    "Delete",
    "Drain",
    "Kubectl",
    "KwokStart",
    "KwokStop",
    "Label",
    "Patch",
    "Runtime",
    "Scale",
    "Scenario",
    "ScenarioDocument",
    "Step",
    "Taint",
    "Uncordon",
    "load_scenario",
]
