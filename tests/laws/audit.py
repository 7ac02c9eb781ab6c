"""The laws of a run, judged from its journal alone: nothing here asks the scheduler."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from gpusched.api.quantity import Quantity
from gpusched.run.replay import PodChange, Replay
from gpusched.sim.manifest import manifest_of
from gpusched.sim.pod import Pod, PodTemplate
from gpusched.sim.store import Store
from tests.laws.manifests import Json

Amounts = Mapping[str, int]
_PHASES = {"Pending": 0, "Running": 1, "Succeeded": 2, "Failed": 2}


def amounts_of(quantities: Mapping[str, str]) -> dict[str, int]:
    """Return quantities in thousandths."""
    return {name: _milli(str(text)) for name, text in quantities.items()}


@cache
def _milli(text: str) -> int:
    return Quantity.parse(text).milli_value()


def requests_of(template: PodTemplate) -> Amounts:
    """Return what a pod asks for, in thousandths, itself included."""
    total: Counter[str] = Counter({"pods": 1000})
    for container in template.spec["containers"]:
        total.update(amounts_of((container.get("resources") or {}).get("requests") or {}))
    return total


def ports_of(template: PodTemplate) -> list[int]:
    """Return a pod's host ports."""
    found = (port for c in template.spec["containers"] for port in c.get("ports") or ())
    return [port["hostPort"] for port in found if port.get("hostPort")]


def tolerates(template: PodTemplate, taint: Json) -> bool:
    """Return whether one of a pod's tolerations covers a taint."""
    for item in template.spec.get("tolerations") or ():
        same = item.get("key") in (None, "", taint["key"])
        same = same and item.get("effect") in (None, "", taint["effect"])
        equal = item.get("operator", "Equal") == "Exists" or item.get("value", "") == taint.get(
            "value", ""
        )
        if same and equal:
            return True
    return False


