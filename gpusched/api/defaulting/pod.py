"""Defaults of pods and of the pod templates inside workloads.

Source: kubernetes/kubernetes pkg/apis/core/v1/{defaults,zz_generated.defaults}.go, v1.36.1
"""

from collections.abc import Iterator
from typing import Final

from gpusched.api.defaulting.images import pull_policy
from gpusched.api.defaulting.resources import default_pod_level, request_limits, round_up
from gpusched.api.defaulting.values import fill
from gpusched.api.defaulting.volumes import default_volume
from gpusched.api.wire import Json

_SPEC: Final = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
}
_CONTAINER: Final = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_PROBE: Final = {
    "timeoutSeconds": 1,
    "periodSeconds": 10,
    "successThreshold": 1,
    "failureThreshold": 3,
}
_PROBES: Final = frozenset({"livenessProbe", "readinessProbe", "startupProbe"})
_HOOKS: Final = ("postStart", "preStop")
_GRACE_SECONDS: Final = 30


def default_pod(obj: Json) -> None:
    """Fill in a Pod's defaults, in place."""
    spec = obj.setdefault("spec", {})
    for container in _containers(spec):
        request_limits(container)
    default_pod_level(spec)
    spec.setdefault("enableServiceLinks", True)
    if spec.get("hostNetwork"):
        for container in _containers(spec):
            _take_host_ports(container)
    default_pod_spec(spec)
    _default_status(obj.get("status"))


def _default_status(status: Json | None) -> None:
    for name in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for container in (status or {}).get(name) or ():
            round_up(container, "allocatedResources")
            round_up(container.get("resources") or {}, "limits", "requests")


def default_pod_template(template: Json) -> None:
    """Fill in the defaults of a pod template; those of Pods alone are left for its pods."""
    spec = template.setdefault("spec", {})
    default_pod_spec(spec)


def default_pod_spec(spec: Json) -> None:
    """Fill in the defaults that pods and templates share, in place."""
    fill(spec, _SPEC)
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", _GRACE_SECONDS)
    for volume in spec.get("volumes") or ():
        default_volume(volume)
    for container in _containers(spec):
        default_container(container)
    for container in spec.get("ephemeralContainers") or ():
        default_container(container)
    round_up(spec, "overhead")
    round_up(spec.get("resources") or {}, "limits", "requests")
    _share_account(spec)


def _share_account(spec: Json) -> None:
    """Keep the service account under its present and its former name."""
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account


def _containers(spec: Json) -> Iterator[Json]:
    yield from spec.get("initContainers") or ()
    yield from spec.get("containers") or ()


def _take_host_ports(container: Json) -> None:
    """Let a container on the host's network use its ports there."""
    for port in container.get("ports") or ():
        if not port.get("hostPort"):
            port["hostPort"] = port.get("containerPort", 0)


def default_container(container: Json) -> None:
    """Fill in a container's defaults, in place."""
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = pull_policy(container.get("image", ""))
    fill(container, _CONTAINER)
    for port in container.get("ports") or ():
        fill(port, {"protocol": "TCP"})
    for variable in container.get("env") or ():
        _default_env(variable.get("valueFrom") or {})
    round_up(container.get("resources") or {}, "limits", "requests")
    for name in _PROBES & container.keys():
        _default_probe(container[name])
    for name in _HOOKS:
        _default_http_get((container.get("lifecycle") or {}).get(name) or {})


def _default_env(source: Json) -> None:
    if "fieldRef" in source:
        fill(source["fieldRef"], {"apiVersion": "v1"})
    if "fileKeyRef" in source:
        source["fileKeyRef"].setdefault("optional", False)


def _default_probe(probe: Json) -> None:
    fill(probe, _PROBE)
    _default_http_get(probe)
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")


def _default_http_get(handler: Json) -> None:
    if "httpGet" in handler:
        fill(handler["httpGet"], {"path": "/", "scheme": "HTTP"})
