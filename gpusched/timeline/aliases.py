"""Stand-ins for what differs from run to run: generated name suffixes, uids, host names.

A generated name's suffix becomes ``#NN``, the order of creation among its siblings; a suffix that
never became a pod
becomes ``<rand>``.
"""

import re
from typing import Any

from gpusched.controllers.template_hash import SAFE_LETTERS
from gpusched.sim.pod import Pod

_UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_SUFFIXED = re.compile(rf"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?-[{SAFE_LETTERS}]{{5}}(?![a-z0-9.-])")
_GENERATORS = ("ReplicaSet", "Job", "DaemonSet", "ReplicationController")
_SUFFIX_LENGTH = 5


class Aliases:
    """The stand-ins of one run."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def introduce(self, pod: Pod) -> None:
        """Number a pod whose name was generated."""
        if pod.owner is None or pod.owner[0] not in _GENERATORS or pod.name in self._names:
            return
        prefix = pod.name[:-_SUFFIX_LENGTH]
        number = self._counts.get(prefix, 0)
        self._counts[prefix] = number + 1
        self._names[pod.name] = f"{prefix}#{number:02d}"

    def name(self, name: str) -> str:
        """Return a pod's stand-in, or the name itself."""
        return self._names.get(name, name)

    def text(self, text: str) -> str:
        """Return a message with stand-ins."""
        text = _UID.sub("<uid>", text)
        return _SUFFIXED.sub(lambda match: self._stand_in(match, text), text)

    def _stand_in(self, match: re.Match[str], text: str) -> str:
        found = self._names.get(match[0])
        if found is not None:
            return found
        refused = text[: match.start()].endswith('pods "') and text[match.end() :].startswith(
            '" is forbidden'
        )
        return f"{match[0][:-_SUFFIX_LENGTH]}<rand>" if refused else match[0]

    def deep(self, value: Any) -> Any:
        """Return a JSON value with stand-ins in all its texts."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.deep(item) for item in value]
        if isinstance(value, dict):
            return {key: self.deep(item) for key, item in value.items()}
        return value
