"""File paths inside volumes and containers.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

from gpusched.api.validation.errors import Errors, invalid


def validate_no_backsteps(text: str, path: str) -> Errors:
    """Forbid ``..`` as a part."""
    if ".." in text.split("/"):
        yield invalid(path, text, "must not contain '..'")


def validate_descending(text: str, path: str) -> Errors:
    """Require a relative path that does not leave its directory."""
    if text.startswith("/"):
        yield invalid(path, text, "must be a relative path")
    yield from validate_no_backsteps(text, path)


def validate_not_reserved(text: str, path: str) -> Errors:
    """Require a descending path that the kubelet does not use itself."""
    yield from validate_descending(text, path)
    # A path that is or begins with ``..`` as a whole part has its own error already.
    if text.startswith("..") and not text.startswith("../") and text != "..":
        yield invalid(path, text, "must not start with '..'")
