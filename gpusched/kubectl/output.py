"""What a command leaves behind: its two streams and its exit status; and its ways to fail."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gpusched.errors import GpuschedError


@dataclass(frozen=True, slots=True)
class Output:
    """The whole outcome of one kubectl command.

    Attributes:
        stdout: Text for standard output.
        stderr: Text for standard error.
        exit_status: What the shell sees in ``$?``.
    """

    stdout: str = ""
    stderr: str = ""
    exit_status: int = 0

    def warned(self, warning: str) -> "Output":
        """Return this outcome with ``warning`` in front of its errors."""
        return replace(self, stderr=warning + self.stderr)


class CommandError(GpuschedError):
    """A command cannot do what it was asked; the message is kubectl's, without its prefix.

    Attributes:
        printed: The message as kubectl prints it when it is the only one.
        among_others: The message as kubectl prints it in a list of several.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.printed = message if message.startswith("error: ") else f"error: {message}"
        self.among_others = message


class ServerError(CommandError):
    """The API server's refusal, e.g. ``pods "x" not found``.

    Attributes:
        reason: The Status reason, e.g. ``NotFound``.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.printed = self.among_others = f"Error from server ({reason}): {message}"


class PlainError(CommandError):
    """A message that kubectl prints without the ``error:`` prefix."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.printed = self.among_others = message


def error_text(errors: Sequence[CommandError]) -> str:
    """Return what kubectl writes to standard error for ``errors``; empty for none.

    Source: kubernetes/kubectl pkg/cmd/util/helpers.go checkErr, v0.36.1
    """
    if not errors:
        return ""
    if len(errors) == 1:
        text = errors[0].printed
        return text if text.endswith("\n") else text + "\n"
    return "".join(f"{error.among_others}\n" for error in errors)


def failed(*errors: CommandError, stdout: str = "") -> Output:
    """Return the outcome of a command that ended with ``errors``."""
    return Output(stdout, error_text(errors), 1 if errors else 0)
