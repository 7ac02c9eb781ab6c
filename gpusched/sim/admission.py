"""What the API server's admission plugins do to an object that is being created, given the objects that are there.

Source: kubernetes/kubernetes plugin/pkg/admission, v1.36.1
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gpusched.api.quantity import Quantity
from gpusched.controllers.protocol import ApiError
from gpusched.controllers.quota_usage import as_quantity
from gpusched.sim.kinds import KINDS
from gpusched.sim.pod import Json
from gpusched.sim.store import Store

_SYSTEM_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def forbidden(resource: str, name: str, why: str, causes: Iterable[str] = ()) -> ApiError:
    """Return the refusal of an admission plugin."""
    return ApiError(403, "Forbidden", f'{resource} "{name}" is forbidden: {why}', tuple(causes))


def check_namespace(store: Store, kind: str, namespace: str, name: str) -> None:
    """Refuse what is created in a namespace that does not exist or is going away (NamespaceLifecycle)."""
    found = store.get("Namespace", "", namespace)
    if found is None:
        raise ApiError(404, "NotFound", f'namespaces "{namespace}" not found')
    if found["metadata"].get("deletionTimestamp"):
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        raise forbidden(KINDS[kind].qualified, name, why, ("NamespaceTerminating",))


def mutate(store: Store, obj: Json) -> Json:
    """Return a defaulted object after the plugins that change it."""
    if obj["kind"] == "Node":
        return _taint_node(obj)
    if obj["kind"] == "Pod":
        spec = _limit_defaults(store, obj)
        return {**obj, "spec": _tolerate(_prioritize(store, {**obj, "spec": spec}))}
    return obj


def _taint_node(node: Json) -> Json:
    """Taint a new node until it is ready (TaintNodesByCondition)."""
    spec = node.get("spec") or {}
    taints = spec.get("taints") or []
    if any(taint["key"] == NOT_READY["key"] and taint["effect"] == "NoSchedule" for taint in taints):
        return node
    return {**node, "spec": {**spec, "taints": [*taints, dict(NOT_READY)]}}


def _prioritize(store: Store, pod: Json) -> Json:
    """Resolve the priority class (Priority)."""
    spec: Json = pod["spec"]
    name = spec.get("priorityClassName") or ""
    value, policy = 0, "PreemptLowerPriority"
    if name in _SYSTEM_CLASSES:
        value = _SYSTEM_CLASSES[name]
    elif name:
        found = store.get("PriorityClass", "", name)
        if found is None:
            raise forbidden("pods", _provisional(pod), f"no PriorityClass with name {name} was found")
        value, policy = found["value"], found.get("preemptionPolicy") or policy
    elif (default := _default_class(store)) is not None:
        name, value = default["metadata"]["name"], default["value"]
        policy = default.get("preemptionPolicy") or policy
    for field, given, computed in (("integer value of priority", spec.get("priority"), value), ("string value of preemptionPolicy", spec.get("preemptionPolicy"), policy)):
        if given is not None and given != computed:
            part = "priority" if field.endswith("priority") else "preemptionPolicy"
            why = (
                f"the {field} ({given}) must not be provided in pod spec; {part} admission controller"
                f" computed {computed} from the given PriorityClass name"
            )
            raise forbidden("pods", _provisional(pod), why)
    named = {"priorityClassName": name} if name else {}
    return {**spec, **named, "priority": value, "preemptionPolicy": policy}


def _provisional(pod: Json) -> str:
    return str(pod["metadata"].get("name") or pod["metadata"].get("generateName") or "")


def _default_class(store: Store) -> Json | None:
    defaults = [item for item in store.objects("PriorityClass") if item.get("globalDefault")]
    return min(defaults, key=lambda item: item["value"], default=None)


def _tolerate(spec: Json) -> Json:
    """Tolerate a lost node for 300 s unless the pod says otherwise (DefaultTolerationSeconds)."""
    tolerations = list(spec.get("tolerations") or ())
    given = [item.get("key") or "" for item in tolerations if item.get("effect") in (None, "", "NoExecute")]
    for key in _TOLERATED:
        if key not in given and "" not in given:
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    return {**spec, "tolerations": tolerations}


def _container_limits(store: Store, namespace: str) -> list[Json]:
    ranges = store.objects("LimitRange", namespace)
    return [item for found in ranges for item in found["spec"].get("limits") or () if item["type"] == "Container"]


def _limit_defaults(store: Store, pod: Json) -> Json:
    """Fill in the containers' missing limits and requests (LimitRanger); notes what it did in an annotation."""
    spec: Json = pod["spec"]
    limits = _container_limits(store, pod["metadata"]["namespace"])
    if not limits:
        return spec
    notes: list[str] = []
    containers = [_filled(container, limits, notes) for container in spec.get("containers", ())]
    if notes:
        meta = pod["metadata"]
        note = "LimitRanger plugin set: " + "; ".join(notes)
        meta["annotations"] = {**(meta.get("annotations") or {}), "kubernetes.io/limit-ranger": note}
    return {**spec, "containers": containers}


