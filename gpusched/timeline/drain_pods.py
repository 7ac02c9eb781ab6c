"""Which pods ``kubectl drain`` takes from a node, and why it refuses to.

Source: kubernetes/kubectl pkg/drain/filters.go, v0.36.1
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from gpusched.controllers.selectors import selects
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.pod import Pod
from gpusched.timeline.arguments import Arguments, parse_selector

_MIRROR: Final = "kubernetes.io/config.mirror"
_DAEMON: Final = "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
_LOCAL: Final = "Pods with local storage (use --delete-emptydir-data to override)"
_BARE: Final = "Pods that declare no controller (use --force to override)"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a drain makes of a node's pods.

    Attributes:
        pods: Those that have to go, by name.
        warnings: What it says about some of them; may be empty.
        problems: Why it does not begin.
    """

    pods: tuple[Pod, ...]
    warnings: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Verdict:
    goes: bool = True
    warning: str = ""
    problem: str = ""


_GOES: Final = _Verdict()


def choose(plane: ControlPlane, node: str, given: Arguments) -> Chosen:
    """Return which pods of a node a drain takes."""
    selector = parse_selector(given.flag("pod-selector") or "")
    pods = sorted(plane.store.pods_on(node), key=lambda pod: pod.key)
    judged = [(pod, _judged(plane, pod, given)) for pod in pods if selects(selector, pod.labels)]
    warnings = _grouped((verdict.warning, pod) for pod, verdict in judged)
    problems = _grouped((verdict.problem, pod) for pod, verdict in judged)
    return Chosen(
        pods=tuple(pod for pod, verdict in judged if verdict.goes),
        warnings="; ".join(warnings),
        problems=tuple(f"cannot delete {problem}" for problem in problems),
    )


def _grouped(found: Iterable[tuple[str, Pod]]) -> Iterator[str]:
    """Yield each text with the pods that it is about; kubectl's own order of texts is random."""
    groups: dict[str, list[str]] = {}
    for text, pod in found:
        if text:
            groups.setdefault(text, []).append(f"{pod.namespace}/{pod.name}")
    return (f"{text}: {', '.join(names)}" for text, names in groups.items())


def _judged(plane: ControlPlane, pod: Pod, given: Arguments) -> _Verdict:
    """Ask the filters in turn; the first that keeps a pod decides, otherwise the last."""
    verdict = _GOES
    for judge in (_of_daemons, _of_mirrors, _of_storage, _of_bare_ones):
        verdict = judge(plane, pod, given)
        if not verdict.goes:
            break
    return verdict


def _of_daemons(plane: ControlPlane, pod: Pod, given: Arguments) -> _Verdict:
    if pod.owner is None or pod.owner[0] != "DaemonSet" or pod.terminal:
        return _GOES
    name = pod.owner[1]
    if plane.store.get("DaemonSet", pod.namespace, name) is None:
        missing = f'daemonsets.apps "{name}" not found'
        return _GOES if given.switch("force") else _Verdict(goes=False, problem=missing)
    if not given.switch("ignore-daemonsets"):
        return _Verdict(goes=False, problem=_DAEMON)
    return _Verdict(goes=False, warning="ignoring DaemonSet-managed Pods")


def _of_mirrors(_: ControlPlane, pod: Pod, __: Arguments) -> _Verdict:
    return _Verdict(goes=_MIRROR not in pod.template.annotations)


def _of_storage(_: ControlPlane, pod: Pod, given: Arguments) -> _Verdict:
    local = any("emptyDir" in volume for volume in pod.template.spec.get("volumes") or ())
    if not local or pod.terminal or given.switch("delete-emptydir-data"):
        return _GOES
    return _Verdict(goes=False, problem=_LOCAL)


def _of_bare_ones(_: ControlPlane, pod: Pod, given: Arguments) -> _Verdict:
    if pod.terminal or pod.owner is not None:
        return _GOES
    if given.switch("force"):
        return _Verdict(warning="deleting Pods that declare no controller")
    return _Verdict(goes=False, problem=_BARE)
