"""A pod's names and name resolution: DNS policy and configuration, host aliases, host names.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

import re
from typing import Final

from gpusched.api.names import dns_subdomain
from gpusched.api.validation.addresses import validate_ip
from gpusched.api.validation.errors import (
    Errors,
    checked,
    forbidden,
    invalid,
    one_of,
    required,
    too_long,
)
from gpusched.api.wire import Json

_POLICIES: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_MOST_SERVERS: Final = 3
_MOST_SEARCHES: Final = 32
_SEARCH_LENGTH: Final = 2048
_HOST_NAME_LENGTH: Final = 64
_LABEL: Final = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SEARCH: Final = rf"{_LABEL}(\.{_LABEL})*"
_NAME_LENGTH: Final = 253


def validate_dns(spec: Json, path: str) -> Errors:
    """Check a pod's DNS policy and configuration."""
    policy, config = spec.get("dnsPolicy"), spec.get("dnsConfig")
    yield from one_of(f"{path}.dnsPolicy", policy, _POLICIES)
    path = f"{path}.dnsConfig"
    if policy == "None" and not (config or {}).get("nameservers"):
        missing = "must provide `dnsConfig` when `dnsPolicy` is None"
        few = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield required(path, missing) if config is None else required(f"{path}.nameservers", few)
    elif config is not None:
        yield from _validate_config(config, path)


def _validate_config(config: Json, path: str) -> Errors:
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if len(servers) > _MOST_SERVERS:
        detail = f"must not have more than {_MOST_SERVERS} nameservers"
        yield invalid(f"{path}.nameservers", servers, detail)
    for index, server in enumerate(servers):
        yield from validate_ip(server, f"{path}.nameservers[{index}]")
    if len(searches) > _MOST_SEARCHES:
        detail = f"must not have more than {_MOST_SEARCHES} search paths"
        yield invalid(f"{path}.searches", searches, detail)
    if len(" ".join(searches)) > _SEARCH_LENGTH:
        detail = f"must not have more than {_SEARCH_LENGTH} characters (including spaces) in the"
        yield invalid(f"{path}.searches", searches, f"{detail} search list")
    for index, search in enumerate(searches):
        yield from _validate_search(search, f"{path}.searches[{index}]")
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            yield required(f"{path}.options[{index}]", "must not be empty")


def _validate_search(search: str, path: str) -> Errors:
    if search == ".":
        return
    search = search.removesuffix(".")
    if len(search) > _NAME_LENGTH:
        yield invalid(path, search, f"must be no more than {_NAME_LENGTH} characters")
    if not re.fullmatch(_SEARCH, search):
        yield invalid(
            path,
            search,
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters,"
            " '_', '-' or '.', and must start and end with an alphanumeric character (e.g."
            f" 'example.com', regex used for validation is '{_SEARCH}')",
        )


def validate_host_aliases(aliases: list[Json], path: str) -> Errors:
    """Check the additions to a pod's hosts file."""
    for index, alias in enumerate(aliases):
        yield from validate_ip(alias.get("ip", ""), f"{path}[{index}].ip")
        for number, name in enumerate(alias.get("hostnames") or ()):
            yield from checked(dns_subdomain, f"{path}[{index}].hostnames[{number}]", name)


def validate_host_names(spec: Json, path: str) -> Errors:
    """Check the host name that a pod asks for beside its own."""
    name = spec.get("hostnameOverride")
    if name is None:
        return
    path = f"{path}.hostnameOverride"
    for other in ("setHostnameAsFQDN", "hostNetwork"):
        if spec.get(other):
            yield forbidden(path, f"may not be specified when {other} is true")
    if len(name) > _HOST_NAME_LENGTH:
        yield too_long(path, _HOST_NAME_LENGTH)
    yield from checked(dns_subdomain, path, name)
