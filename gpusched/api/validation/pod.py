"""Pods, and pod specs wherever they stand.

Source: kubernetes/kubernetes pkg/apis/core/validation/validation.go, v1.36.1
"""

import re
from typing import Final

from gpusched.api.names import dns_label, dns_subdomain, label_key, out_of_range
from gpusched.api.validation.affinity import validate_affinity
from gpusched.api.validation.container import (
    PodContext,
    validate_containers,
    validate_ephemeral_containers,
    validate_host_network_ports,
    validate_image_space,
    validate_init_containers,
)
from gpusched.api.validation.dns import validate_dns, validate_host_aliases, validate_host_names
from gpusched.api.validation.environment import validate_file_key_volumes
from gpusched.api.validation.errors import (
    Errors,
    checked,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    one_of,
    required,
)
from gpusched.api.validation.meta import validate_labels, validate_metadata
from gpusched.api.validation.resources import (
    check_container_resource,
    claim_names,
    validate_pod_level,
    validate_requirements,
)
from gpusched.api.validation.security import validate_host_users, validate_pod_security
from gpusched.api.validation.spread import validate_spread
from gpusched.api.validation.tolerations import validate_tolerations
from gpusched.api.validation.volumes import source_of, validate_volumes
from gpusched.api.validation.windows import validate_host_process, validate_system
from gpusched.api.wire import Json
from gpusched.api.wire.internal import internal

_RESTART_POLICIES: Final = ("Always", "OnFailure", "Never")
_PREEMPTION_POLICIES: Final = ("PreemptLowerPriority", "Never")
_SYSTEMS: Final = ("linux", "windows")
_LARGEST_DEADLINE: Final = 2**31 - 1
_MIRROR: Final = "kubernetes.io/config.mirror"
_DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"


def validate_pod(obj: Json) -> Errors:
    """Check a Pod on creation."""
    yield from validate_pod_rules(obj)
    spec = obj["spec"]
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        yield forbidden(
            "spec.nodeName", "cannot be set until all schedulingGates have been cleared"
        )


def validate_pod_rules(obj: Json) -> Errors:
    """Check what must be right in a Pod whenever it is written."""
    metadata, spec = obj["metadata"], obj["spec"]
    yield from validate_metadata(metadata, dns_subdomain, namespaced=True)
    annotations = metadata.get("annotations") or {}
    yield from validate_pod_annotations(annotations, spec, "metadata.annotations")
    yield from validate_pod_spec(spec, "spec", name=metadata.get("name", ""), is_pod=True)
    yield from _validate_only_for_pods(spec)


def validate_pod_annotations(annotations: Json, spec: Json, path: str) -> Errors:
    """Check the annotations that mean something to Kubernetes on pods."""
    if _MIRROR in annotations and not spec.get("nodeName"):
        place = f"{path}[{_MIRROR}]"
        detail = "must set spec.nodeName if mirror pod annotation is set"
        yield invalid(place, annotations[_MIRROR], detail)
    cost = annotations.get(_DELETION_COST, "0")
    if not re.fullmatch(r"0|-?[1-9][0-9]*", cost) or not -(2**31) <= int(cost) < 2**31:
        yield invalid(f"{path}[{_DELETION_COST}]", cost, "must be a 32bit integer")


def _validate_only_for_pods(spec: Json) -> Errors:
    for index, volume in enumerate(spec.get("volumes") or ()):
        if source_of(volume) == "image" and not volume["image"].get("reference"):
            yield required(f"spec.volumes[{index}].image.reference")
        for number, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if "serviceAccountToken" in source and not spec.get("serviceAccountName"):
                place = f"spec.volumes[{index}].projected.sources[{number}].serviceAccountToken"
                detail = "must not be specified when serviceAccountName is not set"
                yield forbidden(place, detail)
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            yield from validate_image_space(container, f"spec.{kind}[{index}]")


