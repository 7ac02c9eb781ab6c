"""What a pod's status tells of resource claims outlives what KWOK writes."""

import pytest

from gpusched.sim.calendar import SECOND
from tests.sim import builders

CLAIMS = {
    "resourceClaimStatuses": [{"name": "gpu", "resourceClaimName": "p-gpu-x"}],
    "extendedResourceClaimStatus": {"resourceClaimName": "p-extended-x", "requestMappings": []},
}


@pytest.mark.parametrize("field", CLAIMS)
@pytest.mark.parametrize("phase", ["Running", "Succeeded"])
def test_claims_stay_in_the_status(field: str, phase: str) -> None:
    plane = builders.plane()
    pod = builders.pod("p")
    owned = plane.api.create(builders.job("j", 1, 1)) if phase == "Succeeded" else None
    if owned is not None:
        plane.run(SECOND)
        key = next(plane.store.pods()).key
    else:
        plane.api.create(pod)
        key = ("default", "p")
    plane.api.patch("Pod", key, {"status": {field: CLAIMS[field]}}, "merge", "status")
    plane.api.create(builders.node("a"))
    plane.run(5 * SECOND)
    status = plane.api.read("Pod", *key)["status"]
    assert (status["phase"], status[field]) == (phase, CLAIMS[field])


def test_a_claim_is_pending_and_a_volume_since_its_creation() -> None:
    plane = builders.plane()
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    meta = {"name": "c", "namespace": "default"}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}
    assert plane.api.create(claim)["status"] == {"phase": "Pending"}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "v"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "hostPath": {"path": "/x"},
        },
    }
    stored = plane.api.create(volume)
    since = stored["metadata"]["creationTimestamp"]
    assert stored["status"] == {"phase": "Pending", "lastPhaseTransitionTime": since}
