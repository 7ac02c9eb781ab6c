"""The kinds that the API server serves, and how each is spelled."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    Attributes:
        name: CamelCase kind.
        api_version: Group and version as manifests write it.
        resource: Plural, as paths and messages write it.
        short: Short names, as kubectl takes them.
        namespaced: Whether its objects live in namespaces.
        status: Whether it has a status subresource, so that plain writes leave the status alone.
        generation: Whether a change of its spec raises ``metadata.generation``.
        replicas: Whether it has a scale subresource.
    """

    name: str
    api_version: str
    resource: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    status: bool = False
    generation: bool = False
    replicas: bool = False

    @property
    def group(self) -> str:
        """The API group; empty for the core."""
        group, slash, _ = self.api_version.partition("/")
        return group if slash else ""

    def serves(self, subresource: str) -> bool:
        """Return whether the kind has a subresource that can be patched.

        >>> KINDS["Deployment"].serves("scale"), KINDS["Pod"].serves("scale")
        (True, False)
        """
        return {"status": self.status, "scale": self.replicas}.get(subresource, False)

    @property
    def qualified(self) -> str:
        """Resource and group, as ``deployments.apps``."""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @property
    def singular(self) -> str:
        """Lower-case kind and group, as kubectl prints it: ``deployment.apps``."""
        return f"{self.name.lower()}.{self.group}" if self.group else self.name.lower()


_ALL = (
    Kind("Namespace", "v1", "namespaces", ("ns",), namespaced=False, status=True),
    Kind("Node", "v1", "nodes", ("no",), namespaced=False, status=True),
    Kind("Pod", "v1", "pods", ("po",), status=True, generation=True),
    Kind("Service", "v1", "services", ("svc",), status=True),
    Kind("ServiceAccount", "v1", "serviceaccounts", ("sa",)),
    Kind("ConfigMap", "v1", "configmaps", ("cm",)),
    Kind("Secret", "v1", "secrets"),
    Kind("Event", "v1", "events", ("ev",)),
    Kind("LimitRange", "v1", "limitranges", ("limits",)),
    Kind("ResourceQuota", "v1", "resourcequotas", ("quota",), status=True),
    Kind(
        "ReplicationController",
        "v1",
        "replicationcontrollers",
        ("rc",),
        status=True,
        generation=True,
        replicas=True,
    ),
    Kind("PersistentVolume", "v1", "persistentvolumes", ("pv",), namespaced=False, status=True),
    Kind("PersistentVolumeClaim", "v1", "persistentvolumeclaims", ("pvc",), status=True),
    Kind(
        "Deployment",
        "apps/v1",
        "deployments",
        ("deploy",),
        status=True,
        generation=True,
        replicas=True,
    ),
    Kind(
        "ReplicaSet", "apps/v1", "replicasets", ("rs",), status=True, generation=True, replicas=True
    ),
    Kind(
        "StatefulSet",
        "apps/v1",
        "statefulsets",
        ("sts",),
        status=True,
        generation=True,
        replicas=True,
    ),
    Kind("DaemonSet", "apps/v1", "daemonsets", ("ds",), status=True, generation=True),
    Kind("ControllerRevision", "apps/v1", "controllerrevisions"),
    Kind("Job", "batch/v1", "jobs", (), status=True, generation=True),
    Kind("CronJob", "batch/v1", "cronjobs", ("cj",), status=True, generation=True),
    Kind(
        "PodDisruptionBudget",
        "policy/v1",
        "poddisruptionbudgets",
        ("pdb",),
        status=True,
        generation=True,
    ),
    Kind("PriorityClass", "scheduling.k8s.io/v1", "priorityclasses", ("pc",), namespaced=False),
    Kind("StorageClass", "storage.k8s.io/v1", "storageclasses", ("sc",), namespaced=False),
    Kind("CSINode", "storage.k8s.io/v1", "csinodes", (), namespaced=False),
    Kind("CSIDriver", "storage.k8s.io/v1", "csidrivers", (), namespaced=False),
    Kind("CSIStorageCapacity", "storage.k8s.io/v1", "csistoragecapacities"),
    Kind(
        "VolumeAttachment",
        "storage.k8s.io/v1",
        "volumeattachments",
        (),
        namespaced=False,
        status=True,
    ),
    Kind("Lease", "coordination.k8s.io/v1", "leases"),
    Kind("ResourceClaim", "resource.k8s.io/v1", "resourceclaims", (), status=True),
    Kind("ResourceClaimTemplate", "resource.k8s.io/v1", "resourceclaimtemplates"),
    Kind("ResourceSlice", "resource.k8s.io/v1", "resourceslices", (), namespaced=False),
    Kind("DeviceClass", "resource.k8s.io/v1", "deviceclasses", (), namespaced=False),
)

KINDS = {kind.name: kind for kind in _ALL}
"""Every kind by its name, in the order in which a list of everything shows them."""

_SPELLINGS = {
    spelling: kind
    for kind in _ALL
    for spelling in (kind.name.lower(), kind.resource, kind.qualified, kind.singular, *kind.short)
}


def find_kind(spelling: str) -> Kind | None:
    """Return the kind that kubectl takes ``spelling`` for, or None.

    >>> find_kind("deploy").name
    'Deployment'
    """
    return _SPELLINGS.get(spelling.lower())
