"""Which device class stands behind an extended resource: what lets devices satisfy plain requests.

Source: kubernetes/dynamic-resource-allocation deviceclass/extendedresourcecache, v0.36.1;
kubernetes/kubernetes pkg/scheduler/util/utils.go (IsDRAExtendedResourceName), v1.36.1
"""

from typing import Final

from gpusched.api.resource import DeviceClass
from gpusched.cluster.objects import ClusterObjects

CLASS_PREFIX: Final = "deviceclass.resource.kubernetes.io/"
_NATIVE_DOMAIN: Final = "kubernetes.io/"
_QUOTA_PREFIX: Final = "requests."


def is_extended(resource_name: str) -> bool:
    """Return whether a resource may be backed by devices: it has a domain that is not Kubernetes'.

    >>> is_extended("nvidia.com/gpu"), is_extended("hugepages-2Mi"), is_extended("kubernetes.io/x")
    (True, False, False)
    """
    if resource_name.startswith(CLASS_PREFIX):
        return True
    return (
        "/" in resource_name
        and _NATIVE_DOMAIN not in resource_name
        and not resource_name.startswith(_QUOTA_PREFIX)
    )


def class_of(resource_name: str, objects: ClusterObjects) -> DeviceClass | None:
    """Return the class whose devices satisfy requests of ``resource_name``, or None.

    A class answers to ``deviceclass.resource.kubernetes.io/NAME`` and to its
    ``spec.extendedResourceName``; where several have the same one, the newest wins, then the
    smaller name.
    """
    if not is_extended(resource_name):
        return None
    if resource_name.startswith(CLASS_PREFIX):
        return objects.device_classes.get(resource_name.removeprefix(CLASS_PREFIX))
    best: DeviceClass | None = None
    for found in objects.device_classes:
        if found.spec.extended_resource_name == resource_name and _goes_before(found, best):
            best = found
    return best


def _goes_before(one: DeviceClass, other: DeviceClass | None) -> bool:
    if other is None:
        return True
    created, before = one.metadata.creation_timestamp or 0, other.metadata.creation_timestamp or 0
    return created > before or (created == before and one.metadata.name < other.metadata.name)
