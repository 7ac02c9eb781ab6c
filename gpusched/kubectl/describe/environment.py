"""A container's environment in a description, with the values that can be known.

Source: kubernetes/kubectl pkg/describe/describe.go describeContainerEnvVars, pkg/util/fieldpath,
pkg/util/resource, v0.36.1
"""

from typing import Final

from gpusched.api.quantity import Quantity
from gpusched.kubectl.describe.writer import Writer
from gpusched.kubectl.fields import JsonObject, dig, mapping, rows, text

_KNOWN_FIELDS: Final = ("metadata.name", "metadata.namespace")
_WHOLE_NODE: Final = ("limits.cpu", "limits.memory")
_KNOWN_RESOURCES: Final = ("cpu", "memory", "ephemeral-storage")


def describe_environment(writer: Writer, container: JsonObject, pod: JsonObject | None) -> None:
    """Write the variables of ``container``; references are looked up in ``pod``."""
    _sources(writer, rows(container, "envFrom"))
    variables = rows(container, "env")
    none = "" if variables else "\t<none>"
    writer.line(f"Environment:{none}")
    for variable in variables:
        source = dig(variable, "valueFrom")
        if source is None:
            first, *others = text(variable, "value").split("\n")
            writer.pair(variable["name"], first, 1)
            for line in others:
                writer.line(f"\t{line}", 1)
        elif (value := _referred(source, container, pod)) is not None:
            writer.pair(variable["name"], value, 1)


def _sources(writer: Writer, sources: list[JsonObject]) -> None:
    if sources:
        writer.line("Environment Variables from:")
    for source in sources:
        kind, field = ("ConfigMap", "configMapRef")
        if dig(source, field) is None:
            kind, field = ("Secret", "secretRef")
        reference = mapping(source, field)
        prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
        optional = _boolean(reference.get("optional"))
        writer.line(f"{text(reference, 'name')}\t{kind}{prefix}\tOptional: {optional}", 1)


def _referred(source: JsonObject, container: JsonObject, pod: JsonObject | None) -> str | None:
    """Return a reference and what is known of its value; None for a kind that kubectl skips."""
    if (field := dig(source, "fieldRef")) is not None:
        value = field_of_pod(pod, text(field, "fieldPath")) if pod else ""
        return f"{value} ({text(field, 'apiVersion')}:{text(field, 'fieldPath')})"
    if (resource := dig(source, "resourceFieldRef")) is not None:
        return f"{_resource_value(resource, container)} ({text(resource, 'resource')})"
    for kind, words in (("secretKeyRef", "in secret"), ("configMapKeyRef", "of config map")):
        if (key := dig(source, kind)) is not None:
            what = f"<set to the key '{text(key, 'key')}' {words} '{text(key, 'name')}'>"
            return f"{what}\tOptional: {_boolean(key.get('optional'))}"
    return None


def _boolean(value: object) -> str:
    return "true" if value else "false"


def field_of_pod(pod: JsonObject, path: str) -> str:
    """Return a field that a variable refers to, as far as kubectl looks it up: not far."""
    return text(pod, *path.split(".")) if path in _KNOWN_FIELDS else ""


def _resource_value(reference: JsonObject, container: JsonObject) -> str:
    which, _, name = text(reference, "resource").partition(".")
    if name not in _KNOWN_RESOURCES and not name.startswith("hugepages-"):
        return ""
    amount = Quantity.parse(dig(container, "resources", which, name))
    divisor = Quantity.parse(reference.get("divisor") or 0)
    if divisor.is_zero:
        divisor = Quantity.parse(1)
    if name == "cpu":
        value = -(-amount.milli_value() // divisor.milli_value())
    else:
        value = -(-amount.value() // divisor.value())
    if value == 0 and text(reference, "resource") in _WHOLE_NODE:
        return "node allocatable"
    return str(value)