def validate_pod_spec(spec: Json, path: str, *, name: str = "", is_pod: bool = False) -> Errors:
    """Check a pod spec, of a pod or in a template.

    Args:
        spec: The defaulted spec.
        path: Its place.
        name: The pod's name, where it is known.
        is_pod: It is a pod's own spec, not a template's.
    """
    volumes, errors = validate_volumes(spec.get("volumes") or [], name, f"{path}.volumes")
    yield from errors
    yield from _validate_claims(spec.get("resourceClaims") or [], f"{path}.resourceClaims")
    pod = PodContext(
        volumes,
        claim_names(spec),
        spec.get("terminationGracePeriodSeconds"),
        spec["restartPolicy"],
        spec.get("hostUsers", True),
    )
    yield from validate_containers(spec, pod, path)
    yield from validate_init_containers(spec, pod, path)
    yield from validate_ephemeral_containers(spec, pod, path)
    yield from validate_pod_level(spec, path)
    yield from validate_host_network_ports(spec, path, is_pod=is_pod)
    yield from one_of(f"{path}.restartPolicy", spec["restartPolicy"], _RESTART_POLICIES)
    yield from validate_dns(spec, path)
    yield from validate_labels(spec.get("nodeSelector"), f"{path}.nodeSelector")
    yield from validate_pod_security(spec["securityContext"], spec, f"{path}.securityContext")
    yield from _validate_scheduling(spec, path)
    yield from validate_host_process(spec, path)
    yield from validate_host_users(spec, path)
    yield from validate_host_names(spec, path)
    yield from _validate_names(spec, path)
    yield from _validate_values(spec, path)
    yield from validate_file_key_volumes(spec, path)


def _validate_claims(claims: list[Json], path: str) -> Errors:
    names: set[str] = set()
    for index, claim in enumerate(claims):
        place, name = f"{path}[{index}]", claim.get("name", "")
        if not name:
            yield required(f"{place}.name")
        elif name in names:
            yield duplicate(f"{place}.name", name)
        else:
            yield from checked(dns_label, f"{place}.name", name)
        names.add(name)
        yield from _validate_claim_source(claim, place)


def _validate_claim_source(claim: Json, path: str) -> Errors:
    sources = ("resourceClaimName", "resourceClaimTemplateName")
    given = [name for name in sources if name in claim]
    if len(given) != 1:
        shown = internal("core.PodResourceClaim", claim)
        one, other = sources
        yield invalid(
            path,
            shown,
            f"at most one of `{one}` or `{other}` may be specified"
            if given
            else f"must specify one of: `{one}`, `{other}`",
        )
    for name in given:
        yield from checked(dns_subdomain, f"{path}.{name}", claim[name])


def _validate_scheduling(spec: Json, path: str) -> Errors:
    if spec.get("affinity"):
        yield from validate_affinity(spec["affinity"], f"{path}.affinity")
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        place = f"{path}.readinessGates[{index}].conditionType"
        yield from checked(label_key, place, gate.get("conditionType", ""))
    seen = set()
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        place, name = f"{path}.schedulingGates[{index}]", gate.get("name", "")
        yield from checked(label_key, place, name)
        if name in seen:
            yield duplicate(place, name)
        seen.add(name)
    if spec.get("topologySpreadConstraints"):
        constraints = spec["topologySpreadConstraints"]
        yield from validate_spread(constraints, f"{path}.topologySpreadConstraints")
    if spec.get("tolerations"):
        yield from validate_tolerations(spec["tolerations"], f"{path}.tolerations")


_NAMES: Final = {
    "serviceAccountName": dns_subdomain,
    "nodeName": dns_subdomain,
    "hostname": dns_label,
    "subdomain": dns_label,
    "priorityClassName": dns_subdomain,
}


def _validate_names(spec: Json, path: str) -> Errors:
    for name, rule in _NAMES.items():
        if spec.get(name):
            yield from checked(rule, f"{path}.{name}", spec[name])
    if "runtimeClassName" in spec:
        runtime = spec["runtimeClassName"]
        yield from checked(dns_subdomain, f"{path}.runtimeClassName", runtime)
    if spec.get("hostAliases"):
        yield from validate_host_aliases(spec["hostAliases"], f"{path}.hostAliases")


def _validate_values(spec: Json, path: str) -> Errors:
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= _LARGEST_DEADLINE:
        detail = out_of_range(1, _LARGEST_DEADLINE)
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, detail)
    if "preemptionPolicy" in spec:
        policy = spec["preemptionPolicy"]
        yield from one_of(f"{path}.preemptionPolicy", policy, _PREEMPTION_POLICIES)
    if spec.get("overhead"):
        limits = {"limits": spec["overhead"]}
        yield from validate_requirements(limits, f"{path}.overhead", check_container_resource)
    if "os" in spec:
        system = spec["os"].get("name", "")
        if not system:
            yield required(f"{path}.os.name")
        elif system not in _SYSTEMS:
            yield not_supported(f"{path}.os", system, _SYSTEMS)
        else:
            yield from validate_system(spec, path)
