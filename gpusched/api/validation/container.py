"""Containers: names, images, ports, mounts, resources, restart rules.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gpusched.api.names import dns_label, port_name, port_number
from gpusched.api.validation.environment import validate_env, validate_env_from
from gpusched.api.validation.errors import (
    Errors,
    checked,
    duplicate,
    each,
    forbidden,
    invalid,
    not_found,
    not_supported,
    one_of,
    required,
    too_many,
)
from gpusched.api.validation.mounts import validate_devices, validate_mounts
from gpusched.api.validation.probes import PROBES, validate_probes
from gpusched.api.validation.resources import check_container_resource, validate_requirements
from gpusched.api.validation.security import validate_container_security
from gpusched.api.wire import Json

_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES: Final = ("File", "FallbackToLogsOnError")
_RESTART_POLICIES: Final = ("Always", "Never", "OnFailure")
_RULE_ACTIONS: Final = ("Restart", "RestartAllContainers")
_RESIZED: Final = ("cpu", "memory")
_RESIZE_POLICIES: Final = ("NotRequired", "RestartContainer")
_NOT_EPHEMERAL: Final = (
    "ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy",
    "restartPolicy", "restartPolicyRules",
)  # fmt: skip
_MOST_RULES: Final = 20
_MOST_CODES: Final = 255


@dataclass(frozen=True, slots=True)
class PodContext:
    """What the checks of a container need to know of its pod.

    Attributes:
        volumes: The pod's valid volumes by name.
        claims: Names of the pod's resource claims.
        grace: terminationGracePeriodSeconds.
        restart_policy: The pod's restartPolicy.
        host_users: Whether the pod uses the host's user namespace.
    """

    volumes: Mapping[str, Json]
    claims: frozenset[str]
    grace: int | None
    restart_policy: str
    host_users: bool


def validate_containers(spec: Json, pod: PodContext, path: str) -> Errors:
    """Check a pod's main containers."""
    containers = spec.get("containers")
    if not containers:
        yield required(f"{path}.containers")
        return
    names: set[str] = set()
    for index, container in enumerate(containers):
        place, name = f"{path}.containers[{index}]", container.get("name", "")
        yield from _validate_any(container, pod, place)
        if name in names:
            yield duplicate(f"{place}.name", name)
        names.add(name)
        yield from validate_probes(container, pod.grace, place)
        yield from _validate_restart(container, place)
    yield from _validate_host_ports(containers, f"{path}.containers")


def validate_init_containers(spec: Json, pod: PodContext, path: str) -> Errors:
    """Check a pod's init containers, sidecars among them."""
    names = {container.get("name", "") for container in spec.get("containers") or ()}
    for index, container in enumerate(spec.get("initContainers") or ()):
        place, name = f"{path}.initContainers[{index}]", container.get("name", "")
        yield from _validate_any(container, pod, place)
        yield from _validate_restart(container, place)
        if name in names:
            yield duplicate(f"{place}.name", name)
        elif name:
            names.add(name)
        # Each is checked alone, and upstream counts it as the first.
        yield from _validate_host_ports([container], f"{path}.initContainers")
        if container.get("restartPolicy") == "Always":
            yield from validate_probes(container, pod.grace, place)
        else:
            yield from _validate_no_sidecar(container, place)


def validate_ephemeral_containers(spec: Json, pod: PodContext, path: str) -> Errors:
    """Check a pod's ephemeral containers, which it can have only later in its life."""
    others = {
        container.get("name", "")
        for kind in ("containers", "initContainers")
        for container in spec.get(kind) or ()
    }
    names = set(others)
    for index, container in enumerate(spec.get("ephemeralContainers") or ()):
        place, name = f"{path}.ephemeralContainers[{index}]", container.get("name", "")
        yield from _validate_any(container, pod, place)
        yield from validate_image_space(container, place)
        if name in names:
            yield duplicate(f"{place}.name", name)
        names.add(name)
        target = container.get("targetContainerName")
        if target and target not in others:
            yield not_found(f"{place}.targetContainerName", target)
        yield from _validate_ephemeral_fields(container, place)


def _validate_ephemeral_fields(container: Json, path: str) -> Errors:
    detail = "cannot be set for an Ephemeral Container"
    for name in _NOT_EPHEMERAL:
        if name in container:
            yield forbidden(f"{path}.{name}", detail)
    resources = container.get("resources") or {}
    if any(value is not None for value in resources.values()):
        yield forbidden(f"{path}.resources", detail)
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        for name in ("subPath", "subPathExpr"):
            if mount.get(name):
                yield forbidden(f"{path}.volumeMounts[{index}].{name}", detail)


def validate_image_space(container: Json, path: str) -> Errors:
    """Forbid blanks around an image's name, which templates may have."""
    image = container.get("image", "")
    if image != image.strip():
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")


def _validate_no_sidecar(container: Json, path: str) -> Errors:
    for name in ("lifecycle", *PROBES):
        if name in container:
            detail = "may not be set for init containers without restartPolicy=Always"
            yield forbidden(f"{path}.{name}", detail)
    for index, policy in enumerate(container.get("resizePolicy") or ()):
        if policy.get("restartPolicy") == "RestartContainer":
            detail = "must not be set to 'RestartContainer' for non-sidecar initContainers"
            place = f"{path}.resizePolicy[{index}].restartPolicy"
            yield invalid(place, "RestartContainer", detail)


