"""Admission against the store: hands the plugins the objects that they look at.

What the plugins do is in `api.admission`.
"""

from gpusched.api.admission import ClusterObjects, Denied, admit, check
from gpusched.api.admission.namespace import check_namespace_deletion
from gpusched.controllers.protocol import ApiError
from gpusched.sim.pod import Json, Pod
from gpusched.sim.store import Store


def surroundings(store: Store, namespace: str) -> ClusterObjects:
    """Return what admission looks at beside an object of a namespace."""
    return ClusterObjects(
        namespaces=_by_name(store, "Namespace"),
        priority_classes=_by_name(store, "PriorityClass"),
        storage_classes=_by_name(store, "StorageClass"),
        limit_ranges=tuple(store.objects("LimitRange", namespace)) if namespace else (),
        quotas=tuple(store.objects("ResourceQuota", namespace)) if namespace else (),
    )


def _by_name(store: Store, kind: str) -> dict[str, Json]:
    return {obj["metadata"]["name"]: obj for obj in store.objects(kind)}


def admitted(obj: Json, around: ClusterObjects) -> Json:
    """Return an object after the plugins that change it, or raise their refusal."""
    result = admit(obj, around)
    if isinstance(result, Denied):
        raise _refusal(result)
    return result


def charged(obj: Json, around: ClusterObjects) -> tuple[Json, ...]:
    """Return the quotas with an object counted in, or raise the refusal of a plugin that checks."""
    result = check(obj, around)
    if isinstance(result, Denied):
        raise _refusal(result)
    return result.quotas


def check_removal(namespace: str) -> None:
    """Refuse to let a namespace go that Kubernetes needs."""
    denied = check_namespace_deletion(namespace)
    if denied is not None:
        raise _refusal(denied)


def check_open(store: Store, pod: Pod) -> None:
    """Refuse to POST to a pod's subresource in a namespace that is being terminated.

    Source: kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/
    lifecycle/admission.go, v1.36.1
    """
    if pod.namespace in store.closing:
        why = f"unable to create new content in namespace {pod.namespace}"
        message = f'pods "{pod.name}" is forbidden: {why} because it is being terminated'
        raise ApiError(403, "Forbidden", message, ("NamespaceTerminating",))


def _refusal(denied: Denied) -> ApiError:
    terminating = denied.message.endswith("because it is being terminated")
    return ApiError(
        denied.code, denied.reason, denied.message, ("NamespaceTerminating",) if terminating else ()
    )
