"""The scheduler's new events as columns: a run has one or more for each of its pods.

This file must not know when an event is written, nor what it looks like: `sim.event_log` does.
"""

from array import array
from bisect import bisect_right

from gpusched.sim.event_log import Sighting, Wording
from gpusched.sim.pod import Pod


class Sightings:
    """Sightings by the number of their event; other events leave a gap."""

    def __init__(self) -> None:
        self._pod = array("I")
        self._version = array("q")
        self._note: list[str] = []
        self._wording_from = array("q")
        self._wordings: list[Wording] = []

    def add(self, number: int, wording: Wording, pod: Pod, note: str) -> None:
        """Add an event; those of one wording that come in a row share it.

        Args:
            number: The event's number; it grows from call to call.
            wording: What it shares with others.
            pod: The pod as the scheduler last saw it.
            note: The text, or what is to be put into it.
        """
        if len(self._note) != number:
            self._leave_out(number - len(self._note))
        if not self._wordings or self._wordings[-1] is not wording:
            self._wording_from.append(number)
            self._wordings.append(wording)
        self._pod.append(pod.serial)
        self._version.append(pod.version)
        self._note.append(note)

    def _leave_out(self, count: int) -> None:
        nothing = [0] * count
        self._pod.extend(nothing)
        self._version.extend(nothing)
        self._note.extend([""] * count)

    def find(self, number: int, name: str) -> Sighting:
        """Return a sighting.

        Args:
            number: The event's number.
            name: The pod's name.
        """
        wording = self._wordings[bisect_right(self._wording_from, number) - 1]
        serial, version = self._pod[number], self._version[number]
        return Sighting(wording, name, serial, version, self._note[number])
