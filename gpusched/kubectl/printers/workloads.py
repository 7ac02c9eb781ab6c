"""The tables of the controllers that keep pods running, and of disruption budgets.

Source: kubernetes/kubernetes pkg/printers/internalversion/printers.go, v1.36.1
"""

from gpusched.kubectl.ages import age
from gpusched.kubectl.fields import JsonObject, controller_of, dig, mapping, name_of, number
from gpusched.kubectl.printers.cells import AGE, NAME, SELECTOR, TEMPLATE, template_cells
from gpusched.kubectl.selectors import label_selector_text, labels_text, of_object
from gpusched.kubectl.table import Cells, Column, TableDefinition


def _age(obj: JsonObject, now: int) -> str:
    return age(dig(obj, "metadata", "creationTimestamp"), now)


def _selector(obj: JsonObject) -> str:
    return label_selector_text(dig(obj, "spec", "selector"))


def _ready(obj: JsonObject) -> str:
    return f"{number(obj, 'status', 'readyReplicas')}/{number(obj, 'spec', 'replicas')}"


def _deployment_cells(obj: JsonObject, now: int) -> Cells:
    updated = number(obj, "status", "updatedReplicas")
    available = number(obj, "status", "availableReplicas")
    selector = str(of_object(dig(obj, "spec", "selector")))
    return [
        name_of(obj), _ready(obj), updated, available, _age(obj, now),
        *template_cells(obj), selector,
    ]  # fmt: skip


def _replica_set_cells(obj: JsonObject, now: int) -> Cells:
    counts = [
        number(obj, "spec", "replicas"),
        number(obj, "status", "replicas"),
        number(obj, "status", "readyReplicas"),
    ]
    return [name_of(obj), *counts, _age(obj, now), *template_cells(obj), _selector(obj)]


def _replication_controller_cells(obj: JsonObject, now: int) -> Cells:
    cells = _replica_set_cells(obj, now)
    return [*cells[:-1], labels_text(mapping(obj, "spec", "selector"))]


def _stateful_set_cells(obj: JsonObject, now: int) -> Cells:
    return [name_of(obj), _ready(obj), _age(obj, now), *template_cells(obj)]


def _daemon_set_cells(obj: JsonObject, now: int) -> Cells:
    counts = (
        "desiredNumberScheduled", "currentNumberScheduled", "numberReady",
        "updatedNumberScheduled", "numberAvailable",
    )  # fmt: skip
    node_selector = mapping(obj, "spec", "template", "spec", "nodeSelector")
    return [
        name_of(obj),
        *(number(obj, "status", count) for count in counts),
        labels_text(node_selector),
        _age(obj, now),
        *template_cells(obj),
        _selector(obj),
    ]


def _budget_cells(obj: JsonObject, now: int) -> Cells:
    bounds = [dig(obj, "spec", bound) for bound in ("minAvailable", "maxUnavailable")]
    allowed = number(obj, "status", "disruptionsAllowed")
    shown = ["N/A" if bound is None else bound for bound in bounds]
    return [name_of(obj), *shown, allowed, _age(obj, now)]


def _revision_cells(obj: JsonObject, now: int) -> Cells:
    owner, shown = controller_of(obj), "<none>"
    if owner:
        group = owner["apiVersion"].rpartition("/")[0]
        kind = owner["kind"].lower() + (f".{group}" if group else "")
        shown = f"{kind}/{owner['name']}"
    return [name_of(obj), shown, number(obj, "revision"), _age(obj, now)]


CONTROLLER_REVISION = TableDefinition(
    (NAME, Column("Controller"), Column("Revision"), AGE), _revision_cells
)
DEPLOYMENT = TableDefinition(
    (NAME, Column("Ready"), Column("Up-to-date"), Column("Available"), AGE, *TEMPLATE, SELECTOR),
    _deployment_cells,
)
REPLICA_SET = TableDefinition(
    (NAME, Column("Desired"), Column("Current"), Column("Ready"), AGE, *TEMPLATE, SELECTOR),
    _replica_set_cells,
)
REPLICATION_CONTROLLER = TableDefinition(REPLICA_SET.columns, _replication_controller_cells)
STATEFUL_SET = TableDefinition((NAME, Column("Ready"), AGE, *TEMPLATE), _stateful_set_cells)
DAEMON_SET = TableDefinition(
    (
        NAME, Column("Desired"), Column("Current"), Column("Ready"), Column("Up-to-date"),
        Column("Available"), Column("Node Selector"), AGE, *TEMPLATE, SELECTOR,
    ),
    _daemon_set_cells,
)  # fmt: skip
POD_DISRUPTION_BUDGET = TableDefinition(
    (NAME, Column("Min Available"), Column("Max Unavailable"), Column("Allowed Disruptions"), AGE),
    _budget_cells,
)
