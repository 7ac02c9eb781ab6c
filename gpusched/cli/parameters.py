"""Types of arguments that several commands share."""

from typing import Any, Final

import click
from typing_extensions import override


class Duration(click.ParamType[int]):
    """A Go duration such as ``90s`` or ``1h30m``, as microseconds from t = 0."""

    name = "duration"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return microseconds."""
        if isinstance(value, int):
            return value
        from gpusched.api.config.duration import parse_duration  # most commands are given none

        try:
            micros = parse_duration(value) // 1000
        except ValueError as error:
            self.fail(f"{error}; write it as 90s, 5m or 1h30m", param, ctx)
        if micros < 0:
            self.fail(f"{value} lies before the start; write it as 90s, 5m or 1h30m", param, ctx)
        return micros


DURATION: Final = Duration()
EPILOG: Final = "Exit status: 0 done, 1 a file is wrong, 2 the command line is wrong."
