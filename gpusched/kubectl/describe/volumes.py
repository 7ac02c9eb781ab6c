"""Volumes in a description of a pod or a pod template.

Source: kubernetes/kubectl pkg/describe/describe.go describeVolumes, v0.36.1
"""

from collections.abc import Callable
from typing import Final

from gpusched.api.quantity import Quantity
from gpusched.kubectl.describe.writer import Writer
from gpusched.kubectl.fields import JsonObject, dig, mapping, rows, text
from gpusched.kubectl.go_format import sprint


def describe_volumes(writer: Writer, volumes: list[JsonObject], *, in_template: bool) -> None:
    """Write a list of volumes; in a template labels and names stand further in."""
    label = "  Volumes" if in_template else "Volumes"
    if not volumes:
        writer.pair(label, "<none>")
        return
    writer.line(f"{label}:")
    for volume in volumes:
        writer.line(f"{' ' if in_template else ''}{volume['name']}:", 1)
        kind = next((kind for kind in _SOURCES if dig(volume, kind) is not None), None)
        if kind is None:
            writer.line("<unknown>", 1)
            continue
        title, details = _SOURCES[kind]
        inner = writer.nested(2)
        inner.pair("Type", title)
        details(inner, volume[kind])


def _named(*fields: tuple[str, str]) -> Callable[[Writer, JsonObject], None]:
    """Return what writes plain fields: pairs of a label and a key; ``!`` marks a boolean."""

    def write(writer: Writer, source: JsonObject) -> None:
        for label, key in fields:
            value = bool(source.get(key[1:])) if key[0] == "!" else source.get(key, "")
            writer.pair(label, sprint(value))

    return write


def _host_path(writer: Writer, source: JsonObject) -> None:
    writer.pair("Path", text(source, "path"))
    kind = source.get("type")
    writer.pair("HostPathType", "<none>" if kind is None else kind)


def _empty_dir(writer: Writer, source: JsonObject) -> None:
    writer.pair("Medium", text(source, "medium"))
    limit = Quantity.parse(source.get("sizeLimit"))
    writer.pair("SizeLimit", limit if limit.sign > 0 else "<unset>")


def _projected(writer: Writer, source: JsonObject) -> None:
    for part in rows(source, "sources"):
        if (secret := dig(part, "secret")) is not None:
            writer.pair("SecretName", text(secret, "name"))
            writer.pair("Optional", sprint(bool(secret.get("optional"))))
        elif dig(part, "downwardAPI") is not None:
            writer.pair("DownwardAPI", "true")
        elif (config := dig(part, "configMap")) is not None:
            writer.pair("ConfigMapName", text(config, "name"))
            writer.pair("Optional", sprint(bool(config.get("optional"))))
        elif (token := dig(part, "serviceAccountToken")) is not None:
            writer.pair("TokenExpirationSeconds", text(token, "expirationSeconds"))


def _downward(writer: Writer, source: JsonObject) -> None:
    writer.line("Items:")
    for item in rows(source, "items"):
        if (field := dig(item, "fieldRef")) is not None:
            writer.line(f"{text(field, 'fieldPath')} -> {text(item, 'path')}", 1)
        if (resource := dig(item, "resourceFieldRef")) is not None:
            writer.line(f"{text(resource, 'resource')} -> {text(item, 'path')}", 1)


def _csi(writer: Writer, source: JsonObject) -> None:
    _named(("Driver", "driver"), ("FSType", "fsType"), ("ReadOnly", "!readOnly"))(writer, source)
    attributes = mapping(source, "volumeAttributes")
    lines = [f"{key}={attributes[key]}" for key in sorted(attributes)] or ["<none>"]
    writer.pair("VolumeAttributes", f"{writer.indent if attributes else ''}{lines[0]}")
    for line in lines[1:]:  # upstream indents the second column too
        writer.line(f"\t{writer.indent}{line}")


_SOURCES: Final[dict[str, tuple[str, Callable[[Writer, JsonObject], None]]]] = {
    "hostPath": ("HostPath (bare host directory volume)", _host_path),
    "emptyDir": ("EmptyDir (a temporary directory that shares a pod's lifetime)", _empty_dir),
    "secret": (
        "Secret (a volume populated by a Secret)",
        _named(("SecretName", "secretName"), ("Optional", "!optional")),
    ),
    "configMap": (
        "ConfigMap (a volume populated by a ConfigMap)",
        _named(("Name", "name"), ("Optional", "!optional")),
    ),
    "nfs": (
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        _named(("Server", "server"), ("Path", "path"), ("ReadOnly", "!readOnly")),
    ),
    "persistentVolumeClaim": (
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        _named(("ClaimName", "claimName"), ("ReadOnly", "!readOnly")),
    ),
    "downwardAPI": (
        "DownwardAPI (a volume populated by information about the pod)", _downward,
    ),
    "projected": (
        "Projected (a volume that contains injected data from multiple sources)", _projected,
    ),
    "csi": ("CSI (a Container Storage Interface (CSI) volume source)", _csi),
    "image": (
        "Image (a container image or OCI artifact)",
        _named(("Reference", "reference"), ("PullPolicy", "pullPolicy")),
    ),
}  # fmt: skip
