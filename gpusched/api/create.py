"""Creating an object: read, defaulted, validated, and stored or refused.

No admission takes part, and unknown fields are dropped, as for a POST without strict checking.

Source: kubernetes/apiserver pkg/registry/rest/create.go, v0.36.1
"""

from dataclasses import dataclass
from typing import Any, Final

from gpusched.api.defaulting import prepare_for_create, set_defaults
from gpusched.api.validation import FieldError, validate_object
from gpusched.api.validation.errors import quote
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
        message: What is wrong.
        errors: The same field by field; empty if the object could not even be read.
        answer: The whole message of the HTTP answer: what could not be read says as what.
        reason: The status's reason.
        code: The HTTP status.
    """

    message: str
    errors: tuple[FieldError, ...] = ()
    answer: str = ""
    reason: str = "Invalid"
    code: int = 422


def create(obj: Any, *, uid: str = UID, creation_timestamp: str = CREATED) -> Created | Refused:
    r"""Return what creating an object gives; ``obj`` itself stays as it is.

    Args:
        obj: Any JSON value, as a client sends it.
        uid: The UID that the store gives the object.
        creation_timestamp: When, in RFC 3339.

    >>> create({"apiVersion": "v1"}).message
    'Object \'Kind\' is missing in \'{"apiVersion": "v1"}\''
    """
    decoded = read(obj)
    if isinstance(decoded, Refused):
        return decoded
    return store(decoded, uid=uid, creation_timestamp=creation_timestamp)


def read(obj: Any) -> Json | Refused:
    """Return a new object, well-typed and with its version's defaults: what admission gets."""
    try:
        decoded = decode(obj)
    except DecodeError as error:
        message = str(error)
        return Refused(message, (), _unreadable(obj, message), "BadRequest", 400)
    metadata = decoded.setdefault("metadata", {})
    set_defaults(decoded)
    if "labels" in metadata:
        # What was recorded without an API server was copied between defaulting and creation, so
        # that a Job's labels are not its template's there (see default_job).
        metadata["labels"] = dict(metadata["labels"])
    return decoded


def _unreadable(obj: Any, message: str) -> str:
    kind = obj.get("kind") if isinstance(obj, dict) else None
    if not isinstance(kind, str) or not kind:
        return message
    return f'{kind} in version "{_version(obj)}" cannot be handled as a {kind}: {message}'


def _version(obj: Json) -> str:
    return str(obj.get("apiVersion", "")).rpartition("/")[2]


def store(decoded: Json, *, uid: str = UID, creation_timestamp: str = CREATED) -> Created | Refused:
    """Return what becomes of a read and admitted object, whose metadata it completes in place."""
    metadata = decoded["metadata"]
    metadata |= {"uid": uid, "creationTimestamp": creation_timestamp}
    if metadata.get("generateName") and not metadata.get("name"):
        problem = "metadata.name was not generated"
        message = f"Internal error occurred: {problem}"
        return Refused(message, (FieldError("", "", problem),), message, "InternalError", 500)
    prepare_for_create(decoded)
    errors = tuple(validate_object(decoded))
    if errors:
        message = refusal(decoded, errors)
        return Refused(message, errors, message)
    return Created(encode(decoded))


def refusal(obj: Json, errors: tuple[FieldError, ...]) -> str:
    """Return the API server's message for an invalid object."""
    group = obj["apiVersion"].rpartition("/")[0]
    kind = f"{obj['kind']}.{group}" if group else obj["kind"]
    texts = tuple(dict.fromkeys(map(str, errors)))
    shown = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return f"{kind} {quote(obj['metadata'].get('name', ''))} is invalid: {shown}"
