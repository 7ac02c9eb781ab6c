"""Containers in a description of a pod or a pod template.

Source: kubernetes/kubectl pkg/describe/describe.go describeContainers, v0.36.1
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote as quote_path

from gpusched.api.gosort import go_sorted
from gpusched.api.quantity import Quantity
from gpusched.kubectl.ages import rfc1123
from gpusched.kubectl.describe.environment import describe_environment
from gpusched.kubectl.describe.writer import Writer
from gpusched.kubectl.fields import JsonObject, dig, mapping, number, rows, text, texts
from gpusched.kubectl.go_format import quote

_PROBES: Final = (
    ("livenessProbe", "Liveness"), ("readinessProbe", "Readiness"), ("startupProbe", "Startup"),
)  # fmt: skip
_PATH_SAFE: Final = "$&+,/:;=@-_.~"


def describe_containers(
    writer: Writer,
    label: str,
    containers: list[JsonObject],
    *,
    pod: JsonObject | None = None,
    statuses: list[JsonObject] | None = None,
) -> None:
    """Write a list of containers.

    Args:
        writer: The paper.
        label: E.g. ``Init Containers``.
        containers: The containers.
        pod: The pod that they run in; None for a template, whose names stand one blank further in.
        statuses: What the kubelet says of them.
    """
    by_name = {status["name"]: status for status in statuses or []}
    writer.line(f"{label}:{'' if containers else ' <none>'}")
    for container in containers:
        status = by_name.get(container["name"])
        writer.line(f"{'' if pod else ' '}{container['name']}:", 1)
        inner = writer.nested(2)
        _basics(inner, container, status)
        _words(inner, "Command", texts(container, "command"))
        _words(inner, "Args", texts(container, "args"))
        if status is not None:
            _state(inner, status)
        describe_resources(inner, mapping(container, "resources"))
        for field, title in _PROBES:
            if dig(container, field):
                inner.pair(title, probe_text(container[field]))
        describe_environment(inner, container, pod)
        _mounts(inner, container)


def _basics(writer: Writer, container: JsonObject, status: JsonObject | None) -> None:
    if status is not None:
        writer.pair("Container ID", text(status, "containerID"))
    writer.pair("Image", text(container, "image"))
    if status is not None:
        writer.pair("Image ID", text(status, "imageID"))
    for title, field in (("Port", "containerPort"), ("Host Port", "hostPort")):
        ports = ", ".join(_port(port, field) for port in rows(container, "ports"))
        writer.pair(f"{title}s" if "," in ports else title, ports or "<none>")
    profile = dig(container, "securityContext", "seccompProfile")
    if profile:
        writer.pair("SeccompProfile", text(profile, "type"))
        if profile.get("type") == "Localhost":
            writer.pair("LocalhostProfile", text(profile, "localhostProfile"), 1)


def _port(port: JsonObject, field: str) -> str:
    name = f" ({port['name']})" if port.get("name") else ""
    return f"{port.get(field, 0)}/{port.get('protocol', '')}{name}"


def _words(writer: Writer, label: str, words: list[str]) -> None:
    if words:
        writer.line(f"{label}:")
    for word in words:
        for line in word.split("\n"):
            writer.line(line, 1)


def _state(writer: Writer, status: JsonObject) -> None:
    _one_state(writer, "State", mapping(status, "state"))
    if dig(status, "lastState", "terminated") is not None:
        _one_state(writer, "Last State", status["lastState"])
    writer.pair("Ready", bool(status.get("ready")))
    writer.pair("Restart Count", number(status, "restartCount"))


def _one_state(writer: Writer, label: str, state: JsonObject) -> None:
    running, waiting, ended = (dig(state, kind) for kind in ("running", "waiting", "terminated"))
    if running is not None:
        writer.pair(label, "Running")
        writer.pair("Started", rfc1123(running.get("startedAt")), 1)
    elif waiting is not None or ended is None:
        writer.pair(label, "Waiting")
        if text(waiting, "reason"):
            writer.pair("Reason", text(waiting, "reason"), 1)
    else:
        writer.pair(label, "Terminated")
        _termination(writer, ended)


def _termination(writer: Writer, ended: JsonObject) -> None:
    for title, field in (("Reason", "reason"), ("Message", "message")):
        if ended.get(field):
            writer.pair(title, ended[field], 1)
    writer.pair("Exit Code", number(ended, "exitCode"), 1)
    if number(ended, "signal") > 0:
        writer.pair("Signal", ended["signal"], 1)
    writer.pair("Started", rfc1123(ended.get("startedAt")), 1)
    writer.pair("Finished", rfc1123(ended.get("finishedAt")), 1)


def describe_resources(writer: Writer, resources: Mapping[str, JsonObject], level: int = 0) -> None:
    """Write limits and requests, where there are some."""
    for label, field in (("Limits", "limits"), ("Requests", "requests")):
        amounts = resources.get(field) or {}
        if amounts:
            writer.line(f"{label}:", level)
        for name in sorted(amounts):
            writer.pair(name, Quantity.parse(amounts[name]), level + 1)


def probe_text(probe: JsonObject) -> str:
    """Return a probe on one line."""
    times = (
        f"delay={number(probe, 'initialDelaySeconds')}s timeout={number(probe, 'timeoutSeconds')}s "
        f"period={number(probe, 'periodSeconds')}s #success={number(probe, 'successThreshold')} "
        f"#failure={number(probe, 'failureThreshold')}"
    )
    return f"{_probe_action(probe)} {times}"


def _probe_action(probe: JsonObject) -> str:
    if dig(probe, "exec") is not None:
        return f"exec [{' '.join(texts(probe, 'exec', 'command'))}]"
    if (web := dig(probe, "httpGet")) is not None:
        return f"http-get {_url(web)}"
    if (socket := dig(probe, "tcpSocket")) is not None:
        return f"tcp-socket {text(socket, 'host')}:{text(socket, 'port')}"
    if (call := dig(probe, "grpc")) is not None:
        return f"grpc <pod>:{number(call, 'port')} {text(call, 'service')}"
    return "unknown"


def _url(web: JsonObject) -> str:
    host, path = text(web, "host"), quote_path(text(web, "path"), safe=_PATH_SAFE)
    host = f"[{host}]" if ":" in host else host
    rooted = path if not path or path.startswith("/") else f"/{path}"
    return f"{text(web, 'scheme').lower()}://{host}:{text(web, 'port')}{rooted}"


def _mounts(writer: Writer, container: JsonObject) -> None:
    mounts = rows(container, "volumeMounts")
    none = "" if mounts else "\t<none>"
    writer.line(f"Mounts:{none}")
    for mount in go_sorted(mounts, lambda a, b: bool(a["mountPath"] < b["mountPath"])):
        flags = "ro" if mount.get("readOnly") else "rw"
        if mount.get("subPath"):
            flags += f",path={quote(mount['subPath'])}"
        writer.line(f"{mount['mountPath']} from {mount['name']} ({flags})", 1)
    devices = rows(container, "volumeDevices")
    if devices:
        writer.line(f"Devices:{none}")
    for device in go_sorted(devices, lambda a, b: bool(a["devicePath"] < b["devicePath"])):
        writer.line(f"{device['devicePath']} from {device['name']}", 1)
