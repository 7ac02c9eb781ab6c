"""Objects of a case as the API server would have stored them, or why it would not have.

Source: kubernetes/apiserver pkg/registry/rest/create.go, v0.36.1
"""

import copy
from dataclasses import dataclass
from typing import Any, Final

from gpusched.api.defaulting import prepare_for_create, set_defaults
from gpusched.api.scheme import kind_of
from gpusched.api.validation import validate_object
from gpusched.api.wire import DecodeError, Json, decode, is_known

_UNCHECKED: Final = frozenset(
    {
        "ReplicaSet",
        "ReplicationController",
        "ResourceClaim",
        "ResourceClaimTemplate",
        "Service",
        "StatefulSet",
    },
)
"""Kinds that the recordings take without validating them."""

_SERVER_SIDE: Final = ("deletionTimestamp", "deletionGracePeriodSeconds")
"""Metadata that only a server sets; it is looked at neither by defaults nor by validation."""


class UnreadableObjectError(ValueError):
    """The object cannot even be decoded; the message is the API server's."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An object, stored or refused.

    Attributes:
        stored: The object with all defaults.
        errors: What validation says (``FIELD: TEXT``); empty if it is accepted.
    """

    stored: Json
    errors: tuple[str, ...] = ()


def accept(obj: Any) -> Accepted:
    """Store an object that may already live in a cluster: its status stays.

    Raises:
        UnreadableObjectError: It is no object of a known kind.
    """
    if _is_plain(obj):
        stored = copy.deepcopy(obj)
        _identify(stored)
        return Accepted(stored)
    try:
        stored = decode(obj)
    except DecodeError as error:
        raise UnreadableObjectError(str(error)) from None
    set_defaults(stored)
    metadata = stored.setdefault("metadata", {})
    status = stored.get("status")
    server_side = {name: metadata.pop(name) for name in _SERVER_SIDE if name in metadata}
    _identify(stored)
    prepare_for_create(stored)
    errors = () if stored["kind"] in _UNCHECKED else tuple(map(str, validate_object(stored)))
    metadata |= server_side
    if status is not None:
        stored["status"] = status
    return Accepted(stored, errors)


def _is_plain(obj: Any) -> bool:
    """Return whether an object is of a kind that is read but has no defaults worth the name."""
    kind = kind_of(obj) if isinstance(obj, dict) else None
    return kind is not None and not is_known(kind.api_version, kind.kind)


def _identify(obj: Json) -> None:
    """Fill in namespace and uid."""
    metadata = obj.setdefault("metadata", {})
    kind = kind_of(obj)
    if kind is not None and kind.namespaced:
        metadata.setdefault("namespace", "default")
    key = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}".removeprefix("/")
    metadata["uid"] = metadata.get("uid") or key
