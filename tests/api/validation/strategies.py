"""Objects that a client might send: recorded ones with something changed at random.

A change drops, repeats or corrupts a value, or adds a field of the type with a value that is often
plausible and sometimes not. The same functions serve Hypothesis here and the differential runs
against the real API server, so they draw from whatever offers ``random.Random``'s methods.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Protocol

from hypothesis import strategies as st

from gpusched.api.wire import is_known, types
from gpusched.api.wire.types import Json


class Chooser(Protocol):
    """The part of ``random.Random`` that is used."""

    def random(self) -> float: ...
    def choice(self, seq: Sequence[Any], /) -> Any: ...
    def randrange(self, stop: int, /) -> int: ...


WORDS = (
    "", "a", "a-b", "A", "a b", "a.b", "a/b", "a/b/c", "x" * 64, "x" * 254, "..", "../x", "/x",
    "-", "1", "0", "-1", "5%", "0%", "200%", "x%", "cpu", "memory", "nvidia.com/gpu", "é", 'q"',
    "c0", "web", "10.0.0.1", "fd00::1", "10.0.0.0/24", "iqn.2001-04.com.example:x",
    "kubernetes.io/x",
)  # fmt: skip
LIKELY: dict[str, tuple[Any, ...]] = {
    "accessModes": ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod", "X"),
    "action": ("Restart", "FailJob", "Ignore", "Count", "FailIndex", "X"),
    "allocationMode": ("ExactCount", "All", "X"),
    "apiVersion": ("v1", "apps/v1", "v2"),
    "completionMode": ("NonIndexed", "Indexed", "X"),
    "concurrencyPolicy": ("Allow", "Forbid", "Replace", "X"),
    "dnsPolicy": ("ClusterFirst", "None", "Default", "X"),
    "effect": ("NoSchedule", "NoExecute", "PreferNoSchedule", "", "X"),
    "fieldPath": ("metadata.name", "metadata.labels['a']", "spec.nodeName", "x"),
    "imagePullPolicy": ("Always", "Never", "IfNotPresent", "X"),
    "kind": ("Pod", "Node", "PersistentVolumeClaim"),
    "operator": ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Equal", "X", ""),
    "podManagementPolicy": ("OrderedReady", "Parallel", "X"),
    "preemptionPolicy": ("Never", "PreemptLowerPriority", "X"),
    "protocol": ("TCP", "UDP", "SCTP", "X"),
    "reclaimPolicy": ("Delete", "Retain", "Recycle", "X"),
    "resourceName": ("cpu", "memory", "x"),
    "restartPolicy": ("Always", "Never", "OnFailure", "NotRequired", "RestartContainer", "X"),
    "scopeName": ("Terminating", "BestEffort", "PriorityClass", "X"),
    "scopes": ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "X"),
    "status": ("True", "False", "X"),
    "terminationMessagePolicy": ("File", "FallbackToLogsOnError", "X"),
    "topologyKey": ("kubernetes.io/hostname", "topology.kubernetes.io/zone", "", "a b"),
    "type": ("RollingUpdate", "Recreate", "OnDelete", "Container", "Pod", "ClusterIP", "NodePort",
             "Directory", "Localhost", "RuntimeDefault", "X"),
    "volumeBindingMode": ("Immediate", "WaitForFirstConsumer", "X"),
    "volumeMode": ("Filesystem", "Block", "X"),
    "whenUnsatisfiable": ("DoNotSchedule", "ScheduleAnyway", "X"),
}  # fmt: skip
"""Plausible values, and a wrong one, by field name."""

QUANTITIES = (
    "1", "2", "0", "500m", "1Gi", "1.5Gi", "2Mi", "-1", "0.1m", "1e3", "1k", "100", 3, 1.5,
    "9223372036854775808", "x", "", None,
)  # fmt: skip
RESOURCES = (
    "cpu", "memory", "ephemeral-storage", "storage", "pods", "nvidia.com/gpu", "hugepages-2Mi",
    "hugepages-1Gi", "gpu", "kubernetes.io/x", "requests.cpu", "limits.memory", "a b",
    "requests.nvidia.com/gpu", "example.com/x/y", "hugepages-x", "services", "count/pods",
)  # fmt: skip
NUMBERS = (0, 1, 2, -1, 10, 80, 100, 101, 255, 256, 420, 512, 65535, 65536, 2**31 - 1, 2**31)
MISFITS: tuple[Any, ...] = (None, 5, "x", True, [], {}, [1], {"a": 1}, 1.5, "", -1)
_SELF_READ = {
    "!resource.Quantity": QUANTITIES,
    "!intstr.IntOrString": (0, 1, -1, 80, "25%", "200%", "http", "x%", ""),
    "!v1.Time": ("2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z", "yesterday", None),
    "!v1.MicroTime": ("2023-11-14T22:13:20.000000Z", "x", None),
}
_DEEPEST = 4


def draw_value(rnd: Chooser, expression: str, name: str, depth: int = 0) -> Any:
    """Return a value for a field of a Go type."""
    if rnd.random() < 0.01:
        return deepcopy(rnd.choice(MISFITS))
    if expression.startswith("*"):
        return draw_value(rnd, expression[1:], name, depth)
    if expression.startswith("[]"):
        count = rnd.choice((0, 1, 1, 2)) if depth < _DEEPEST else 0
        return [draw_value(rnd, expression[2:], name, depth + 1) for _ in range(count)]
    if expression.startswith("map["):
        return _draw_map(rnd, expression, depth)
    if types.is_struct(expression):
        return _draw_struct(rnd, expression, depth)
    return _draw_scalar(rnd, expression, name)


def _draw_map(rnd: Chooser, expression: str, depth: int) -> Json:
    element = expression.partition("]")[2]
    keys = RESOURCES if "Quantity" in element else WORDS
    count = rnd.choice((0, 1, 1, 2, 3))
    return {rnd.choice(keys): draw_value(rnd, element, "", depth + 1) for _ in range(count)}


def _draw_struct(rnd: Chooser, struct: str, depth: int) -> Json:
    result: Json = {}
    for name, field in types.fields(struct).items():
        likely = 0.9 if field.required else (0.35 if depth < 2 else 0.15)
        if depth <= _DEEPEST and rnd.random() < likely:
            result[name] = draw_value(rnd, field.expression, name, depth + 1)
    return result


def _draw_scalar(rnd: Chooser, expression: str, name: str) -> Any:
    if expression in _SELF_READ:
        return rnd.choice(_SELF_READ[expression])
    basic = expression.partition(":")[0]
    if basic == "bool":
        return rnd.choice((True, False))
    if basic in {"int32", "int64"}:
        return rnd.choice(NUMBERS)
    if basic == "string":
        return rnd.choice(LIKELY.get(name, WORDS) if rnd.random() < 0.9 else WORDS)
    return rnd.choice(("YQ==", {}))


def _places(struct: str, value: Json) -> list[tuple[Json, str, str]]:
    """Return every (holder, struct, field name) in a typed object, unknown fields left out."""
    found = []
    for name, field in types.fields(struct).items():
        found.append((value, struct, name))
        if name in value:
            found += _inner(field.expression, value[name])
    return found


def _inner(expression: str, value: Any) -> list[tuple[Json, str, str]]:
    expression = expression.lstrip("*")
    if types.is_struct(expression) and isinstance(value, dict):
        return _places(expression, value)
    if expression.startswith("[]") and isinstance(value, list):
        return [place for item in value for place in _inner(expression[2:], item)]
    return []


def mutate(obj: Json, rnd: Chooser) -> Json:
    """Return a copy of an object with one to four changes."""
    obj = deepcopy(obj)
    version, kind = obj.get("apiVersion"), obj.get("kind")
    if not isinstance(version, str) or not isinstance(kind, str) or not is_known(version, kind):
        return obj
    for _ in range(rnd.choice((1, 1, 1, 2, 3, 4))):
        places = _places(types.root(version, kind), obj)
        # Places that hold something, so that deep ones are not drowned by absent fields.
        present = [place for place in places if place[2] in place[0]]
        holder, struct, name = rnd.choice(present if rnd.random() < 0.5 else places)
        if name not in {"kind", "apiVersion"} or struct != types.root(version, kind):
            _change(holder, struct, name, rnd)
    return obj


def _change(holder: Json, struct: str, name: str, rnd: Chooser) -> None:
    value, chance = holder.get(name), rnd.random()
    expression = types.fields(struct)[name].expression
    if chance < 0.15:
        holder.pop(name, None)
    elif chance < 0.3 and isinstance(value, list) and value:
        value.append(deepcopy(rnd.choice(value)))
    elif chance < 0.5 and isinstance(value, dict) and value:
        _change_entry(value, expression, rnd)
    elif chance < 0.53:
        holder[name] = deepcopy(rnd.choice(MISFITS))
    elif chance < 0.65 and isinstance(value, list) and value:
        value[rnd.randrange(len(value))] = draw_value(rnd, expression.lstrip("*")[2:], name)
    else:
        holder[name] = draw_value(rnd, expression, name)


def _change_entry(value: Json, expression: str, rnd: Chooser) -> None:
    key = rnd.choice(sorted(value))
    if expression.startswith("map["):
        element = expression.partition("]")[2]
        value[rnd.choice(RESOURCES if "Quantity" in element else WORDS)] = draw_value(
            rnd, element, ""
        )
    if rnd.random() < 0.5:
        del value[key]


def mutated(objects: Sequence[Json]) -> st.SearchStrategy[Json]:
    """Draw changed copies of the given objects."""
    return st.builds(mutate, st.sampled_from(objects), st.randoms(use_true_random=False))
