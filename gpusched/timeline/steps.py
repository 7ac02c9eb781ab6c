"""Carries out one step after the other, as the recording's client did.

A step that takes long delays the next.

What kubectl says and how it ends is in `timeline.kubectl`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from gpusched.controllers.protocol import ApiError
from gpusched.sim.calendar import SECOND
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.deletion import delete
from gpusched.timeline.kubectl import Kubectl, Printer
from gpusched.timeline.script import Json, Step

_PATCH_FORMS = {"strategic": "strategic", "merge": "merge", "json": "json"}
_RESTART = 10 * SECOND
"""How long a KWOK process takes to be back."""


class Operator:
    """Whoever plays the steps.

    Args:
        plane: The control plane that is operated.
        printer: Answers the kubectl commands that only print.
    """

    def __init__(self, plane: ControlPlane, printer: Printer) -> None:
        self._plane = plane
        self._kubectl = Kubectl(plane, printer)
        self._waiting: list[tuple[Step, Json]] = []
        self._busy = False

    def carry_out(self, step: Step, answer: Json) -> None:
        """Begin a step, or queue it behind the one that is under way; fills in ``answer``."""
        self._waiting.append((step, answer))
        if not self._busy:
            self._next()

    def _next(self) -> None:
        if not self._waiting:
            self._busy = False
            return
        self._busy = True
        step, answer = self._waiting.pop(0)
        answer |= {
            "t": step.at / SECOND,
            "t_start": self._seconds(),
            "op": step.operation,
            "result": [],
        }
        if step.operation == "kubectl":
            self._plane.loop.at(
                self._plane.loop.now + self._plane.latency.kubectl, self._run_kubectl, step, answer
            )
        else:
            calls, latency = list(self._calls(step)), self._plane.latency
            self._call(calls, latency.user if len(calls) == 1 else latency.users, answer)

    def _seconds(self) -> float:
        return round(self._plane.loop.now / 1000) / 1000

    def _done(self, answer: Json) -> None:
        answer["t_end"] = self._seconds()
        self._plane.loop.soon(self._next)

    def _run_kubectl(self, step: Step, answer: Json) -> None:
        def finish(result: Json) -> None:
            answer["result"] = [result]
            self._done(answer)

        self._kubectl.run(str(step.body), step.stdin, finish)

    def _call(self, calls: list[Callable[[], Json]], way: int, answer: Json) -> None:
        """Send requests one after the other, each on its way for ``way``."""
        if not calls:
            self._done(answer)
            return

        def send() -> None:
            try:
                answer["result"].append(calls[0]())
            except ApiError as refusal:
                answer["result"].append(
                    {"code": refusal.code, "message": refusal.message, "reason": refusal.reason}
                )
            self._call(calls[1:], way, answer)

        self._plane.loop.at(self._plane.loop.now + way, send)

    def _calls(self, step: Step) -> Iterable[Callable[[], Json]]:
        """Return a step's requests."""
        body: Any = step.body
        items = body if isinstance(body, list) else [body]
        actions: dict[str, Callable[[Any], Json]] = {
            "create": self._create,
            "delete": self._delete,
            "patch": self._patch,
            "scale": self._scale,
            "get": self._get,
            "post_raw": self._post_raw,
            "kwok_stop": self._kwok_stop,
            "kwok_start": self._kwok_start,
            "dump": lambda _: {"ok": True},
        }
        action = actions[step.operation]
        return [lambda item=item: action(item) for item in items]  # type: ignore[misc]  # mypy: a lambda's default

    def _create(self, obj: Json) -> Json:
        stored = self._plane.api.create(obj)
        return {"code": 201, "name": stored["metadata"]["name"]}

    def _delete(self, body: Json) -> Json:
        propagation = body.get("propagation") or "Background"
        delete(self._plane.store, body["kind"], _key(body), body.get("grace"), propagation)
        return {"code": 200, "message": None}

    def _patch(self, body: Json) -> Json:
        form = _PATCH_FORMS[body.get("type") or "strategic"]
        self._plane.api.patch(body["kind"], _key(body), body["body"], form, body.get("sub") or "")
        return {"code": 200, "message": None}

    def _scale(self, body: Json) -> Json:
        self._plane.api.scale(body["kind"], _key(body), body["replicas"])
        return {"code": 200, "message": None}

    def _get(self, body: Json) -> Json:
        return {"code": 200, "object": self._plane.api.read(body["kind"], *_key(body))}

    def _post_raw(self, body: Json) -> Json:
        return self._create(body["body"])

    def _kwok_stop(self, name: str) -> Json:
        self._plane.kubelets[name].stop()
        return {"ok": True}

    def _kwok_start(self, name: str) -> Json:
        self._plane.loop.at(self._plane.loop.now + _RESTART, self._plane.kubelets[name].start)
        return {"ok": True}


def _key(body: Json) -> tuple[str, str]:
    return body.get("namespace") or "", body["name"]
