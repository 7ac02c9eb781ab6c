"""The drivers of storage classes: volumes made for claims, and removed when they are released.

One controller plays all external provisioners of the cluster.

Source: kubernetes-sigs/sig-storage-lib-external-provisioner controller/controller.go, v13;
kubernetes-csi/external-provisioner pkg/controller/{controller,topology}.go, v6
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from gpusched.controllers.interest import PodInterest
from gpusched.controllers.protocol import (
    Change,
    Controller,
    Create,
    Delete,
    Emit,
    Json,
    Key,
    Lookup,
    Update,
    Wake,
    Work,
    reference,
)
from gpusched.controllers.volumes import (
    BIND_COMPLETED,
    CLAIM,
    PROVISIONED_BY,
    PROVISIONER,
    SELECTED_NODE,
    VOLUME,
    annotations_of,
    binds_late,
    class_of,
)

FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"


class VolumeProvisioner:
    """Makes and removes volumes. Its keys are the kind and ``namespace/name``."""

    name: ClassVar[str] = "external-provisioner"
    watches: ClassVar[tuple[str, ...]] = (CLAIM, VOLUME)
    pods: ClassVar[tuple[PodInterest, ...]] = ()
    period: ClassVar[int] = 0
    workers: ClassVar[int] = 100
    pace: ClassVar[int] = 1

    def concerns(self, change: Change, reader: Lookup) -> Iterable[Wake]:
        """Return a claim that asks for a volume, or a volume that is to go."""
        if change.verb == "DELETED":
            return ()
        wanted = (
            _is_to_go(change.new)
            if change.kind == VOLUME
            else _asks(change.new) and _may_be_made(change.new, reader)
        )
        return (Wake((change.kind, "/".join(change.key))),) if wanted else ()

    def sync(self, key: Key, reader: Lookup) -> Work:
        """Make a volume, or remove one."""
        namespace, _, name = key[1].partition("/")
        obj = reader.get(key[0], namespace, name)
        if obj is None:
            return None
        if key[0] == VOLUME:
            if _is_to_go(obj):
                yield from self._remove(obj)
        elif _asks(obj) and reader.get(VOLUME, "", volume_name(obj)) is None:
            yield from self._make(obj, reader)
        return None

    def _make(self, claim: Json, reader: Lookup) -> Any:
        key = f"{claim['metadata']['namespace']}/{claim['metadata']['name']}"
        found = reader.get("StorageClass", "", class_of(claim))
        if found is None:
            return
        text = f'External provisioner is provisioning volume for claim "{key}"'
        yield Emit(reference(claim), "Normal", "Provisioning", text)
        volume = yield Create(volume_for(claim, found, reader))
        text = f"Successfully provisioned volume {volume['metadata']['name']}"
        yield Emit(reference(claim), "Normal", "ProvisioningSucceeded", text)

    def _remove(self, volume: Json) -> Any:
        yield Delete(VOLUME, [("", volume["metadata"]["name"])])
        finalizers = [
            name for name in volume["metadata"].get("finalizers") or () if name != FINALIZER
        ]
        if len(finalizers) < len(volume["metadata"].get("finalizers") or ()):
            metadata = {**volume["metadata"], "finalizers": finalizers}
            yield Update({**volume, "metadata": metadata})


def volume_name(claim: Json) -> str:
    """Return the name of the volume that is made for a claim."""
    return f"pvc-{claim['metadata']['uid']}"


def volume_for(claim: Json, storage_class: Json, reader: Lookup) -> Json:
    """Return the volume that a class's driver makes for a claim."""
    driver, spec = storage_class["provisioner"], claim["spec"]
    name = volume_name(claim)
    source = {
        "driver": driver,
        "volumeHandle": name,
        "volumeAttributes": storage_class.get("parameters") or {},
    }
    affinity = _affinity(claim, storage_class, reader)
    made = {
        "accessModes": spec.get("accessModes"),
        "capacity": {"storage": spec["resources"]["requests"]["storage"]},
        "claimRef": reference(claim),
        "csi": {field: value for field, value in source.items() if value},
        "mountOptions": storage_class.get("mountOptions"),
        "nodeAffinity": {"required": affinity} if affinity else None,
        "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
        "storageClassName": storage_class["metadata"]["name"],
        "volumeMode": spec.get("volumeMode"),
    }
    metadata = {"name": name, "annotations": {PROVISIONED_BY: driver}, "finalizers": [FINALIZER]}
    return {
        "apiVersion": "v1",
        "kind": VOLUME,
        "metadata": metadata,
        "spec": {field: value for field, value in made.items() if value is not None},
    }


def _affinity(claim: Json, storage_class: Json, reader: Lookup) -> Json | None:
    """Return where a volume can be reached: near the chosen node, by the driver's own topology."""
    name = annotations_of(claim).get(SELECTED_NODE, "")
    node = reader.get("Node", "", name) if name else None
    if node is not None:
        labels = node["metadata"].get("labels") or {}
        keys = _topology_keys(name, storage_class["provisioner"], reader)
        found = {key: [labels[key]] for key in keys if key in labels}
        return {"nodeSelectorTerms": [_term(found)]} if found else None
    terms = [
        {each["key"]: each["values"] for each in term.get("matchLabelExpressions") or ()}
        for term in storage_class.get("allowedTopologies") or ()
    ]
    return {"nodeSelectorTerms": [_term(each) for each in terms]} if terms else None


def _topology_keys(node: str, driver: str, reader: Lookup) -> list[str]:
    found = reader.get("CSINode", "", node)
    drivers = (found or {}).get("spec", {}).get("drivers") or ()
    return [
        key for each in drivers if each["name"] == driver for key in each.get("topologyKeys") or ()
    ]


def _term(values: dict[str, list[str]]) -> Json:
    expressions = [{"key": key, "operator": "In", "values": each} for key, each in values.items()]
    return {"matchExpressions": expressions}


def _asks(claim: Json) -> bool:
    marks = annotations_of(claim)
    return (
        PROVISIONER in marks and BIND_COMPLETED not in marks and not claim["spec"].get("volumeName")
    )


def _may_be_made(claim: Json, reader: Lookup) -> bool:
    return not binds_late(claim, reader) or SELECTED_NODE in annotations_of(claim)


def _is_to_go(volume: Json) -> bool:
    return (
        PROVISIONED_BY in annotations_of(volume)
        and (volume.get("status") or {}).get("phase") == "Released"
        and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
    )


_: Controller = VolumeProvisioner()
