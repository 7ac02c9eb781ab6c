"""Which kubectl command lines can be played; a scenario's others are refused beforehand.

A command that is not known here, or a flag that is not heeded, would leave a scenario's cluster as
it is, or change it otherwise than the user meant, and nobody would notice.
"""

import shlex
from collections.abc import Mapping
from typing import Final

from gpusched.timeline.arguments import parse_arguments

_MANIFESTS: Final = ("filename", "namespace", "validate")
HEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "apply": _MANIFESTS,
    "cordon": (),
    "create": _MANIFESTS,
    "delete": (
        "all", "cascade", "filename", "force", "grace-period", "ignore-not-found", "namespace",
        "now", "selector", "wait",
    ),
    "drain": (
        "delete-emptydir-data", "disable-eviction", "force", "grace-period", "ignore-daemonsets",
        "pod-selector", "timeout",
    ),
    "label": ("all", "namespace", "overwrite", "selector"),
    "rollout": ("all", "namespace", "selector", "to-revision"),
    "scale": ("all", "current-replicas", "namespace", "replicas", "selector"),
    "taint": ("all", "overwrite", "selector"),
    "uncordon": (),
}  # fmt: skip
"""The commands that change something, and the flags that they heed."""
ONLY_PRINTING: Final = (
    "api-resources", "api-versions", "auth", "cluster-info", "config", "describe", "diff",
    "events", "explain", "get", "help", "logs", "options", "top", "version", "wait",
)  # fmt: skip
"""Commands that change nothing, so that nothing is lost when they are passed over."""
_INSTEAD: Final = {
    "annotate": "a patch step",
    "autoscale": "scale steps",
    "edit": "a patch step",
    "patch": "a patch step",
    "replace": "an apply step",
    "run": "an apply step with the pod's manifest",
    "set": "a patch step",
}


def why_unplayable(line: str) -> str:
    """Return why a command line cannot be played, with what can be; an empty text if it can.

    >>> why_unplayable("scale deploy web --replicas=3 -n team")
    ''
    >>> why_unplayable("annotate node a b=c")
    'kubectl annotate is not simulated; use a patch step'
    >>> why_unplayable("cordon a --dry-run=client")
    'the flag --dry-run of kubectl cordon is not simulated; it heeds none'
    """
    try:
        verb, *words = shlex.split(line) or [""]
    except ValueError as error:
        return f"cannot be split into words: {str(error).lower()}"
    if not verb or verb in ONLY_PRINTING or words[:1] in (["status"], ["history"]):
        return ""
    if verb not in HEEDED:
        instead = f"use {_INSTEAD[verb]}" if verb in _INSTEAD else f"known are {', '.join(HEEDED)}"
        return f"kubectl {verb} is not simulated; {instead}"
    if verb == "create" and words[:1] and not words[0].startswith("-"):
        return f"kubectl create {words[0]} is not simulated; use an apply step with its manifest"
    return _unheeded(verb, words)


def _unheeded(verb: str, words: list[str]) -> str:
    given = parse_arguments(words)
    for name in given.flags:
        if name not in HEEDED[verb]:
            heeded = ", ".join(f"--{flag}" for flag in HEEDED[verb]) or "none"
            return f"the flag --{name} of kubectl {verb} is not simulated; it heeds {heeded}"
    file = given.flag("filename") or "-"
    return (
        "" if file == "-" else f"kubectl {verb} -f {file} reads no file; use a step {verb}: {file}"
    )
