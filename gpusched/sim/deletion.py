"""Deleting: grace periods, finalizers, propagation, eviction under disruption budgets.

Source: kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go,
pkg/registry/core/pod/strategy.go (CheckGracefulDelete), pkg/registry/core/pod/storage/eviction.go,
v1.36.1
"""

from typing import Any

from gpusched.controllers.protocol import ApiError, Key
from gpusched.controllers.selectors import selects
from gpusched.sim.admission import check_open, check_removal
from gpusched.sim.kinds import KINDS
from gpusched.sim.pod import Json, Pod
from gpusched.sim.steps import conditioned, deleting
from gpusched.sim.store import Store

_POLICY_FINALIZERS = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
_EVICTED = ("DisruptionTarget", "True", "EvictionByEvictionAPI", "Eviction API: evicting")


def delete(
    store: Store, kind: str, key: Key, grace: int | None = None, propagation: str = "Background"
) -> None:
    """DELETE an object; refuses with 404."""
    if kind == "Pod":
        pod = store.pod(*key)
        if pod is None:
            raise ApiError(404, "NotFound", f'pods "{key[1]}" not found')
        delete_pod(store, pod, grace)
        return
    obj = store.get(kind, *key)
    if obj is None:
        raise ApiError(404, "NotFound", f'{KINDS[kind].qualified} "{key[1]}" not found')
    if kind == "Namespace":
        check_removal(key[1])
        _terminate_namespace(store, obj)
    else:
        _delete_object(store, obj, propagation)


def delete_pod(store: Store, pod: Pod, grace: int | None = None) -> None:
    """DELETE a pod: at once if it needs no grace and no finalizer holds it; else mark it."""
    period = pod.template.grace if grace is None else grace
    if not pod.node or pod.terminal:
        period = 0
    if pod.deletion is None:
        if period or pod.finalizers:
            store.step(pod, deleting, period)
        else:
            store.remove_pod(deleting(pod, store.now, 0))
    elif period < pod.grace or not period:
        if period or pod.finalizers:
            store.step(pod, deleting, period)
        else:
            _remove_now(store, pod)


def _remove_now(store: Store, pod: Pod) -> None:
    last = pod.copy()
    last.grace = 0
    store.remove_pod(last)


def _delete_object(store: Store, obj: Json, propagation: str) -> None:
    meta = obj["metadata"]
    finalizers = list(meta.get("finalizers") or ())
    policy = _POLICY_FINALIZERS.get(propagation)
    if policy and policy not in finalizers:
        finalizers.append(policy)
    if not finalizers:
        store.remove(obj)
        return
    if meta.get("deletionTimestamp"):
        return
    marks: Json = {
        "finalizers": finalizers,
        "deletionTimestamp": store.stamp(),
        "deletionGracePeriodSeconds": 0,
    }
    if "generation" in meta:
        marks["generation"] = meta["generation"] + 1
    store.put({**obj, "metadata": {**meta, **marks}})


def _terminate_namespace(store: Store, obj: Json) -> None:
    if obj["metadata"].get("deletionTimestamp"):
        return
    store.closing.add(obj["metadata"]["name"])
    marked = {**obj["metadata"], "deletionTimestamp": store.stamp()}
    store.put(
        {**obj, "metadata": marked, "status": {**(obj.get("status") or {}), "phase": "Terminating"}}
    )


def finish_if_unheld(store: Store, obj: Any) -> None:
    """Remove an object that was only waiting for its last finalizer to go."""
    if isinstance(obj, Pod):
        if obj.deletion is not None and not obj.finalizers and not obj.grace:
            store.remove_pod(obj)
        return
    meta = obj["metadata"]
    held = meta.get("finalizers") or (
        obj["kind"] == "Namespace" and (obj.get("spec") or {}).get("finalizers")
    )
    if meta.get("deletionTimestamp") and not held:
        store.remove(obj)


def evict(store: Store, key: Key, grace: int | None = None) -> None:
    """POST an eviction: as a DELETE, if the pod's disruption budget allows one."""
    pod = store.pod(*key)
    if pod is None:
        raise ApiError(404, "NotFound", f'pods "{key[1]}" not found')
    check_open(store, pod)
    budget = budget_guarding(store, pod)
    if budget is not None:
        _spend_budget(store, budget, pod)
    if pod.deletion is None:
        pod = store.step(pod, conditioned, _EVICTED)
    delete_pod(store, pod, grace)


def budget_guarding(store: Store, pod: Pod) -> Json | None:
    """Return the disruption budget that an eviction of a pod must ask; None if it need not ask."""
    if pod.terminal or pod.phase == "Pending" or pod.deletion is not None:
        return None
    budgets = [
        item
        for item in store.objects("PodDisruptionBudget", pod.namespace)
        if selects(item["spec"].get("selector"), pod.labels)
    ]
    if len(budgets) > 1:
        raise ApiError(
            500,
            "InternalError",
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does"
            " not support.",
        )
    if not budgets or (not pod.ready and _unready_may_go(budgets[0])):
        return None
    return budgets[0]


def _spend_budget(store: Store, budget: Json, pod: Pod) -> None:
    status = budget.get("status") or {}
    if status.get("disruptionsAllowed", 0) <= 0:
        raise ApiError(
            429,
            "TooManyRequests",
            "Cannot evict pod as it would violate the pod's disruption budget.",
        )
    spent = {
        **status,
        "disruptionsAllowed": status["disruptionsAllowed"] - 1,
        "disruptedPods": {**(status.get("disruptedPods") or {}), pod.name: store.stamp()},
    }
    store.put({**budget, "status": spent})


def _unready_may_go(budget: Json) -> bool:
    status = budget.get("status") or {}
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    return bool(status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0)