def admits(node: Json, template: PodTemplate) -> bool:
    """Return whether a node's labels, taints and cordon let a pod in."""
    spec, meta = node.get("spec") or {}, node["metadata"]
    taints = list(spec.get("taints") or ())
    if spec.get("unschedulable"):
        taints.append({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
    if any(t["effect"] != "PreferNoSchedule" and not tolerates(template, t) for t in taints):
        return False
    labels = meta.get("labels") or {}
    wanted = template.spec.get("nodeSelector") or {}
    if any(labels.get(name) != value for name, value in wanted.items()):
        return False
    pinned = _pinned_to(template)
    return pinned is None or meta["name"] in pinned


def _pinned_to(template: PodTemplate) -> list[str] | None:
    """Return the names of the only nodes that a DaemonSet's pod may be on, or None."""
    affinity = (template.spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return None
    terms = required["nodeSelectorTerms"]
    return [value for term in terms for e in term["matchFields"] for value in e["values"]]


@dataclass(slots=True)
class Audit:
    """Follows a journal row by row and judges every write.

    Attributes:
        store: Whose journal.
        punctual: Whether the scheduler hears of a write in the same instant; else it may bind to a
            node as that was a moment ago, as the real one does.
        replay: The state after the rows read so far.
        on_node: Pods that hold something, by node and serial number.
        used: What they hold, by node.
        gone: Serial numbers of pods that were removed.
        quiet_since: When a pod or a node was last changed in a way that could help another pod.
    """

    store: Store
    punctual: bool = True
    replay: Replay = field(default_factory=lambda: Replay([]))
    on_node: defaultdict[str, dict[int, Pod]] = field(default_factory=lambda: defaultdict(dict))
    gone: set[int] = field(default_factory=set)
    quiet_since: int = -1 << 62

    def catch_up(self) -> None:
        """Judge what has been written since the last call."""
        rows = self.replay.rows
        assert isinstance(rows, list)
        rows.extend(self.store.journal.rows(len(rows)))
        while self.replay.position < len(rows):
            row = rows[self.replay.position]
            change = self.replay.one()
            if change is not None:
                self._judge(row.subject, change)
            elif row.what.name.startswith("OBJECT"):
                kind = row.detail[0] if isinstance(row.detail, tuple) else row.detail["kind"]
                self.quiet_since = row.at if kind == "Node" else self.quiet_since

    def _judge(self, serial: int, change: PodChange) -> None:
        old, new = change.old, change.new
        if new is None:
            assert old is not None, f"pod {serial} is removed without having been there"
            assert serial not in self.gone, f"{old.key} is removed twice"
            self.gone.add(serial)
        else:
            assert serial not in self.gone, f"{new.key} is written after its end"
            self._judge_step(old, new)
        if _hold(old) != _hold(new) or _labels(old) != _labels(new):
            self.quiet_since = change.at
            self._place(serial, old, new)

    def _judge_step(self, old: Pod | None, new: Pod) -> None:
        if old is None:
            same = [pod for pod in self.replay.pods.values() if pod.key == new.key]
            assert len(same) == 1, f"{new.key} is there twice"
            assert not new.node, f"{new.key} is bound by its creation"
            return
        assert _PHASES[old.phase] <= _PHASES[new.phase], f"{new.key}: {old.phase}, {new.phase}"
        assert old.deletion is None or new.deletion is not None, f"{new.key} rises from the dead"
        if old.node:
            assert new.node == old.node, f"{new.key} is bound twice: {old.node}, {new.node}"
        elif new.node:
            self._judge_binding(new)

    def _judge_binding(self, pod: Pod) -> None:
        assert pod.deletion is None, f"{pod.key} is bound while it is deleted"
        assert not pod.template.gated, f"{pod.key} is bound behind a gate"
        if not self.punctual:
            return
        node = self.replay.objects.get(("Node", "", pod.node))
        assert node is not None, f"{pod.key} is bound to {pod.node}, which is not there"
        assert admits(node, pod.template), f"{pod.key} may not be on {pod.node}"
        assert not self.short_of(node, pod, ()), f"{pod.node} is over-committed by {pod.key}"

    def short_of(self, node: Json, pod: Pod, others: tuple[Pod, ...]) -> list[str]:
        """Return of what a node has too little for a pod beside its own and ``others``."""
        here = self.on_node[node["metadata"]["name"]]
        beside = [p for p in (*here.values(), *others) if p.serial != pod.serial]
        used: Counter[str] = Counter()
        for item in beside:
            used.update(requests_of(item.template))
        has = amounts_of(node["status"]["allocatable"])
        wanted = requests_of(pod.template)
        short = [name for name, n in wanted.items() if n and used[name] + n > has.get(name, 0)]
        taken = {port for item in beside for port in ports_of(item.template)}
        return short + [f"port {port}" for port in ports_of(pod.template) if port in taken]

    def _place(self, serial: int, old: Pod | None, new: Pod | None) -> None:
        if old is not None and old.node:
            self.on_node[old.node].pop(serial, None)
        where = _hold(new)
        if new is not None and where:
            self.on_node[where][serial] = new

    # --- the state as a whole ---------------------------------------------------------------------

    def check_replay(self) -> None:
        """Check that the journal alone gives the store's state."""
        calendar = self.store.calendar
        replayed = [manifest_of(pod, calendar) for pod in self.replay.pods.values()]
        assert replayed == [manifest_of(pod, calendar) for pod in self.store.pods()]
        kinds = sorted({kind for kind, _, _ in self.replay.objects})
        for kind in kinds:
            objects = [obj for (name, _, _), obj in self.replay.objects.items() if name == kind]
            assert objects == list(self.store.objects(kind))
        assert list(self.replay.events.values()) == self.store.events

    def waiting(self) -> Iterator[Pod]:
        """Yield the pods that a scheduler should place if it can."""
        for pod in self.replay.pods.values():
            free = not pod.node and pod.deletion is None and not pod.template.gated
            if free and pod.phase == "Pending":
                yield pod

    def room_for(self, pod: Pod) -> list[str]:
        """Return the nodes on which a pod fits beside those with a claim to the room.

        Pods with terms about other pods are left out: no node is named for them, nor while any
        pod that is placed or nominated keeps others away.
        """
        around = [p for p in self.replay.pods.values() if p.node or p.nominated]
        if _has_terms(pod) or any(_has_terms(other) for other in around):
            return []
        nodes = [obj for (kind, _, _), obj in self.replay.objects.items() if kind == "Node"]
        return [
            node["metadata"]["name"]
            for node in nodes
            if admits(node, pod.template)
            and not self.short_of(node, pod, self._nominated(node["metadata"]["name"], pod))
        ]

    def _nominated(self, node: str, pod: Pod) -> tuple[Pod, ...]:
        return tuple(
            other
            for other in self.replay.pods.values()
            if other.nominated == node
            and not other.node
            and other.template.priority >= pod.template.priority
        )


def _hold(pod: Pod | None) -> str:
    """Return where a pod holds resources, or an empty string."""
    return pod.node if pod is not None and not pod.terminal else ""


def _labels(pod: Pod | None) -> object:
    return None if pod is None else (pod.labels, pod.deletion is None)


def _has_terms(pod: Pod) -> bool:
    spec = pod.template.spec
    affinity = spec.get("affinity") or {}
    return bool(
        affinity.get("podAffinity")
        or affinity.get("podAntiAffinity")
        or spec.get("topologySpreadConstraints")
    )
