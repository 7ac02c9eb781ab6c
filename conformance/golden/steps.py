"""A timeline's steps on a real control plane, answered as the recordings write answers."""

import shlex
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

from conformance.golden.plane import RealPlane
from gpusched.controllers.protocol import ApiError
from gpusched.live.clock import now, sleep_until
from gpusched.live.cluster import Cluster
from gpusched.sim.calendar import SECOND
from gpusched.timeline.script import Step

Json = dict[str, Any]


class RealOperator:
    """Whoever plays the steps; a step that takes long delays the next.

    Args:
        cluster: The API server.
        plane: Its other parts.
        zero: t = 0, microseconds since the Unix epoch.
    """

    def __init__(self, cluster: Cluster, plane: RealPlane, zero: int) -> None:
        self._cluster = cluster
        self._plane = plane
        self._zero = zero
        self._actions: dict[str, Callable[[Any], Json]] = {
            "create": self._create,
            "delete": self._delete,
            "patch": self._patch,
            "scale": self._scale,
            "get": lambda b: {"code": 200, "object": self._cluster.read(b["kind"], *_key(b))},
            "post_raw": lambda b: self._create(b["body"]),
            "kwok_stop": lambda name: self._done(self._plane.stop_kwok, name),
            "kwok_start": lambda name: self._done(self._plane.start_kwok, name),
            "dump": lambda _: {"ok": True},
        }

    def carry_out(self, step: Step) -> Json:
        """Wait for a step's time, carry it out and return the answer."""
        sleep_until(self._zero + step.at)
        answer: Json = {"t": step.at / SECOND, "t_start": self._seconds(), "op": step.operation}
        if step.operation == "kubectl":
            answer["result"] = [self._kubectl(str(step.body), step.stdin)]
        else:
            items = step.body if isinstance(step.body, list) else [step.body]
            answer["result"] = [self._call(self._actions[step.operation], item) for item in items]
        return answer | {"t_end": self._seconds()}

    def _seconds(self) -> float:
        return round((now() - self._zero) / 1000) / 1000

    @staticmethod
    def _call(action: Callable[[Any], Json], item: Any) -> Json:
        try:
            return action(item)
        except ApiError as refusal:
            return {"code": refusal.code, "message": refusal.message, "reason": refusal.reason}

    def _create(self, obj: Json) -> Json:
        return {"code": 201, "name": self._cluster.create(obj)["metadata"]["name"]}

    def _delete(self, body: Json) -> Json:
        policy = body.get("propagation") or "Background"
        self._cluster.delete(body["kind"], _key(body), body.get("grace"), policy)
        return {"code": 200, "message": None}

    def _patch(self, body: Json) -> Json:
        form, part = body.get("type") or "strategic", body.get("sub") or ""
        self._cluster.patch(body["kind"], _key(body), body["body"], form, part)
        return {"code": 200, "message": None}

    def _scale(self, body: Json) -> Json:
        change = {"spec": {"replicas": body["replicas"]}}
        self._cluster.patch(body["kind"], _key(body), change, "merge", "scale")
        return {"code": 200, "message": None}

    @staticmethod
    def _done(act: Callable[[str], None], name: str) -> Json:
        act(name)
        return {"ok": True}

    def _kubectl(self, arguments: str, stdin: str) -> Json:
        program = shutil.which("kubectl")
        if program is None:
            raise SystemExit("kubectl is missing: timelines with kubectl steps need it")
        command = [program, "--kubeconfig", str(self._plane.kubeconfig), *shlex.split(arguments)]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        return {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def _key(body: Json) -> tuple[str, str]:
    return body.get("namespace") or "", body["name"]
