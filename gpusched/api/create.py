"""Creating an object: read, defaulted, validated, and stored or refused.

No admission takes part, and unknown fields are dropped, as for a POST without strict checking.

Source: kubernetes/apiserver pkg/registry/rest/create.go, v0.36.1
"""

from dataclasses import dataclass
from typing import Any, Final

from gpusched.api.defaulting import prepare_for_create, set_defaults
from gpusched.api.validation import FieldError, validate_object
from gpusched.api.wire import DecodeError, Json, decode, encode

UID: Final = "uid"
CREATED: Final = "2023-11-14T22:13:20Z"


@dataclass(frozen=True, slots=True)
class Created:
    """The object was accepted.

    Attributes:
        defaulted: The object as it is stored and printed.
    """

    defaulted: Json


@dataclass(frozen=True, slots=True)
class Refused:
    """The object was not accepted.

    Attributes:
        message: The whole message.
        errors: What is wrong, field by field; empty if the object could not even be read.
    """

    message: str
    errors: tuple[FieldError, ...] = ()


def create(obj: Any, *, uid: str = UID, creation_timestamp: str = CREATED) -> Created | Refused:
    """Return what creating an object gives; ``obj`` itself stays as it is.

    Args:
        obj: Any JSON value, as a client sends it.
        uid: The UID that the store gives the object.
        creation_timestamp: When, in RFC 3339.

    >>> create({"apiVersion": "v1"}).message
    'Object \\'Kind\\' is missing in \\'{"apiVersion": "v1"}\\''
    """
    try:
        decoded = decode(obj)
    except DecodeError as error:
        return Refused(str(error))
    metadata = decoded.setdefault("metadata", {})
    metadata |= {"uid": uid, "creationTimestamp": creation_timestamp}
    set_defaults(decoded)
    if metadata.get("generateName") and not metadata.get("name"):
        problem = "metadata.name was not generated"
        return Refused(f"Internal error occurred: {problem}", (FieldError("", "", problem),))
    prepare_for_create(decoded)
    errors = tuple(validate_object(decoded))
    if errors:
        return Refused(refusal(decoded, errors), errors)
    return Created(encode(decoded))


def refusal(obj: Json, errors: tuple[FieldError, ...]) -> str:
    """Return the API server's message for an invalid object."""
    group = obj["apiVersion"].rpartition("/")[0]
    kind = f"{obj['kind']}.{group}" if group else obj["kind"]
    texts = tuple(dict.fromkeys(map(str, errors)))
    shown = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return f'{kind} "{obj["metadata"].get("name", "")}" is invalid: {shown}'
