"""What a kubectl command answers: exit status and texts, and refusals in its words.

Source: kubernetes/kubectl pkg/cmd/util/helpers.go (StandardErrorMessage), v0.36.1
"""

from collections.abc import Callable, Generator

from gpusched.controllers.protocol import ApiError, Json
from gpusched.sim.kinds import Kind, find_kind
from gpusched.timeline.arguments import Arguments, UsageError

Answer = Callable[[Json], None]
"""Is told how a command ended."""
Work = Generator[None, None, Json]
"""A command under way: yields after each request, returns exit status and texts."""


def said(text: str) -> Json:
    """Return the answer of a command that went well."""
    return {"rc": 0, "stdout": text, "stderr": ""}


def failed(text: str) -> Json:
    """Return the answer of a command that failed."""
    return {"rc": 1, "stdout": "", "stderr": text}


def server_error(refusal: ApiError, when: str = "") -> str:
    """Return a refusal as kubectl prints it.

    Args:
        refusal: What the API server said.
        when: What kubectl puts before the server's words.
    """
    if refusal.reason == "Invalid" and refusal.causes:
        kind, _, rest = refusal.message.partition(" ")
        head = f"{kind.partition('.')[0]} {rest.partition(' is invalid: ')[0]} is invalid: "
        causes = dict.fromkeys(refusal.causes)
        bullets = "".join(f"\n* {cause}" for cause in causes)
        return f"The {head}{next(iter(causes)) if len(causes) == 1 else bullets}\n"
    return f"Error from server ({refusal.reason}): {when}{refusal.message}\n"


def kind_named(spelling: str) -> Kind:
    """Return the kind that a user's word stands for, or refuse it."""
    found = find_kind(spelling)
    if found is None:
        raise UsageError(f'error: the server doesn\'t have a resource type "{spelling}"\n')
    return found


def targets(given: Arguments) -> list[tuple[Kind, str]]:
    """Return the objects that a command names: ``KIND NAME…`` or ``KIND/NAME…``."""
    words = given.words
    if words and "/" not in words[0]:
        kind = kind_named(words[0])
        return [(kind, name) for name in words[1:]]
    pairs = (word.partition("/") for word in words)
    return [(kind_named(spelling), name) for spelling, _, name in pairs]


def key_in(kind: Kind, name: str, given: Arguments) -> tuple[str, str]:
    """Return namespace and name of an object that a command names."""
    return given.namespace if kind.namespaced else "", name


def node_names(given: Arguments) -> list[str]:
    """Return the nodes that a command names."""
    return [word.removeprefix("node/") for word in given.words]
