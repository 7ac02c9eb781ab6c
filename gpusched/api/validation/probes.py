"""Probes and lifecycle hooks of containers.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

from collections.abc import Callable
from typing import Any, Final

from gpusched.api.names import header_name, port_name, port_number
from gpusched.api.validation.errors import (
    Errors,
    checked,
    each,
    forbidden,
    invalid,
    not_negative,
    not_supported,
    required,
)
from gpusched.api.wire import Json

_COUNTS: Final = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)
_SCHEMES: Final = ("HTTP", "HTTPS")
PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")


def validate_probes(container: Json, grace: int | None, path: str) -> Errors:
    """Check a container's lifecycle hooks and its three probes."""
    lifecycle = container.get("lifecycle") or {}
    for name in ("postStart", "preStop"):
        if name in lifecycle:
            yield from _validate_handler(lifecycle[name], grace, f"{path}.lifecycle.{name}", "hook")
    for name in PROBES:
        if name in container:
            yield from _validate_probe(container[name], name, grace, f"{path}.{name}")


def _validate_probe(probe: Json, name: str, grace: int | None, path: str) -> Errors:
    yield from _validate_handler(probe, grace, path, "probe")
    for count in _COUNTS:
        yield from not_negative(f"{path}.{count}", probe.get(count))
    own = probe.get("terminationGracePeriodSeconds")
    if own is not None and own <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", own, "must be greater than 0")
    if name == "readinessProbe":
        if own is not None:
            detail = "must not be set for readinessProbes"
            yield invalid(f"{path}.terminationGracePeriodSeconds", own, detail)
    elif probe["successThreshold"] != 1:
        yield invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


def _validate_handler(holder: Json, grace: int | None, path: str, use: str) -> Errors:
    """Check that there is one handler, and that handler; upstream looks no further."""
    found = [name for name in _HANDLERS[use] if name in holder]
    if not found:
        yield required(path, "must specify a handler type")
        return
    first, *others = found
    yield from _HANDLER_RULES[first](holder[first], grace, f"{path}.{first}")
    for name in others:
        yield forbidden(f"{path}.{name}", "may not specify more than 1 handler type")


def _validate_exec(handler: Json, _grace: int | None, path: str) -> Errors:
    if not handler.get("command"):
        yield required(f"{path}.command")


def _validate_http(handler: Json, _grace: int | None, path: str) -> Errors:
    if not handler.get("path"):
        yield required(f"{path}.path")
    yield from validate_port(handler.get("port", 0), f"{path}.port")
    if handler.get("scheme") not in _SCHEMES:
        yield not_supported(f"{path}.scheme", handler.get("scheme", ""), _SCHEMES)
    for header in handler.get("httpHeaders") or ():
        yield from checked(header_name, f"{path}.httpHeaders", header.get("name", ""))


def _validate_port_of(handler: Json, _grace: int | None, path: str) -> Errors:
    yield from validate_port(handler.get("port", 0), f"{path}.port")


def _validate_sleep(handler: Json, grace: int | None, path: str) -> Errors:
    seconds = handler.get("seconds", 0)
    if grace is not None and not 0 <= seconds <= grace:
        detail = "must be non-negative and less than terminationGracePeriodSeconds"
        yield invalid(path, seconds, f"{detail} ({grace})")


def validate_port(port: Any, path: str) -> Errors:
    """Check a port that is given by number or by name."""
    problems = port_name(port) if isinstance(port, str) else port_number(port)
    yield from each(path, port, problems)


_HANDLERS: Final = {
    "probe": ("exec", "httpGet", "tcpSocket", "grpc"),
    "hook": ("exec", "httpGet", "tcpSocket", "sleep"),
}
_HANDLER_RULES: Final[dict[str, Callable[[Json, int | None, str], Errors]]] = {
    "exec": _validate_exec,
    "httpGet": _validate_http,
    "tcpSocket": _validate_port_of,
    "grpc": _validate_port_of,
    "sleep": _validate_sleep,
}
