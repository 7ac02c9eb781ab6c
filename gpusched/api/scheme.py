"""The register of kinds: their versions, plural and short names, scope, and model.

The models' modules are imported when the first object of a group is read.

Source: kubernetes/kubernetes pkg/apis/*/install, pkg/registry/*/rest, v1.36.1
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Final

from gpusched.api.meta import KubeObject


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object.

    Attributes:
        api_version: As written in a manifest, e.g. ``apps/v1``.
        kind: e.g. ``Deployment``.
        plural: The resource's name, e.g. ``deployments``.
        short_names: What kubectl takes instead, e.g. ``deploy``.
        namespaced: Whether its objects live in a namespace.
        module: The module under ``gpusched.api`` that has the model.
    """

    api_version: str
    kind: str
    plural: str
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    module: str = "core"

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def singular(self) -> str:
        """The name for one object, as kubectl takes it."""
        return self.kind.lower()

    def model(self) -> type[KubeObject]:
        """Return the model of the kind."""
        return _model(self.module, self.kind)


_TABLE: Final = """
core       v1                        Pod                    pods                    po       -
core       v1                        Node                   nodes                   no       cluster
core       v1                        Namespace              namespaces              ns       cluster
core       v1                        Service                services                svc      -
core       v1                        ResourceQuota          resourcequotas          quota    -
core       v1                        LimitRange             limitranges             limits   -
core       v1                        Event                  events                  ev       -
storage    v1                        PersistentVolume       persistentvolumes       pv       cluster
storage    v1                        PersistentVolumeClaim  persistentvolumeclaims  pvc      -
workloads  v1                        ReplicationController  replicationcontrollers  rc       -
workloads  apps/v1                   Deployment             deployments             deploy   -
workloads  apps/v1                   ReplicaSet             replicasets             rs       -
workloads  apps/v1                   StatefulSet            statefulsets            sts      -
workloads  apps/v1                   DaemonSet              daemonsets              ds       -
workloads  batch/v1                  Job                    jobs                    -        -
policy     policy/v1                 PodDisruptionBudget    poddisruptionbudgets    pdb      -
scheduling scheduling.k8s.io/v1      PriorityClass          priorityclasses         pc       cluster
scheduling coordination.k8s.io/v1    Lease                  leases                  -        -
storage    storage.k8s.io/v1         StorageClass           storageclasses          sc       cluster
storage    storage.k8s.io/v1         CSINode                csinodes                -        cluster
storage    storage.k8s.io/v1         CSIDriver              csidrivers              -        cluster
storage    storage.k8s.io/v1         CSIStorageCapacity     csistoragecapacities    -        -
storage    storage.k8s.io/v1         VolumeAttachment       volumeattachments       -        cluster
resource   resource.k8s.io/v1        ResourceSlice          resourceslices          -        cluster
resource   resource.k8s.io/v1        ResourceClaim          resourceclaims          -        -
resource   resource.k8s.io/v1        ResourceClaimTemplate  resourceclaimtemplates  -        -
resource   resource.k8s.io/v1        DeviceClass            deviceclasses           -        cluster
"""
"""Module, apiVersion, kind, plural, short name (``-``: none), scope (``-``: namespaced)."""


def _read_table() -> tuple[Kind, ...]:
    kinds = []
    for row in _TABLE.strip().splitlines():
        module, api_version, kind, plural, short, scope = row.split()
        shorts = () if short == "-" else (short,)
        kinds.append(Kind(api_version, kind, plural, shorts, scope == "-", module))
    return tuple(kinds)


KINDS: Final = _read_table()
"""Every kind that gpusched reads."""

_BY_KIND: Final = {(kind.api_version, kind.kind): kind for kind in KINDS}
_BY_NAME: Final = {
    name: kind
    for kind in reversed(KINDS)
    for name in (kind.plural, kind.singular, f"{kind.plural}.{kind.group}", *kind.short_names)
}


def kind_of(obj: Mapping[str, Any]) -> Kind | None:
    """Return the kind that a JSON object claims to be, or None if it is none of ours."""
    return _BY_KIND.get((obj.get("apiVersion", ""), obj.get("kind", "")))


def kind_named(name: str) -> Kind | None:
    """Return the kind that kubectl understands by a word such as ``po`` or ``Deployments``."""
    return _BY_NAME.get(name.lower())


def model_of(obj: Mapping[str, Any]) -> KubeObject:
    """Return the model of a JSON object.

    Raises:
        KeyError: gpusched has no model of that kind.
        pydantic.ValidationError: A field has a wrong type; ``decode.strict`` words such faults.
    """
    kind = _BY_KIND[obj.get("apiVersion", ""), obj.get("kind", "")]
    return kind.model().model_validate(obj)


@cache
def _model(module: str, name: str) -> type[KubeObject]:
    model: type[KubeObject] = getattr(import_module(f"gpusched.api.{module}"), name)
    return model
