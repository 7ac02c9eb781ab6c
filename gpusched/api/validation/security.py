"""Security contexts of pods and containers.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

import re
from typing import Final

from gpusched.api.names import identity
from gpusched.api.validation.errors import (
    Errors,
    duplicate,
    each,
    forbidden,
    invalid,
    not_supported,
    required,
)
from gpusched.api.validation.paths import validate_descending
from gpusched.api.validation.windows import validate_windows_options
from gpusched.api.wire import Json
from gpusched.api.wire.internal import internal

_PROFILES: Final = ("Localhost", "RuntimeDefault", "Unconfined")
_ENUMS: Final = {
    "fsGroupChangePolicy": ("Always", "OnRootMismatch"),
    "supplementalGroupsPolicy": ("Merge", "Strict"),
    "seLinuxChangePolicy": ("Recursive",),
}
_SYSCTL: Final = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTLS: Final = rf"^({_SYSCTL}[\./])*{_SYSCTL}$"
_SYSCTL_LENGTH: Final = 253


def validate_pod_security(context: Json, spec: Json, path: str) -> Errors:
    """Check a pod's security context."""
    for name in ("fsGroup", "runAsUser", "runAsGroup"):
        if name in context:
            yield from each(f"{path}.{name}", context[name], identity(context[name]))
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        yield from each(f"{path}.supplementalGroups[{index}]", group, identity(group))
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{path}.shareProcessNamespace", value=True, detail=detail)
    yield from _validate_sysctls(context, spec, f"{path}.sysctls")
    for name, supported in _ENUMS.items():
        if name in context and context[name] not in supported:
            yield not_supported(f"{path}.{name}", context[name], supported)
    yield from _validate_profiles(context, path)
    yield from validate_windows_options(context, path)


def _validate_sysctls(context: Json, spec: Json, path: str) -> Errors:
    seen: set[str] = set()
    for index, sysctl in enumerate(context.get("sysctls") or ()):
        name, place = sysctl.get("name", ""), f"{path}[{index}].name"
        if not name:
            yield required(place)
        elif len(name) > _SYSCTL_LENGTH or not re.match(_SYSCTLS, name):
            rule = f"must have at most {_SYSCTL_LENGTH} characters and match regex {_SYSCTLS}"
            yield invalid(place, name, rule)
        elif name in seen:
            yield duplicate(place, name)
        if spec.get("hostNetwork") and name.startswith(("net.", "net/")):
            yield invalid(place, name, "may not be specified when 'hostNetwork' is true")
        seen.add(name)


def _validate_profiles(context: Json, path: str) -> Errors:
    if "seccompProfile" in context:
        yield from _validate_seccomp(context["seccompProfile"], f"{path}.seccompProfile")
    if "appArmorProfile" in context:
        yield from _validate_app_armor(context["appArmorProfile"], f"{path}.appArmorProfile")


def _validate_profile_type(kind: str, path: str) -> Errors:
    if not kind:
        yield required(f"{path}.type", f"type is required when {path.rpartition('.')[2]} is set")
    elif kind not in _PROFILES:
        yield not_supported(f"{path}.type", kind, _PROFILES)


def _validate_seccomp(profile: Json, path: str) -> Errors:
    kind, own = profile.get("type", ""), profile.get("localhostProfile")
    yield from _validate_profile_type(kind, path)
    path = f"{path}.localhostProfile"
    if kind != "Localhost":
        if own is not None:
            shown = internal("core.SeccompProfile", profile)
            yield invalid(path, shown, "can only be set when seccomp type is Localhost")
    elif own is None:
        yield required(path, "must be set when seccomp type is Localhost")
    else:
        yield from validate_descending(own, path)


def _validate_app_armor(profile: Json, path: str) -> Errors:
    kind, own = profile.get("type", ""), profile.get("localhostProfile")
    yield from _validate_profile_type(kind, path)
    path = f"{path}.localhostProfile"
    if kind == "Localhost":
        if own and own.strip() != own:
            yield invalid(path, own, "must not be padded with whitespace")
        elif not own:
            yield required(path, "must be set when AppArmor type is Localhost")
    elif kind in _PROFILES and own is not None:
        yield invalid(path, own, "can only be set when AppArmor type is Localhost")


def validate_container_security(context: Json, path: str, *, host_users: bool) -> Errors:
    """Check a container's security context."""
    if context.get("privileged"):
        # A control plane that nobody told otherwise allows no privileged containers.
        yield forbidden(f"{path}.privileged", "disallowed by cluster policy")
    for name in ("runAsUser", "runAsGroup"):
        if name in context:
            yield from each(f"{path}.{name}", context[name], identity(context[name]))
    if "procMount" in context:
        yield from _validate_proc(context["procMount"], f"{path}.procMount", host_users=host_users)
    yield from _validate_profiles(context, path)
    yield from _validate_escalation(context, path)
    yield from validate_windows_options(context, path)


def _validate_escalation(context: Json, path: str) -> Errors:
    """Check that who must not gain privileges has none already."""
    if context.get("allowPrivilegeEscalation", True):
        return
    rule = "cannot set `allowPrivilegeEscalation` to false and"
    if context.get("privileged"):
        shown = internal("core.SecurityContext", context)
        yield invalid(path, shown, f"{rule} `privileged` to true")
    for capability in (context.get("capabilities") or {}).get("add") or ():
        if capability == "CAP_SYS_ADMIN":
            shown = internal("core.SecurityContext", context)
            yield invalid(path, shown, f"{rule} `capabilities.Add` CAP_SYS_ADMIN")


def _validate_proc(mount: str, path: str, *, host_users: bool) -> Errors:
    if mount not in {"Default", "Unmasked"}:
        yield not_supported(path, mount, ("Default", "Unmasked"))
    if host_users and mount == "Unmasked":
        yield invalid(path, mount, "`hostUsers` must be false to use `Unmasked`")


def validate_host_users(spec: Json, path: str) -> Errors:
    """Check what a pod with its own user namespace must not have."""
    if spec.get("hostUsers", True):
        return
    for name, shown in (
        ("hostNetwork", "hostNetwork"),
        ("hostPID", "HostPID"),
        ("hostIPC", "HostIPC"),
    ):
        if spec.get(name):
            yield forbidden(f"{path}.{shown}", "when `hostUsers` is false")
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            if container.get("volumeDevices"):
                place = f"{path}.{kind}[{index}].volumeDevices"
                yield forbidden(place, "when `hostUsers` is false")
