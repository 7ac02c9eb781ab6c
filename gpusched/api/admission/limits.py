"""LimitRanger: a namespace's defaults and bounds for containers, pods and claims.

Source: kubernetes/kubernetes plugin/pkg/admission/limitranger/admission.go, v1.36.1
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gpusched.api.admission.denied import Denied, forbid, join
from gpusched.api.defaulting.resources import Totals, aggregate, is_pod_level
from gpusched.api.quantity import ZERO, Quantity
from gpusched.api.wire import Json

_ANNOTATION: Final = "kubernetes.io/limit-ranger"
_LARGEST_MILLI: Final = (2**63 - 1) // 1000
_KINDS: Final = (("containers", "container"), ("initContainers", "init container"))


def apply_limit_ranges(pod: Json, ranges: Iterable[Json]) -> Json:
    """Return the pod with the default requests and limits of its namespace."""
    for limits in ranges:
        pod = _apply(pod, limits)
    return pod


def _apply(pod: Json, limits: Json) -> Json:
    defaults: dict[str, Json] = {"limits": {}, "requests": {}}
    for item in _items(limits, "Container"):
        defaults["requests"] |= item.get("defaultRequest") or {}
        defaults["limits"] |= item.get("default") or {}
    notes: list[str] = []
    spec = dict(pod["spec"])
    for kind, shown in _KINDS:
        if kind in spec:
            spec[kind] = [_merge(one, defaults, shown, notes) for one in spec[kind]]
    if not notes:
        return pod
    annotations = dict(pod["metadata"].get("annotations") or {})
    annotations[_ANNOTATION] = f"LimitRanger plugin set: {'; '.join(notes)}"
    return {**pod, "metadata": {**pod["metadata"], "annotations": annotations}, "spec": spec}


def _merge(container: Json, defaults: dict[str, Json], shown: str, notes: list[str]) -> Json:
    resources = dict(container.get("resources") or {})
    for name in ("requests", "limits"):
        given = resources.get(name) or {}
        added = sorted(defaults[name].keys() - given.keys())
        if added:
            resources[name] = {**given, **{key: defaults[name][key] for key in added}}
            what = f"{', '.join(added)} {name.removesuffix('s')}"
            notes.append(f"{what} for {shown} {container.get('name', '')}")
    return {**container, "resources": resources}


def _items(limits: Json, kind: str) -> Iterator[Json]:
    for item in (limits.get("spec") or {}).get("limits") or ():
        if item.get("type") == kind:
            yield item


def check_limit_ranges(obj: Json, ranges: Sequence[Json]) -> Denied | None:
    """Return a refusal if a pod or claim is outside of its namespace's bounds."""
    check = {"Pod": _pod_problems, "PersistentVolumeClaim": _claim_problems}.get(obj["kind"])
    for limits in ranges if check else ():
        problems = list(check(obj["spec"], limits)) if check else []
        if problems:
            return forbid(obj, join(problems))
    return None


def _pod_problems(spec: Json, limits: Json) -> Iterator[str]:
    for item in _items(limits, "Container"):
        for kind, _ in _KINDS:
            for container in spec.get(kind) or ():
                resources = container.get("resources") or {}
                listed = [_parsed(resources.get(name)) for name in ("requests", "limits")]
                yield from _problems(item, "Container", *listed)
    for item in _items(limits, "Pod"):
        yield from _problems(item, "Pod", _total(spec, "requests"), _total(spec, "limits"))


def _parsed(resources: Json | None) -> Totals:
    return {name: Quantity.parse(text) for name, text in (resources or {}).items()}


def _total(spec: Json, which: str) -> Totals:
    """Return what a pod asks for in all: its own resources go before its containers'."""
    own = _parsed((spec.get("resources") or {}).get(which))
    return aggregate(spec, which) | {name: own[name] for name in own if is_pod_level(name)}


def _problems(item: Json, kind: str, requests: Totals, limits: Totals) -> Iterator[str]:
    for name, text in (item.get("min") or {}).items():
        yield from _under(name, text, kind, requests, limits)
    for name, text in (item.get("max") or {}).items():
        yield from _over(name, text, kind, requests, limits)
    for name, text in (item.get("maxLimitRequestRatio") or {}).items():
        yield from _ratio(name, text, kind, requests, limits)


def _under(name: str, text: str, kind: str, requests: Totals, limits: Totals) -> Iterator[str]:
    bound, request, limit = Quantity.parse(text), requests.get(name), limits.get(name)
    rule = f"minimum {name} usage per {kind} is {text}"
    if request is None:
        yield f"{rule}.  No request is specified"
    elif request < bound:
        yield f"{rule}, but request is {request}"
    elif limit is not None and limit < bound:
        yield f"{rule}, but limit is {limit}"


def _over(name: str, text: str, kind: str, requests: Totals, limits: Totals) -> Iterator[str]:
    bound, request, limit = Quantity.parse(text), requests.get(name), limits.get(name)
    rule = f"maximum {name} usage per {kind} is {text}"
    if limit is None:
        yield f"{rule}.  No limit is specified"
    elif limit > bound:
        yield f"{rule}, but limit is {limit}"
    elif request is not None and request > bound:
        yield f"{rule}, but request is {request}"


def _ratio(name: str, text: str, kind: str, requests: Totals, limits: Totals) -> Iterator[str]:
    request, limit = requests.get(name, ZERO), limits.get(name, ZERO)
    rule = f"{name} max limit to request ratio per {kind} is {text}, but"
    if not request:
        yield f"{rule} no request is specified or request is 0"
        return
    if not limit:
        yield f"{rule} no limit is specified or limit is 0"
        return
    bound = Quantity.parse(text)
    values = [quantity.value() for quantity in (request, limit, bound)]
    if max(values) <= _LARGEST_MILLI:
        values = [quantity.milli_value() for quantity in (request, limit, bound)]
    observed = values[1] / values[0]
    # The bound counts in thousandths, and so does the ratio compared with it.
    if observed * 1000 > bound.milli_value():
        yield f"{rule} provided ratio is {observed:f}"


def _claim_problems(spec: Json, limits: Json) -> Iterator[str]:
    requests = _parsed((spec.get("resources") or {}).get("requests"))
    for item in _items(limits, "PersistentVolumeClaim"):
        for name, text in (item.get("min") or {}).items():
            yield from _under(name, text, "PersistentVolumeClaim", requests, {})
        for name, text in (item.get("max") or {}).items():
            request = requests.get(name)
            rule = f"maximum {name} usage per PersistentVolumeClaim is {text}"
            if request is None:
                yield f"{rule}.  No request is specified"
            elif request > Quantity.parse(text):
                yield f"{rule}, but request is {request}"
