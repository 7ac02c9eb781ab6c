"""A pod of a ``decide`` case, explained: manifests only, no time."""

from dataclasses import replace
from typing import Final

from gpusched.api.config import default_configuration, load_configuration
from gpusched.cluster.pod import PodInfo
from gpusched.decide.case import Case
from gpusched.decide.world import PendingPod, World, build
from gpusched.errors import Fault, InvalidInputError
from gpusched.explain.attempt import explain
from gpusched.explain.explanation import Explanation
from gpusched.kube.cycle import Search, heap_tie_break
from gpusched.kube.framework.runtime import Framework
from gpusched.kube.nominator import Nominator
from gpusched.kube.plugins import IN_TREE

_ALL_NODES: Final = 100


def explain_case(case: Case, pod: str) -> Explanation:
    """Return the first attempt of one pending pod, the others of its queue still unbound.

    Args:
        case: A cluster and a queue.
        pod: ``namespace/name`` of a pending pod.

    Raises:
        InvalidInputError: There is no such pod, or nobody would schedule it.
    """
    world = build(case)
    pending = next((found for found in world.pending if found.key == pod), None)
    if pending is None:
        raise _refusal(pod, "it is not among the pending pods")
    if pending.info is None:
        raise _refusal(pod, pending.problem)
    framework = _frameworks(case, world).get(pending.scheduler_name)
    if framework is None:
        raise _refusal(pod, f"no profile is called {pending.scheduler_name!r}")
    snapshot = world.cache.snapshot()
    gate = framework.pre_enqueue(pending.info, snapshot)
    if not gate.is_success:
        gated = Explanation(pod, pending.scheduler_name, "gated", gate.message)
        return replace(gated, notes=(f"{gate.plugin} keeps it out of the queue",))
    percentage = framework.profile.percentage_of_nodes_to_score
    search = Search(0, _ALL_NODES if percentage is None else percentage, heap_tie_break)
    return explain(framework, snapshot, pending.info, search)


def _frameworks(case: Case, world: World) -> dict[str, Framework]:
    configuration = load_configuration(case.config) if case.config else default_configuration()
    nominator = Nominator()
    frameworks = {
        profile.scheduler_name: Framework(profile, IN_TREE, nominator)
        for profile in configuration.profiles
    }
    for name, pod in (*world.waiting, *_arriving(world.pending)):
        framework = frameworks.get(name)
        if framework is None or not pod.nominated_node:
            continue
        if framework.pre_enqueue(pod, world.cache.snapshot()).is_success:
            nominator.add(pod, pod.nominated_node)
    return frameworks


def _arriving(pending: list[PendingPod]) -> list[tuple[str, PodInfo]]:
    return [(found.scheduler_name, found.info) for found in pending if found.info is not None]


def _refusal(pod: str, why: str) -> InvalidInputError:
    return InvalidInputError([Fault(f"pod {pod}: {why}")])
