"""A control plane's objects at the present instant, for whoever prints them."""

from gpusched.controllers.protocol import Json
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.kinds import KINDS

_LEASE_SECONDS = 40


class PlaneView:
    """The objects as the API server would send them now.

    Args:
        plane: The control plane.
    """

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    @property
    def now(self) -> int:
        """The present instant, in microseconds since the Unix epoch."""
        return self._plane.store.calendar.unix(self._plane.loop.now)

    def objects(self, kind: str) -> list[Json]:
        """Return the objects of a kind; none of an unknown one."""
        if kind == "Event":
            return [record.core(self._plane.store.calendar) for record in self._plane.store.events]
        if kind == "Lease":
            return [self._lease(node) for node in self._plane.store.objects("Node")]
        return list(self._plane.api.read_all(kind)) if kind in KINDS else []

    def _lease(self, node: Json) -> Json:
        """Return a node's lease, which the store does not keep as an object."""
        name = node["metadata"]["name"]
        renewed = self._plane.store.lease_renewed(name)
        spec: Json = {"holderIdentity": name, "leaseDurationSeconds": _LEASE_SECONDS}
        if renewed is not None:
            spec["renewTime"] = self._plane.store.calendar.micro_stamp(renewed)
        meta = {
            "name": name,
            "namespace": "kube-node-lease",
            "creationTimestamp": node["metadata"]["creationTimestamp"],
        }
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": meta,
            "spec": spec,
        }
