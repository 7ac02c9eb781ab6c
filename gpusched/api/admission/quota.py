"""ResourceQuota: a namespace's objects together must not use more than is allowed.

Source: kubernetes/apiserver pkg/admission/plugin/resourcequota/controller.go, v0.36.1
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gpusched.api.admission.denied import Denied, forbid
from gpusched.api.admission.usage import is_in_scope, is_measured, missing, usage
from gpusched.api.defaulting.resources import Totals
from gpusched.api.quantity import ZERO, Quantity
from gpusched.api.wire import Json


@dataclass(frozen=True, slots=True)
class Charged:
    """The quotas allow the object.

    Attributes:
        quotas: The quotas that it counts in, with its usage added to ``status.used``.
    """

    quotas: tuple[Json, ...]


def charge(obj: Json, quotas: Iterable[Json]) -> Charged | Denied:
    """Count a new object in the quotas of its namespace, or refuse it.

    Only ``status.hard`` and ``status.used`` count: a quota limits nothing before its controller has
    filled them.
    """
    wanted, charged = usage(obj), []
    concerned = [quota for quota in quotas if _limits(quota, obj)]
    for quota in concerned:
        measured = [name for name in _hard(quota) if is_measured(obj, name)]
        name = quota["metadata"]["name"]
        lacking = missing(obj, measured) if obj["kind"] == "Pod" else ""
        if lacking:
            return forbid(obj, f"failed quota: {name}: {lacking}")
        used = _totals(quota, "used")
        if not set(measured) <= used.keys():
            listed = ",".join(sorted(measured))
            return forbid(obj, f"status unknown for quota: {name}, resources: {listed}")
    for quota in concerned:
        result = _charge_one(obj, quota, wanted)
        if isinstance(result, Denied):
            return result
        charged.append(result)
    return Charged(tuple(charged))


def _limits(quota: Json, obj: Json) -> bool:
    return is_in_scope(quota, obj) and any(is_measured(obj, name) for name in _hard(quota))


def _hard(quota: Json) -> Totals:
    return _totals(quota, "hard")


def _totals(quota: Json, which: str) -> Totals:
    listed = (quota.get("status") or {}).get(which) or {}
    return {name: Quantity.parse(text) for name, text in listed.items()}


def _charge_one(obj: Json, quota: Json, wanted: Totals) -> Json | Denied:
    hard, used = _hard(quota), _totals(quota, "used")
    requested = {name: quantity for name, quantity in wanted.items() if name in hard}
    after = {name: used.get(name, ZERO) + quantity for name, quantity in requested.items()}
    exceeded = sorted(name for name, quantity in after.items() if quantity > hard[name])
    if exceeded:
        shown = [_show(totals, exceeded) for totals in (requested, used, hard)]
        why = f"requested: {shown[0]}, used: {shown[1]}, limited: {shown[2]}"
        return forbid(obj, f"exceeded quota: {quota['metadata']['name']}, {why}")
    status = quota.get("status") or {}
    new = {**(status.get("used") or {}), **{name: str(after[name]) for name in after}}
    return {**quota, "status": {**status, "used": new}}


def _show(totals: Totals, names: Iterable[str]) -> str:
    return ",".join(f"{name}={totals[name]}" for name in names if name in totals)
