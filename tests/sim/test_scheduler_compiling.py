"""Shapes are compiled from templates as created, not from what has become of a pod."""

from gpusched.cluster.resources import ResourceNames
from gpusched.sim.calendar import Calendar
from gpusched.sim.pod import Pod, PodTemplate
from gpusched.sim.scheduler.compiling import Compiler


def test_siblings_of_a_bound_pod_may_go_elsewhere() -> None:
    spec = {"schedulerName": "default-scheduler", "containers": [{"name": "c", "image": "x"}]}
    template = PodTemplate("default", {}, spec)
    bound, waiting = (Pod(template, name, serial, 0) for serial, name in enumerate("ab", 1))
    bound.node = "n0"
    compiler = Compiler(ResourceNames(), Calendar())
    assert compiler.shape(bound).spec.node_name == ""
    assert compiler.pod(waiting).shape is compiler.pod(bound).shape
