"""A document to the fields of a KubeSchedulerConfiguration, plugin arguments included.

Errors are those of kube-scheduler's strict codec. Nothing is defaulted or validated here.

Source: kubernetes/kube-scheduler config/v1/types.go (DecodeNestedObjects), v0.36.1
"""

from dataclasses import dataclass
from typing import Any, Final

from gpusched.api.config.document import Document, read_document
from gpusched.api.config.errors import ConfigurationError, Stage
from gpusched.api.config.schema import API_VERSION, ARGS, CONFIGURATION, GROUP
from gpusched.api.config.tree import JsonObject, Number, UnreadableError, go_kind, plain
from gpusched.api.config.wire import Struct, WrongTypeError, decode_struct
from gpusched.api.validation.errors import quote

_STRICT: Final = "strict decoding error: "
_HEADER_STRUCT: Final = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)
_KINDS: Final = {**ARGS, CONFIGURATION.name: CONFIGURATION}


@dataclass(frozen=True, slots=True)
class _Header:
    """What an object says that it is; empty strings where it says nothing."""

    api_version: str
    kind: str


class _DecodeError(ValueError):
    """The object cannot be decoded at all; the message is upstream's."""


def decode_configuration(text: str) -> dict[str, Any]:
    """Decode a configuration strictly.

    Args:
        text: A YAML or JSON document of kind KubeSchedulerConfiguration.

    Returns:
        Its known fields. ``pluginConfig[].args`` are the fields of the kind where the plugin is
        in-tree and has arguments, else plain JSON or None.

    Raises:
        ConfigurationError: At stage ``config-decode``.
    """
    try:
        fields, strict = _decode(text)
    except (_DecodeError, UnreadableError, WrongTypeError) as error:
        raise ConfigurationError(Stage.DECODE, str(error)) from None
    if strict:
        raise ConfigurationError(Stage.DECODE, _STRICT + ", ".join(strict))
    return fields


def _decode(text: str) -> tuple[dict[str, Any], list[str]]:
    document = read_document(text)
    header = _header(document.root)
    if not header.kind:
        raise _DecodeError(f"Object 'Kind' is missing in '{document.text}'")
    if not header.api_version:
        raise _DecodeError(f"Object 'apiVersion' is missing in '{document.text}'")
    fields, strict = _decode_as(document, header)
    if header.kind == CONFIGURATION.name:
        strict += _decode_nested(fields)
    elif not strict:
        found = f"{header.api_version}, Kind={header.kind}"
        raise _DecodeError(f"couldn't decode as KubeSchedulerConfiguration, got {found}: ")
    return fields, strict


def _decode_as(document: Document, header: _Header) -> tuple[dict[str, Any], list[str]]:
    fields, strict = decode_struct(document.root, _registered(header))
    return fields, ([document.repeated] if document.repeated else []) + strict


def _registered(header: _Header) -> Struct:
    if header.api_version == API_VERSION and header.kind in _KINDS:
        return _KINDS[header.kind]
    raise _DecodeError(
        f"no kind {quote(header.kind)} is registered for version {quote(header.api_version)}"
        ' in scheme "pkg/runtime/scheme.go:111"',
    )


def _header(root: Any) -> _Header:
    """Read kind and apiVersion, whose names are not case-sensitive at this point."""
    prefix = "couldn't get version/kind; json parse error: json: cannot unmarshal"
    if root is None:
        return _Header("", "")
    if not isinstance(root, JsonObject):
        kind = go_kind(root)
        raise _DecodeError(f"{prefix} {kind} into Go value of type {_HEADER_STRUCT}")
    found = {"apiversion": "", "kind": ""}
    spelled = {"apiversion": "apiVersion", "kind": "kind"}
    for key, value in root.pairs:
        name = key.lower()
        if name not in found or value is None:
            continue
        if not isinstance(value, str) or isinstance(value, Number):
            field = spelled[name]
            raise _DecodeError(
                f"{prefix} {go_kind(value)} into Go struct field .{field} of type string",
            )
        found[name] = value
    if found["apiversion"].count("/") > 1:
        raise _DecodeError(f"unexpected GroupVersion string: {found['apiversion']}")
    return _Header(found["apiversion"], found["kind"])


def _decode_nested(fields: dict[str, Any]) -> list[str]:
    """Decode every plugin's arguments in place; return the strict errors."""
    strict = []
    for i, profile in enumerate(fields.get("profiles", [])):
        for j, plugin_config in enumerate(profile.get("pluginConfig", [])):
            place = f"decoding .profiles[{i}].pluginConfig[{j}]: "
            name = plugin_config.get("name", "")
            if f"{name}Args" not in ARGS:
                plugin_config["args"] = plain(plugin_config.get("args"))
                continue
            args, unknown = _decode_args(name, plugin_config.get("args"), place)
            plugin_config["args"] = args
            if unknown:
                text = _STRICT + ", ".join(unknown)
                strict.append(f"{place}{_STRICT}decoding args for plugin {name}: {text}")
    return strict


def _decode_args(name: str, tree: Any, place: str) -> tuple[dict[str, Any], list[str]]:
    expected = f"{name}Args"
    try:
        given = _header(tree)
        header = _Header(given.api_version or API_VERSION, given.kind or expected)
        args, strict = decode_struct(tree, _registered(header))
    except (_DecodeError, WrongTypeError) as error:
        raise _DecodeError(f"{place}decoding args for plugin {name}: {error}") from None
    if header.kind != expected:
        raise _DecodeError(
            f"{place}args for plugin {name} were not of type {expected}.{GROUP},"
            f" got {header.kind}.{GROUP}",
        )
    return args, strict
