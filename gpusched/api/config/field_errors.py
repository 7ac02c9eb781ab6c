"""Paths of fields, and several field errors as one text.

Source: kubernetes/apimachinery pkg/util/errors/errors.go, v0.36.1
"""

from collections.abc import Sequence

from gpusched.api.validation.errors import FieldError


def child(path: str, name: str) -> str:
    """Return the path of a field inside ``path``, which may be empty."""
    return f"{path}.{name}" if path else name


def aggregate(errors: Sequence[FieldError]) -> str:
    """Join errors as Go does: one bare, several in brackets, each text once."""
    distinct = list(dict.fromkeys(map(str, errors)))
    return distinct[0] if len(distinct) == 1 else f"[{', '.join(distinct)}]"
