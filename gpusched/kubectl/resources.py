"""The kinds that kubectl can be asked for, and how an argument names one.

Source: the discovery documents of kube-apiserver v1.36.1
"""

from dataclasses import dataclass
from typing import Final

from gpusched.kubectl.go_format import quote
from gpusched.kubectl.output import CommandError


@dataclass(frozen=True, slots=True)
class Resource:
    """One row of ``kubectl api-resources``.

    Attributes:
        plural: E.g. ``deployments``.
        kind: E.g. ``Deployment``.
        group: E.g. ``apps``; empty for the core group.
        short_names: E.g. ``deploy``.
        namespaced: Whether its objects live in a namespace.
        in_all: Whether ``kubectl get all`` shows it.
    """

    plural: str
    kind: str
    group: str = ""
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    in_all: bool = False
    version: str = "v1"

    @property
    def singular(self) -> str:
        """The kind in lower case, as kubectl accepts and prints it."""
        return self.kind.lower()

    @property
    def qualified(self) -> str:
        """E.g. ``deployments.apps``, as in the API server's messages."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def prefix(self) -> str:
        """E.g. ``deployment.apps``, as before the slash in ``-o name``."""
        return f"{self.singular}.{self.group}" if self.group else self.singular

    @property
    def api_version(self) -> str:
        """E.g. ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version


RESOURCES: Final = (
    Resource("pods", "Pod", short_names=("po",), in_all=True),
    Resource("replicationcontrollers", "ReplicationController", short_names=("rc",), in_all=True),
    Resource("services", "Service", short_names=("svc",), in_all=True),
    Resource("daemonsets", "DaemonSet", "apps", ("ds",), in_all=True),
    Resource("deployments", "Deployment", "apps", ("deploy",), in_all=True),
    Resource("replicasets", "ReplicaSet", "apps", ("rs",), in_all=True),
    Resource("statefulsets", "StatefulSet", "apps", ("sts",), in_all=True),
    Resource("cronjobs", "CronJob", "batch", ("cj",), in_all=True),
    Resource("jobs", "Job", "batch", in_all=True),
    Resource("nodes", "Node", short_names=("no",), namespaced=False),
    Resource("namespaces", "Namespace", short_names=("ns",), namespaced=False),
    Resource("events", "Event", short_names=("ev",)),
    Resource("configmaps", "ConfigMap", short_names=("cm",)),
    Resource("secrets", "Secret"),
    Resource("serviceaccounts", "ServiceAccount", short_names=("sa",)),
    Resource("persistentvolumeclaims", "PersistentVolumeClaim", short_names=("pvc",)),
    Resource("persistentvolumes", "PersistentVolume", short_names=("pv",), namespaced=False),
    Resource("storageclasses", "StorageClass", "storage.k8s.io", ("sc",), namespaced=False),
    Resource("deviceclasses", "DeviceClass", "resource.k8s.io", namespaced=False),
    Resource("resourceclaims", "ResourceClaim", "resource.k8s.io"),
    Resource("resourceclaimtemplates", "ResourceClaimTemplate", "resource.k8s.io"),
    Resource("resourceslices", "ResourceSlice", "resource.k8s.io", namespaced=False),
    Resource("controllerrevisions", "ControllerRevision", "apps"),
    Resource("endpointslices", "EndpointSlice", "discovery.k8s.io"),
    Resource("podtemplates", "PodTemplate"),
    Resource("resourcequotas", "ResourceQuota", short_names=("quota",)),
    Resource("limitranges", "LimitRange", short_names=("limits",)),
    Resource("leases", "Lease", "coordination.k8s.io"),
    Resource("poddisruptionbudgets", "PodDisruptionBudget", "policy", ("pdb",)),
    Resource("priorityclasses", "PriorityClass", "scheduling.k8s.io", ("pc",), namespaced=False),
)
"""In the order in which ``kubectl get all`` goes through them."""


def find(argument: str) -> Resource:
    """Return the resource that an argument names: plural, singular or short, with or without group.

    Raises:
        CommandError: There is no such resource.

    >>> find("deploy").kind, find("Pod").kind, find("jobs.v1.batch").kind
    ('Deployment', 'Pod', 'Job')
    """
    for resource in RESOURCES:
        if argument in _with_suffixes(resource, resource.short_names):
            return resource
        if argument.lower() in _with_suffixes(resource, (resource.plural, resource.singular)):
            return resource
    raise CommandError(f"the server doesn't have a resource type {quote(_stem(argument))}")


def _with_suffixes(resource: Resource, names: tuple[str, ...]) -> set[str]:
    suffixes = ("", f".{resource.group}", f".{resource.version}.{resource.group}")
    return {f"{name}{suffix}" for name in names for suffix in suffixes}


def _stem(argument: str) -> str:
    return argument.partition(".")[0]


def expand_all(argument: str) -> str:
    """Return a comma list of types with the category ``all`` replaced by its members."""
    members = ",".join(resource.qualified for resource in RESOURCES if resource.in_all)
    return ",".join(members if part == "all" else part for part in argument.split(","))


def short_name_warning(types: str) -> str:
    """Return the warning that kubectl gives when a short name has two meanings; usually empty.

    Args:
        types: A comma list of types, as the user named them.
    """
    if "ev" not in types.split(","):
        return ""
    other = "events.events.k8s.io"
    return f'Warning: short name "ev" could also match lower priority resource {other}\n'
