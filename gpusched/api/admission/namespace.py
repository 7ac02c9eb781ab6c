"""NamespaceLifecycle: nothing is created in a namespace that is not there, or is going.

Source: kubernetes/apiserver pkg/admission/plugin/namespace/lifecycle/admission.go, v0.36.1
"""

from collections.abc import Mapping
from typing import Final

from gpusched.api.admission.denied import NOT_FOUND, Denied, forbid
from gpusched.api.wire import Json

_IMMORTAL: Final = frozenset({"default", "kube-system", "kube-public"})


def check_namespace(obj: Json, namespaces: Mapping[str, Json]) -> Denied | None:
    """Return a refusal if the object's namespace cannot take it."""
    name = obj["metadata"].get("namespace")
    if not name or obj["kind"] == "Namespace":
        return None
    if name not in namespaces:
        return Denied(f'namespaces "{name}" not found', "NotFound", NOT_FOUND)
    if (namespaces[name].get("status") or {}).get("phase") == "Terminating":
        why = f"unable to create new content in namespace {name} because it is being terminated"
        return forbid(obj, why)
    return None


def check_namespace_deletion(name: str) -> Denied | None:
    """Return a refusal if a namespace is one of those that Kubernetes needs."""
    if name not in _IMMORTAL:
        return None
    why = "this namespace may not be deleted"
    return Denied(f'namespaces "{name}" is forbidden: {why}')
