"""Which plugin wants to hear of which event, per profile.

Source: kubernetes/kubernetes pkg/scheduler/scheduler.go (buildQueueingHintMap), v1.36.1.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from gpusched.kube.framework.events import (
    Action,
    Change,
    ClusterEvent,
    EnqueueExtensions,
    EventHint,
    EventResource,
)
from gpusched.kube.framework.interface import AnnouncedGate, Plugin
from gpusched.kube.queue.entity import QueuedPod

NODE_TAINT = ClusterEvent(EventResource.NODE, Action.UPDATE_NODE_TAINT)


class Worth(Enum):
    """What an event means for a waiting pod."""

    SKIP = 0
    AFTER_BACKOFF = 1
    IMMEDIATELY = 2


class QueueingHints:
    """The registrations of one profile's plugins.

    Args:
        plugins: The profile's plugins by name.

    Attributes:
        gates: PreEnqueue plugins that say whose gate may have opened.
    """

    def __init__(self, plugins: Mapping[str, Plugin]) -> None:
        self._registered: dict[str, tuple[EventHint, ...]] = {
            name: _registrations(plugin) for name, plugin in plugins.items()
        }
        self.gates = {
            name: plugin for name, plugin in plugins.items() if isinstance(plugin, AnnouncedGate)
        }
        self._matching: dict[ClusterEvent, Mapping[str, tuple[EventHint, ...]]] = {}

    def interested(self, plugin: str, event: ClusterEvent) -> bool:
        """Return whether a plugin has registered for the event."""
        return plugin in self._hints(event)

    def plugins(self, event: ClusterEvent) -> list[str]:
        """Return the plugins that have registered for the event."""
        return list(self._hints(event))

    def worth(self, queued: QueuedPod, event: ClusterEvent, change: Change | None) -> Worth:
        """Return whether the event may cure the pod's last rejection (section 7.6)."""
        if not queued.rejected_by and not queued.pending_on:
            return Worth.AFTER_BACKOFF
        if event.resource is EventResource.WILDCARD:
            return Worth.AFTER_BACKOFF
        found, hints = Worth.SKIP, self._hints(event)
        for plugin in sorted(queued.rejectors):
            if not _queues(hints.get(plugin, ()), queued, change):
                continue
            if plugin in queued.pending_on:
                return Worth.IMMEDIATELY
            found = Worth.AFTER_BACKOFF
        return found

    def alike(self, rejectors: Iterable[str], event: ClusterEvent) -> bool:
        """Return whether pods of one shape with these rejectors get the same answer from `worth`.

        All but the pod that the event is about.
        """
        hints = self._hints(event)
        return all(
            hint.hint is None or hint.by_shape for name in rejectors for hint in hints.get(name, ())
        )

    def _hints(self, event: ClusterEvent) -> Mapping[str, tuple[EventHint, ...]]:
        """Return the registrations that cover the event, by plugin."""
        found = self._matching.get(event)
        if found is None:
            matching = {
                plugin: tuple(r for r in registered if r.event.matches(event))
                for plugin, registered in self._registered.items()
            }
            found = {plugin: hints for plugin, hints in matching.items() if hints}
            self._matching[event] = found
        return found


def _queues(hints: Sequence[EventHint], queued: QueuedPod, change: Change | None) -> bool:
    return any(r.hint is None or change is None or r.hint(queued.pod, change) for r in hints)


def _registrations(plugin: Plugin) -> tuple[EventHint, ...]:
    if not isinstance(plugin, EnqueueExtensions):
        return ()
    found = tuple(plugin.events_to_register())
    adds = any(_has(r.event, Action.ADD) for r in found)
    taints = any(_has(r.event, Action.UPDATE_NODE_TAINT) for r in found)
    return (*found, EventHint(NODE_TAINT)) if adds and not taints else found


def _has(event: ClusterEvent, action: Action) -> bool:
    return event.resource is EventResource.NODE and bool(event.action & action)
