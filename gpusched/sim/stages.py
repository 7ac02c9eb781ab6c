"""Plays user-defined Stages on pods: chooses one, waits, applies what it says."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpusched.controllers.protocol import ApiError, Emit
from gpusched.kwok.delay import delay_of
from gpusched.kwok.stage import Stage, choose
from gpusched.sim.api import Api
from gpusched.sim.calendar import Calendar
from gpusched.sim.deletion import delete_pod
from gpusched.sim.events import CoreRecorder
from gpusched.sim.manifest import address_of
from gpusched.sim.pod import Json, Pod


@dataclass(frozen=True, slots=True)
class Plan:
    """A stage and when to play it.

    Attributes:
        stage: The stage.
        delay: Microseconds from now.
    """

    stage: Stage
    delay: int


class StagePlayer:
    """The stages of one KWOK process.

    Args:
        stages: All of them; those for pods are played.
        calendar: For times in annotations and templates.
        rng: The stream for choices and jitter.
        recorder: KWOK's event recorder.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        calendar: Calendar,
        rng: np.random.Generator,
        recorder: CoreRecorder,
    ) -> None:
        self._stages = [stage for stage in stages if stage.kind == "Pod"]
        self._calendar = calendar
        self._rng = rng
        self._recorder = recorder

    def plan(self, obj: Json, now: int) -> Plan | None:
        """Return the stage that a pod's state calls for, or None."""
        stage = choose(self._stages, obj, self._rng)
        if stage is None:
            return None
        return Plan(stage, delay_of(stage, obj, now, self._calendar.micros, self._rng))

    def play(self, api: Api, pod: Pod, stage: Stage, address: int) -> int:
        """Apply a stage to a pod: its event, finalizers, then deletion or else patches.

        Returns:
            The next free address.
        """
        obj = api.read("Pod", *pod.key)
        if stage.event is not None:
            self._recorder.emit(_event(pod, stage.event))
        finalizers = _finalizers(pod.finalizers, stage.finalizers)
        if finalizers != pod.finalizers:
            api.patch("Pod", pod.key, {"metadata": {"finalizers": list(finalizers)}}, "merge")
        left = api.store.pod(*pod.key)
        if left is not None and stage.delete:
            delete_pod(api.store, left, 0)
        elif left is not None:
            functions = self._functions(pod, obj, api.store.now, address)
            with suppress(ApiError):  # KWOK gives up what the API server refuses
                _patch(api, pod, obj, stage, functions)
        return address + 1

    def _functions(self, pod: Pod, obj: Json, now: int, address: int) -> Mapping[str, Any]:
        given = (obj.get("status") or {}).get("podIP")
        return {
            "Now": lambda: self._calendar.stamp(now),
            "NodeIPWith": lambda *_: "",
            "NodeIP": lambda *_: "",
            "NodeName": lambda *_: pod.node,
            "NodePort": lambda *_: 10247,
            "PodIPWith": lambda *_: given or address_of(address),
            "PodIP": lambda *_: given or address_of(address),
            "Version": lambda *_: "v0.7.0",
        }


def _patch(api: Api, pod: Pod, obj: Json, stage: Stage, functions: Mapping[str, Any]) -> None:
    for sub, root, form, template in stage.patches:
        body = template.render(obj, functions)
        api.patch("Pod", pod.key, _status_patch(obj, {root: body} if root else body), form, sub)


def _event(pod: Pod, words: Mapping[str, str]) -> Emit:
    about = {"kind": "Pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid}
    return Emit(about, words["type"], words["reason"], words["message"])


def _finalizers(have: Sequence[str], changes: Json) -> tuple[str, ...]:
    """Return a pod's finalizers after a stage has removed its own and added others."""
    removed = [item["value"] for item in changes.get("remove") or ()]
    kept = [] if changes.get("empty") else [name for name in have if name not in removed]
    added = [item["value"] for item in changes.get("add") or ()]
    return (*kept, *(name for name in added if name not in kept))


def _status_patch(obj: Json, body: Json) -> Json:
    """Return a status patch with its conditions merged into the pod's, as KWOK does."""
    status = body.get("status") or {}
    if "conditions" not in status:
        return body
    merged = {item["type"]: item for item in status["conditions"] or ()}
    before = (obj.get("status") or {}).get("conditions") or ()
    merged |= {item["type"]: item for item in before if item["type"] not in merged}
    return {**body, "status": {**status, "conditions": list(merged.values())}}
