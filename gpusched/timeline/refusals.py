"""What kubectl refuses without asking the server: commands without a name, a change, a size.

Source: kubernetes/kubectl pkg/cmd/{create,apply,delete,drain,label,rollout,scale,taint}, v0.36.1
"""

from collections.abc import Callable, Mapping
from typing import Final

from gpusched.sim.kinds import find_kind
from gpusched.timeline.arguments import Arguments
from gpusched.timeline.flag_values import bad_value

EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
SUBCOMMANDS: Final = ("history", "pause", "restart", "resume", "status", "undo")
ROLLOUT_HELP: Final = """Manage the rollout of one or many resources.
        
 Valid resource types include:

  *  deployments
  *  daemonsets
  *  statefulsets

Examples:
  # Rollback to the previous deployment
  kubectl rollout undo deployment/abc
  
  # Check the rollout status of a daemonset
  kubectl rollout status daemonset/foo
  
  # Restart a deployment
  kubectl rollout restart deployment/abc
  
  # Restart deployments with the 'app=nginx' label
  kubectl rollout restart deployment --selector=app=nginx

Available Commands:
  history       View rollout history
  pause         Mark the provided resource as paused
  restart       Restart a resource
  resume        Resume a paused resource
  status        Show the status of the rollout
  undo          Undo a previous rollout

Usage:
  kubectl rollout SUBCOMMAND [options]

Use "kubectl rollout <command> --help" for more information about a given command.
Use "kubectl options" for a list of global command-line options (applies to all commands).
"""  # noqa: W293 - word by word
_NOTHING_NAMED = """error: You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'
"""


def is_change(verb: str, word: str) -> bool:
    """Return whether a word of ``label`` or ``taint`` is a change and no name.

    >>> [is_change("label", word) for word in ("a=b", "a-", "a", "-", "=b", "a:NoExecute")]
    [True, True, False, False, False, False]
    >>> is_change("taint", "a:NoExecute")
    True
    """
    if verb == "taint":
        return "=" in word or ":" in word or word.endswith("-")
    return word.find("=") > 0 or (word.endswith("-") and word != "-")


def refusal(verb: str, given: Arguments) -> str:
    """Return what kubectl says instead of carrying a command out; an empty string if it does."""
    judge = _JUDGES.get(verb)
    if judge is None:
        return ""
    return bad_value(verb, given) or judge(verb, given)


def _of_nodes(verb: str, given: Arguments) -> str:
    if given.words:
        return ""
    return f"error: USAGE: {verb} NODE [flags]\nSee 'kubectl {verb} -h' for help and examples\n"


def _of_manifests(_: str, given: Arguments) -> str:
    return "" if given.flag("filename") else "error: must specify one of -f and -k\n"


def _of_names(verb: str, given: Arguments) -> str:
    if verb == "scale" and given.flag("replicas") is None:
        return 'error: required flag(s) "replicas" not set\n'
    if verb == "scale" and int(given.flag("replicas") or 0) < 0:
        need = "COUNT must be greater than or equal to 0"
        return f"error: The --replicas=COUNT flag is required, and {need}\n"
    if given.flag("filename"):
        return ""
    if not given.words:
        return _NOTHING_NAMED
    if len(given.words) == 1 and "/" not in given.words[0] and not given.selects:
        return "error: resource(s) were provided, but no name was specified\n"
    return ""


def _of_changes(verb: str, given: Arguments) -> str:
    changes = [word for word in given.words if is_change(verb, word)]
    late = [word for word in given.words[-len(changes) :] if changes and word not in changes]
    if late:
        return f"error: all resources must be specified before {verb} changes: {late[0]}\n"
    if len(changes) == len(given.words):
        more = " or <resource>/<name>" if verb == "label" else ""
        return f"error: one or more resources must be specified as <resource> <name>{more}\n"
    if not changes:
        return f"error: at least one {verb} update is required\n"
    return _of_taints(given, changes) if verb == "taint" else ""


def _of_taints(given: Arguments, changes: list[str]) -> str:
    for change in changes:
        effect = change.removesuffix("-").partition(":")[2]
        if effect not in EFFECTS and (effect or not change.endswith("-")):
            see = "See 'kubectl taint -h' for help and examples\n"
            return f"error: invalid taint effect: {effect}, unsupported taint effect\n{see}"
    kind = given.words[0].partition("/")[0]
    found = find_kind(kind)
    if found is None:
        return f'the server doesn\'t have a resource type "{kind}"\n'
    if found.name != "Node":
        return f"error: invalid resource type {kind}, only node types are supported\n"
    return ""


def _of_rollouts(_: str, given: Arguments) -> str:
    action, *named = given.words
    if action not in SUBCOMMANDS:
        hint = "See 'kubectl rollout -h' for help and examples\n"
        return f'error: unknown command "{action}"\n{hint}'
    return "" if named else "error: required resource not specified\n"


_JUDGES: Mapping[str, Callable[[str, Arguments], str]] = {
    "apply": _of_manifests,
    "cordon": _of_nodes,
    "create": _of_manifests,
    "delete": _of_names,
    "drain": _of_nodes,
    "label": _of_changes,
    "rollout": _of_rollouts,
    "scale": _of_names,
    "taint": _of_changes,
    "uncordon": _of_nodes,
}
