"""``kubectl drain``: cordon a node, evict its pods, wait until they have gone.

Source: kubernetes/kubectl pkg/drain/drain.go, pkg/cmd/drain/drain.go, v0.36.1
"""

from collections.abc import Sequence

from gpusched.controllers.protocol import ApiError, Json
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import budget_guarding, evict
from gpusched.sim.pod import Pod
from gpusched.timeline.answers import Answer, Work, failed, node_names, said, server_error
from gpusched.timeline.arguments import Arguments
from gpusched.timeline.flag_values import micros
from gpusched.timeline.node_verbs import cordon

EVICT_AGAIN = 5 * SECOND
"""When an eviction that a disruption budget forbids is tried again."""
CONFLICT_PAUSE, CONFLICT_JITTER = 500_000, 50_000
"""Microseconds after which the API server tries again to take an eviction from a budget that
somebody else has written since it was read, and up to how many more it draws.

Source: kubernetes/kubernetes pkg/registry/core/pod/storage/eviction.go (EvictionsRetry), v1.36.1
"""


def drain(plane: ControlPlane, given: Arguments, answer: Answer) -> Work:
    """Cordon nodes and begin to evict their pods, node by node; ``answer`` is told the end."""
    try:
        cordoned = yield from cordon(plane, given, desired=True)
    except ApiError as refusal:
        answer(failed(server_error(refusal)))
        return {}
    _drain_each(plane, given, node_names(given), said(cordoned["stdout"]), answer)
    return {}


def _drain_each(
    plane: ControlPlane, given: Arguments, names: list[str], so_far: Json, answer: Answer
) -> None:
    """Drain the first of some nodes, and the others once that is done."""

    def proceed(result: Json) -> None:
        told = {name: so_far[name] + result[name] for name in ("stdout", "stderr")}
        if result["rc"] or not names[1:]:
            answer({"rc": result["rc"], **told})
        else:
            _drain_each(plane, given, names[1:], {"rc": 0, **told}, answer)

    Drain(plane, given.with_words(names[:1]), proceed).begin()


class Drain:
    """One drain under way.

    Args:
        plane: The control plane.
        given: The command's words and flags.
        answer: Whom to tell the end.
    """

    def __init__(self, plane: ControlPlane, given: Arguments, answer: Answer) -> None:
        self._plane = plane
        self._given = given
        self._node = node_names(given)[0]
        self._out: list[str] = []
        self._err: list[str] = []
        self._answer: Answer | None = answer
        self._left: dict[tuple[str, str], int] = {}
        self._announced: set[tuple[str, str]] = set()
        self._stream = plane.stream(f"evictions/{self._node}")
        timeout = given.flag("timeout")
        length = micros(timeout) if timeout else 0
        self._deadline = plane.loop.now + length if length else None
        grace = int(given.flag("grace-period") or -1)
        self._grace = None if grace < 0 else grace

    def begin(self) -> None:
        """Say what stays and evict the rest."""
        pods = self._plane.store.pods_on(self._node)
        kept = [pod for pod in pods if pod.owner is not None and pod.owner[0] == "DaemonSet"]
        problem = self._problem(pods, kept)
        if problem:
            self._fail(problem)
            return
        if kept:
            self._err.append(f"Warning: ignoring DaemonSet-managed Pods: {_listed(kept)}\n")
        self._left = {pod.key: pod.serial for pod in pods if pod not in kept}
        self._plane.store.watch("Pod", lambda _: self._look())
        for key in list(self._left):
            self._evict(key)
        self._look()

    def _problem(self, pods: Sequence[Pod], kept: Sequence[Pod]) -> str:
        """Return why the node cannot be drained as asked, or an empty string."""
        if kept and self._given.flag("ignore-daemonsets") != "true":
            hint = "use --ignore-daemonsets to ignore"
            return f"cannot delete DaemonSet-managed Pods ({hint}): {_listed(kept)}"
        bare = [pod for pod in pods if pod.owner is None and not pod.terminal]
        if bare and self._given.flag("force") != "true":
            hint = "use --force to override"
            return f"cannot delete Pods that declare no controller ({hint}): {_listed(bare)}"
        return ""

    def _fail(self, why: str) -> None:
        text = (
            f'error: unable to drain node "{self._node}" due to error: {why},'
            " continuing command...\n"
            f"There are pending nodes to be drained:\n {self._node}\n{why}\n"
        )
        self._finish(1, text)

    def _evict(self, key: tuple[str, str]) -> None:
        pod = self._plane.store.pod(*key)
        if pod is None or pod.serial != self._left.get(key):
            return
        if key not in self._announced:
            self._announced.add(key)
            self._out.append(f"evicting pod {key[0]}/{key[1]}\n")
        try:
            budget = budget_guarding(self._plane.store, pod)
        except ApiError as refusal:
            self._postpone(key, refusal)
            return
        due = self._plane.loop.now + self._plane.latency.light
        if budget is None or due == self._plane.loop.now or not _allows(budget):
            self._carry_out(key)
        else:
            self._plane.loop.at(due, self._carry_out, key, budget)

    def _carry_out(self, key: tuple[str, str], read: Json | None = None) -> None:
        """Evict a pod, unless its budget was written since it was read: then begin again."""
        if read is not None and self._plane.store.get(*_place(read)) is not read:
            pause = CONFLICT_PAUSE + int(self._stream.integers(CONFLICT_JITTER))
            self._plane.loop.at(self._plane.loop.now + pause, self._evict, key)
            return
        try:
            evict(self._plane.store, key, self._grace)
        except ApiError as refusal:
            self._postpone(key, refusal)

    def _postpone(self, key: tuple[str, str], refusal: ApiError) -> None:
        again = self._plane.loop.now + EVICT_AGAIN
        if self._deadline is not None and again > self._deadline:
            return
        what = f'error when evicting pods/"{key[1]}" -n "{key[0]}" (will retry after 5s)'
        self._err.append(f"{what}: {refusal.message}\n")
        self._plane.loop.at(again, self._evict, key)

    def _look(self) -> None:
        """Report the pods that have gone, and the end when all have."""
        for key, serial in list(self._left.items()):
            pod = self._plane.store.pod(*key)
            if pod is None or pod.serial != serial:
                del self._left[key]
                self._out.append(f"pod/{key[1]} evicted\n")
        if not self._left:
            self._finish(0, "")

    def _finish(self, rc: int, problem: str) -> None:
        if self._answer is None:
            return
        answer, self._answer = self._answer, None
        done = "" if rc else f"node/{self._node} drained\n"
        stderr = "".join(self._err) + problem
        answer({"rc": rc, "stdout": "".join(self._out) + done, "stderr": stderr})


def _allows(budget: Json) -> bool:
    return bool((budget.get("status") or {}).get("disruptionsAllowed", 0) > 0)


def _place(obj: Json) -> tuple[str, str, str]:
    return obj["kind"], obj["metadata"]["namespace"], obj["metadata"]["name"]


def _listed(pods: Sequence[Pod]) -> str:
    return ", ".join(f"{pod.namespace}/{pod.name}" for pod in pods)
