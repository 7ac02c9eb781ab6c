"""What many descriptions share: annotations, taints, tolerations, owners.

Source: kubernetes/kubectl pkg/describe/describe.go, v0.36.1
"""

from typing import Final

from gpusched.api.gosort import go_sorted
from gpusched.kubectl.describe.writer import Writer
from gpusched.kubectl.fields import (
    JsonObject,
    controller_of,
    dig,
    labels_of,
    mapping,
    name_of,
    namespace_of,
)

_HIDDEN: Final = "kubectl.kubernetes.io/last-applied-configuration"
_LONGEST: Final = 140
"""Longer annotations start on a line of their own and are cut."""


def heading(writer: Writer, obj: JsonObject) -> None:
    """Write name and namespace."""
    writer.pair("Name", name_of(obj))
    writer.pair("Namespace", namespace_of(obj))


def labels_and_annotations(writer: Writer, obj: JsonObject) -> None:
    """Write labels and annotations."""
    writer.labels("Labels", labels_of(obj))
    annotations(writer, "Annotations", mapping(obj, "metadata", "annotations"))


def annotations(writer: Writer, label: str, values: JsonObject, level: int = 0) -> None:
    """Write annotations, sorted; that of ``kubectl apply`` is hidden, long ones are cut."""
    lines = list[str]()
    for key in sorted(values.keys() - {_HIDDEN}):
        value = values[key].removesuffix("\n")
        if len((key + value).encode()) + 2 <= _LONGEST and "\n" not in value:
            lines.append(f"{key}: {value}")
        else:
            lines += [f"{key}:", *(f"  {_shortened(part)}" for part in value.split("\n"))]
    writer.block(label, lines, level)


def _shortened(text: str) -> str:
    room = _LONGEST - 2
    encoded = text.encode()
    return text if len(encoded) <= room else encoded[:room].decode(errors="replace") + "..."


def controlled_by(writer: Writer, obj: JsonObject) -> None:
    """Write the managing controller, if there is one."""
    owner = controller_of(obj)
    if owner:
        writer.pair("Controlled By", f"{owner['kind']}/{owner['name']}")


def taints(writer: Writer, values: list[JsonObject]) -> None:
    """Write a node's taints, by effect and key."""

    def less(a: JsonObject, b: JsonObject) -> bool:
        return bool(f"{a.get('effect')},{a['key']}" < f"{b.get('effect')},{b['key']}")

    writer.block("Taints", [taint_text(taint) for taint in go_sorted(values, less)])


def taint_text(taint: JsonObject) -> str:
    """Return a taint as ``key=value:Effect``, with the empty parts left out."""
    key, value, effect = (taint.get(part) or "" for part in ("key", "value", "effect"))
    if not effect:
        return f"{key}={value}:" if value else key
    return f"{key}={value}:{effect}" if value else f"{key}:{effect}"


def tolerations(writer: Writer, values: list[JsonObject], level: int = 0) -> None:
    """Write tolerations, by key."""

    def less(a: JsonObject, b: JsonObject) -> bool:
        return (a.get("key") or "") < (b.get("key") or "")

    lines = [_toleration_text(toleration) for toleration in go_sorted(values, less)]
    writer.block("Tolerations", lines, level)


def _toleration_text(toleration: JsonObject) -> str:
    key, value, effect = (toleration.get(part) or "" for part in ("key", "value", "effect"))
    text = key + (f"={value}" if value else "") + (f":{effect}" if effect else "")
    if toleration.get("operator") == "Exists" and not value:
        text += " op=Exists" if key or effect else "op=Exists"
    seconds = dig(toleration, "tolerationSeconds")
    return text if seconds is None else f"{text} for {seconds}s"
