"""The phase with which the API server keeps a new volume or claim.

Source: kubernetes/kubernetes pkg/registry/core/persistentvolume/strategy.go (PrepareForCreate),
pkg/apis/core/v1/defaults.go (SetDefaults_PersistentVolumeClaim), v1.36.1
"""

from gpusched.sim.pod import Json


def with_first_phase(obj: Json, stamp: str) -> Json:
    """Return an object as it is kept; others than volumes and claims are kept as they are.

    Args:
        obj: A defaulted, admitted and valid object.
        stamp: The time of its creation.

    >>> with_first_phase({"kind": "PersistentVolumeClaim", "status": {}}, "")["status"]
    {'phase': 'Pending'}
    """
    phases = {
        "PersistentVolume": {"phase": "Pending", "lastPhaseTransitionTime": stamp},
        "PersistentVolumeClaim": {"phase": "Pending"},
    }
    phase = phases.get(obj["kind"])
    return obj if phase is None else {**obj, "status": {**(obj.get("status") or {}), **phase}}
