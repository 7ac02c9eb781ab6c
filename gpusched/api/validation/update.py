"""What an update must keep."""

from gpusched.api.validation.errors import FieldError
from gpusched.api.wire import Json


def validate_update(new: Json, old: Json) -> list[FieldError]:
    """Return what is wrong."""
    del new, old
    return []
