"""What is wrong with a configuration, and how far kube-scheduler would have come with it."""

from enum import StrEnum

from typing_extensions import override

from gpusched.errors import Fault, InvalidInputError


class Stage(StrEnum):
    """The step of kube-scheduler's start that refuses a configuration."""

    DECODE = "config-decode"
    VALIDATE = "config-validate"
    BUILD = "scheduler-new"


class ConfigurationError(InvalidInputError):
    """A KubeSchedulerConfiguration cannot be used.

    Attributes:
        stage: The step that refuses it.
        message: kube-scheduler's text, word by word.
    """

    def __init__(self, stage: Stage, message: str) -> None:
        self.stage = stage
        self.message = message
        super().__init__([Fault(message)])
        self.args = (stage, message)  # what a pickle is made from

    @override
    def __str__(self) -> str:
        """Return the message."""
        return self.message
