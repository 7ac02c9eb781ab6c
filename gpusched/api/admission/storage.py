"""DefaultStorageClass: claims that name no class take the cluster's default.

Source: kubernetes/kubernetes plugin/pkg/admission/storage/storageclass/setdefault/admission.go,
v1.36.1
"""

from collections.abc import Mapping
from typing import Final

from gpusched.api.wire import Json

_DEFAULT: Final = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_FORMER_CLASS: Final = "volume.beta.kubernetes.io/storage-class"


def set_storage_class(claim: Json, classes: Mapping[str, Json]) -> Json:
    """Return the claim with the newest default class, if it names none and there is one."""
    spec, metadata = claim["spec"], claim["metadata"]
    if "storageClassName" in spec or _FORMER_CLASS in (metadata.get("annotations") or {}):
        return claim
    defaults = [one["metadata"] for one in classes.values() if _is_default(one)]
    if not defaults:
        return claim
    by_name = sorted(defaults, key=lambda one: str(one["name"]))
    newest = max(by_name, key=lambda one: str(one.get("creationTimestamp") or ""))
    return {**claim, "spec": {**spec, "storageClassName": newest["name"]}}


def _is_default(storage_class: Json) -> bool:
    annotations = storage_class["metadata"].get("annotations") or {}
    return any(annotations.get(name) == "true" for name in _DEFAULT)
