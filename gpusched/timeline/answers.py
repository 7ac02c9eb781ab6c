"""What a kubectl command answers: exit status and texts, and refusals in its words.

Source: kubernetes/kubectl pkg/cmd/util/helpers.go (StandardErrorMessage), v0.36.1
"""

from collections.abc import Callable, Generator, Sequence

from gpusched.controllers.protocol import ApiError, Json
from gpusched.controllers.selectors import selects
from gpusched.sim.control_plane import ControlPlane
from gpusched.sim.kinds import Kind, find_kind
from gpusched.timeline.arguments import Arguments, UsageError, parse_selector

Answer = Callable[[Json], None]
"""Is told how a command ended."""
Work = Generator[int | None, None, Json]
"""A command under way: yields after each request, or how long it waits, in microseconds; returns
exit status and texts."""


_COMPLETE = ("error: ", "Error from server", "The ")


def said(text: str) -> Json:
    """Return the answer of a command that went well."""
    return {"rc": 0, "stdout": text, "stderr": ""}


def failed(text: str) -> Json:
    """Return the answer of a command that failed."""
    return {"rc": 1, "stdout": "", "stderr": text}


def told(out: Sequence[str], errors: Sequence[str], warnings: Sequence[str] = ()) -> Json:
    """Return the answer of a command over several objects, some of which may have failed.

    Args:
        out: What it has printed.
        errors: Its errors, each without the line's end.
        warnings: What it has printed beside, with the line's end.
    """
    lines = list(errors)
    if len(lines) == 1 and not lines[0].startswith(_COMPLETE):
        lines = [f"error: {lines[0]}"]
    stderr = "".join(warnings) + "".join(f"{line}\n" for line in lines)
    return {"rc": 1 if errors else 0, "stdout": "".join(out), "stderr": stderr}


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
    """Return the objects that a command names: ``KIND[,KIND] NAME…`` or ``KIND/NAME…``."""
    words = given.words
    if words and "/" not in words[0]:
        kinds = [kind_named(spelling) for spelling in words[0].split(",")]
        return [(kind, name) for kind in kinds for name in words[1:]]
    pairs = (word.partition("/") for word in words)
    return [(kind_named(spelling), name) for spelling, _, name in pairs]


def chosen(plane: ControlPlane, given: Arguments) -> list[tuple[Kind, str]]:
    """Return the objects that a command names or selects, of each kind by name."""
    if not given.selects:
        return targets(given)
    kinds = [kind_named(spelling) for spelling in given.words[0].split(",")]
    return [(kind, name) for kind in kinds for name in selected(plane, kind, given)]


def selected(plane: ControlPlane, kind: Kind, given: Arguments) -> list[str]:
    """Return the names of a kind's objects that a command's selector selects."""
    selector = parse_selector(given.flag("selector") or "")
    objects = plane.api.read_all(kind.name, given.namespace if kind.namespaced else "")
    return [
        obj["metadata"]["name"]
        for obj in objects
        if selects(selector, obj["metadata"].get("labels") or {})
    ]


def key_in(kind: Kind, name: str, given: Arguments) -> tuple[str, str]:
    """Return namespace and name of an object that a command names."""
    return given.namespace if kind.namespaced else "", name


def node_names(given: Arguments) -> list[str]:
    """Return the nodes that a command names."""
    return [word.removeprefix("node/") for word in given.words]