def _validate_any(container: Json, pod: PodContext, path: str) -> Errors:
    """Check what containers of all sorts have."""
    name = container.get("name", "")
    if not name:
        yield required(f"{path}.name")
    else:
        yield from checked(dns_label, f"{path}.name", name)
    if not container.get("image"):
        yield required(f"{path}.image")
    policy = container.get("terminationMessagePolicy")
    yield from one_of(f"{path}.terminationMessagePolicy", policy, _MESSAGE_POLICIES)
    if container.get("ports"):
        yield from _validate_ports(container["ports"], f"{path}.ports")
    if container.get("env"):
        yield from validate_env(container["env"], f"{path}.env")
    if container.get("envFrom"):
        yield from validate_env_from(container["envFrom"], f"{path}.envFrom")
    yield from validate_mounts(container, pod.volumes, f"{path}.volumeMounts")
    yield from validate_devices(container, pod.volumes, f"{path}.volumeDevices")
    policy = container.get("imagePullPolicy")
    yield from one_of(f"{path}.imagePullPolicy", policy, _PULL_POLICIES)
    resources = container.get("resources")
    if resources:
        place = f"{path}.resources"
        yield from validate_requirements(resources, place, check_container_resource, pod.claims)
    yield from _validate_resize(container, pod.restart_policy, f"{path}.resizePolicy")
    if "securityContext" in container:
        place = f"{path}.securityContext"
        context = container["securityContext"]
        yield from validate_container_security(context, place, host_users=pod.host_users)


def _validate_ports(ports: list[Json], path: str) -> Errors:
    names: set[str] = set()
    for index, port in enumerate(ports):
        place, name = f"{path}[{index}]", port.get("name", "")
        if name:
            problems = port_name(name)
            yield from each(f"{place}.name", name, problems)
            if not problems and name in names:
                yield duplicate(f"{place}.name", name)
            names.add(name)
        number = port.get("containerPort", 0)
        if not number:
            yield required(f"{place}.containerPort")
        else:
            yield from each(f"{place}.containerPort", number, port_number(number))
        number = port.get("hostPort", 0)
        if number:
            yield from each(f"{place}.hostPort", number, port_number(number))
        yield from one_of(f"{place}.protocol", port.get("protocol"), _PROTOCOLS)


def _validate_host_ports(containers: list[Json], path: str) -> Errors:
    taken: set[str] = set()
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            key = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if key in taken:
                yield duplicate(f"{path}[{index}].ports[{number}].hostPort", key)
            taken.add(key)


def validate_host_network_ports(spec: Json, path: str, *, is_pod: bool) -> Errors:
    """Check that containers on the host's network use the same port there.

    In a template the host's port may still be missing.
    """
    if not spec.get("hostNetwork"):
        return
    for index, container in enumerate(spec.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            on_host = port.get("hostPort", 0)
            if (is_pod or on_host) and on_host != port.get("containerPort", 0):
                place = f"{path}.containers[{index}].ports[{number}].hostPort"
                detail = "must match `containerPort` when `hostNetwork` is true"
                yield invalid(place, on_host, detail)


def _validate_resize(container: Json, pod_policy: str, path: str) -> Errors:
    seen: set[str] = set()
    for index, policy in enumerate(container.get("resizePolicy") or ()):
        name, restart = policy.get("resourceName", ""), policy.get("restartPolicy", "")
        if name in seen:
            yield duplicate(f"{path}[{index}]", name)
        seen.add(name)
        yield from one_of(path, name, _RESIZED)
        yield from one_of(path, restart, _RESIZE_POLICIES)
        if pod_policy == "Never" and restart != "NotRequired":
            detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            yield invalid(path, restart, detail)


def _validate_restart(container: Json, path: str) -> Errors:
    """Check a container's own restart policy and the rules on exit codes that refine it."""
    rules = container.get("restartPolicyRules") or ()
    if "restartPolicy" not in container:
        if rules:
            detail = "must specify restartPolicy when restart rules are used"
            yield required(f"{path}.restartPolicy", detail)
            if path.rpartition(".")[2].startswith("initContainers"):
                return
    elif container["restartPolicy"] not in _RESTART_POLICIES:
        yield not_supported(f"{path}.restartPolicy", container["restartPolicy"], _RESTART_POLICIES)
    if len(rules) > _MOST_RULES:
        yield too_many(f"{path}.restartPolicyRules", len(rules), _MOST_RULES)
    for index, rule in enumerate(rules):
        yield from _validate_restart_rule(rule, f"{path}.restartPolicyRules[{index}]")


def _validate_restart_rule(rule: Json, path: str) -> Errors:
    if rule.get("action", "") not in _RULE_ACTIONS:
        yield not_supported(f"{path}.action", rule.get("action", ""), _RULE_ACTIONS)
    codes = rule.get("exitCodes")
    if codes is None:
        yield required(f"{path}.exitCodes", "must be specified")
        return
    if codes.get("operator", "") not in {"In", "NotIn"}:
        yield not_supported(
            f"{path}.exitCodes.operator", codes.get("operator", ""), ("In", "NotIn")
        )
    if len(codes.get("values") or ()) > _MOST_CODES:
        yield too_many(f"{path}.exitCodes.values", len(codes["values"]), _MOST_CODES)
