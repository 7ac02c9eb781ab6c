"""Operating systems of pods, and the options that only one of them has.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

import re
from collections.abc import Iterator
from typing import Final

from gpusched.api.names import dns_subdomain
from gpusched.api.validation.errors import Errors, checked, each, forbidden, invalid
from gpusched.api.wire import Json

_KINDS: Final = ("initContainers", "containers", "ephemeralContainers")
_SPEC_LENGTH: Final = 64 * 1024
_DOMAIN_LENGTH: Final = 256
_USER_LENGTH: Final = 104
_NET_BIOS: Final = r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}'
_DNS_PART: Final = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DNS: Final = rf"{_DNS_PART}(?:\.{_DNS_PART})*"
_NOT_IN_USERS: Final = '"/\\:;|=,+*?<>@[]'
_NOT_ON_WINDOWS: Final = "cannot be set for a windows pod"
_POD_OPTIONS: Final = ("hostUsers", "shareProcessNamespace")
_POD_FLAGS: Final = ("hostPID", "hostIPC")
_POD_CONTEXT: Final = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy",
    "runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
)  # fmt: skip
_CONTAINER_CONTEXT: Final = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities",
    "readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation", "procMount", "runAsUser",
    "runAsGroup",
)  # fmt: skip


def validate_windows_options(context: Json, path: str) -> Errors:
    """Check the Windows part of a security context."""
    options, path = context.get("windowsOptions") or {}, f"{path}.windowsOptions"
    name, spec = options.get("gmsaCredentialSpecName"), options.get("gmsaCredentialSpec")
    if name is not None:
        yield from checked(dns_subdomain, f"{path}.gmsaCredentialSpecName", name)
    if spec == "":
        detail = "gmsaCredentialSpec cannot be an empty string"
        yield invalid(f"{path}.gmsaCredentialSpec", spec, detail)
    elif spec and len(spec) > _SPEC_LENGTH:
        detail = "gmsaCredentialSpec size must be under 64 KiB"
        yield invalid(f"{path}.gmsaCredentialSpec", spec, detail)
    user = options.get("runAsUserName")
    if user is not None:
        problems = tuple(f"runAsUserName{problem}" for problem in _user_problems(user))
        yield from each(f"{path}.runAsUserName", user, problems)


def _user_problems(name: str) -> Iterator[str]:
    domain, backslash, user = name.rpartition("\\")
    if not name:
        yield " cannot be an empty string"
    elif re.search(r"[\x00-\x1f\x7f]", name):
        yield " cannot contain control characters"
    elif "\\" in domain:
        yield " cannot contain more than one backslash"
    else:
        if backslash:
            yield from _domain_problems(domain)
        yield from _account_problems(user)


def _domain_problems(domain: str) -> Iterator[str]:
    if len(domain) >= _DOMAIN_LENGTH:
        yield f"'s Domain length must be under {_DOMAIN_LENGTH} characters"
    if not re.fullmatch(_NET_BIOS, domain) and not re.fullmatch(_DNS, domain):
        yield "'s Domain doesn't match the NetBios nor the DNS format"


def _account_problems(user: str) -> Iterator[str]:
    if not user:
        yield "'s User cannot be empty"
    elif len(user.encode()) > _USER_LENGTH:
        yield f"'s User length must not be longer than {_USER_LENGTH} characters"
    if re.fullmatch(r"[. ]+", user):
        yield "'s User cannot contain only periods or spaces"
    if set(user) & set(_NOT_IN_USERS):
        yield f"'s User cannot contain the following characters: {_NOT_IN_USERS}"


def _containers(spec: Json, path: str) -> Iterator[tuple[Json, str]]:
    """Yield each container's security context and its place."""
    for kind in _KINDS:
        for index, container in enumerate(spec.get(kind) or ()):
            place = f"{path}.{kind}[{index}].securityContext"
            yield container.get("securityContext") or {}, place


def validate_host_process(spec: Json, path: str) -> Errors:
    """Check containers that are processes of their Windows host: all of them or none."""
    whole = _host_process(spec["securityContext"])
    found = []
    for context, place in _containers(spec, path):
        own = _host_process(context)
        if whole is not None and own is not None and whole != own:
            shown = "true" if whole else "false"
            detail = f"pod hostProcess value must be identical if both are specified, was {shown}"
            yield invalid(f"{place}.windowsOptions.hostProcess", own, detail)
        found.append(whole if own is None else own)
    if not any(found):
        return
    if not all(found):
        detail = "If pod contains any hostProcess containers then all containers must be"
        yield invalid(path, "", f"{detail} HostProcess containers")
    if not spec.get("hostNetwork"):
        detail = "hostNetwork must be true if pod contains any hostProcess containers"
        yield invalid(f"{path}.hostNetwork", value=False, detail=detail)
    yield forbidden(path, "hostProcess containers are disallowed by cluster policy")


def _host_process(context: Json) -> bool | None:
    flag: bool | None = (context.get("windowsOptions") or {}).get("hostProcess")
    return flag


def validate_system(spec: Json, path: str) -> Errors:
    """Check that a pod sets no options of another system than its own."""
    system = spec["os"]["name"]
    context, place = spec["securityContext"], f"{path}.securityContext"
    if system == "linux":
        for one, where in ((context, place), *_containers(spec, path)):
            if "windowsOptions" in one:
                detail = "windows options cannot be set for a linux pod"
                yield forbidden(f"{where}.windowsOptions", detail)
        return
    for name in _POD_OPTIONS + _POD_FLAGS:
        if spec.get(name) if name in _POD_FLAGS else name in spec:
            yield forbidden(f"{path}.{name}", _NOT_ON_WINDOWS)
    yield from _unset(context, _POD_CONTEXT, place)
    if context.get("sysctls"):
        yield forbidden(f"{place}.sysctls", _NOT_ON_WINDOWS)
    for one, where in _containers(spec, path):
        yield from _unset(one, _CONTAINER_CONTEXT, where)


def _unset(context: Json, names: tuple[str, ...], path: str) -> Errors:
    for name in names:
        if name in context:
            yield forbidden(f"{path}.{name}", _NOT_ON_WINDOWS)
