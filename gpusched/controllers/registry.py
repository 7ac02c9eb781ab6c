"""Which controllers a controller manager runs."""

from collections.abc import Iterator

from gpusched.controllers.daemonset import DaemonSetController
from gpusched.controllers.deployment import DeploymentController
from gpusched.controllers.disruption import DisruptionController
from gpusched.controllers.ephemeral_volume import EphemeralVolumeController
from gpusched.controllers.garbage_collector import GarbageCollector
from gpusched.controllers.job import JobController
from gpusched.controllers.namespace import NamespaceController
from gpusched.controllers.node_lifecycle import NodeLifecycleController
from gpusched.controllers.persistent_volume import PersistentVolumeController
from gpusched.controllers.pod_gc import PodGcController
from gpusched.controllers.protocol import Controller
from gpusched.controllers.replicaset import ReplicaSetController
from gpusched.controllers.resource_claim import ResourceClaimController
from gpusched.controllers.resource_quota import ResourceQuotaController
from gpusched.controllers.statefulset import StatefulSetController
from gpusched.controllers.taint_eviction import TaintEvictionController
from gpusched.controllers.ttl_after_finished import TtlAfterFinishedController
from gpusched.controllers.volume_protection import VolumeProtectionController
from gpusched.controllers.volume_provisioner import VolumeProvisioner


def default_controllers() -> Iterator[Controller]:
    """Yield a fresh instance of each controller."""
    yield NodeLifecycleController()
    yield TaintEvictionController()
    yield PodGcController()
    yield DeploymentController()
    yield ReplicaSetController()
    yield StatefulSetController()
    yield DaemonSetController()
    yield JobController()
    yield TtlAfterFinishedController()
    yield ResourceQuotaController()
    yield NamespaceController()
    yield DisruptionController()
    yield GarbageCollector()
    yield ResourceClaimController()
    yield EphemeralVolumeController()
    yield PersistentVolumeController()
    yield VolumeProvisioner()
    yield VolumeProtectionController()