def _filled(container: Json, limits: list[Json], notes: list[str]) -> Json:
    resources = container.get("resources") or {}
    out = dict(resources)
    for part, field in (("requests", "defaultRequest"), ("limits", "default")):
        have = dict(resources.get(part) or {})
        added = []
        for item in limits:
            for name, value in (item.get(field) or {}).items():
                if name not in have:
                    have[name] = value
                    added.append(name)
        if have:
            out[part] = have
        if added:
            notes.append(f"{', '.join(sorted(added))} {part[:-1]} for container {container['name']}")
    return {**container, "resources": out}


def check_limits(store: Store, pod: Json) -> None:
    """Refuse a container outside the limit ranges (LimitRanger)."""
    problems: list[str] = []
    for item in _container_limits(store, pod["metadata"]["namespace"]):
        for container in pod["spec"].get("containers", ()):
            problems += _outside(item, container.get("resources") or {})
    if problems:
        why = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise forbidden("pods", pod["metadata"]["name"], why)


def _outside(item: Json, resources: Json) -> Iterable[str]:
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    for name, bound in (item.get("min") or {}).items():
        yield from _compare("minimum", "request", name, bound, requests.get(name))
    for name, bound in (item.get("max") or {}).items():
        yield from _compare("maximum", "limit", name, bound, limits.get(name))


def _compare(side: str, part: str, name: str, bound: Any, value: Any) -> Iterable[str]:
    if value is None:
        yield f"{side} {name} usage per Container is {bound}.  No {part} is specified"
        return
    have, want = Quantity.parse(str(value)), Quantity.parse(str(bound))
    if (have < want) if side == "minimum" else (have > want):
        yield f"{side} {name} usage per Container is {bound}, but {part} is {value}"


def charge_quota(store: Store, kind: str, name: str, namespace: str, usage: Mapping[str, int]) -> list[Json]:
    """Return the quotas of the namespace with an object's usage added, or refuse it (ResourceQuota).

    Args:
        store: Where the quotas are.
        kind: Kind of the object.
        name: Its name, for the message.
        namespace: Its namespace.
        usage: What it adds, by quota resource name, in thousandths.
    """
    charged = []
    for quota in store.objects("ResourceQuota", namespace):
        status = quota.get("status") or {}
        hard, used = status.get("hard") or {}, status.get("used") or {}
        touched = {field: amount for field, amount in usage.items() if field in hard and field in used and amount}
        if not touched:
            continue
        over = [field for field in sorted(touched) if milli(used[field]) + touched[field] > milli(hard[field])]
        if over:
            parts = (
                ("requested", {field: as_quantity(touched[field]) for field in over}),
                ("used", used),
                ("limited", hard),
            )
            lists = ", ".join(f"{word}: " + ",".join(f"{f}={table[f]}" for f in over) for word, table in parts)
            raise forbidden(KINDS[kind].qualified, name, f"exceeded quota: {quota['metadata']['name']}, {lists}")
        raised = {**used, **{field: as_quantity(milli(used[field]) + amount) for field, amount in touched.items()}}
        charged.append({**quota, "status": {**status, "used": raised}})
    return charged


def milli(quantity: Any) -> int:
    """Return a quantity in thousandths."""
    return Quantity.parse(str(quantity)).milli_value()
