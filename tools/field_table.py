"""Write ``gpusched/api/schema/fields.json.gz``: every field that Kubernetes knows, and its Go type.

The fields come from the OpenAPI document in the Go module k8s.io/kubernetes, the names of their Go
types (which the API server's error texts hold, and OpenAPI does not) from the modules k8s.io/api,
apimachinery and apiextensions-apiserver beside it. Fetch them first, in an empty folder::

    go mod init x && go get k8s.io/kubernetes@v1.36.1 k8s.io/api@v0.36.1
    go mod download k8s.io/kubernetes k8s.io/api k8s.io/apimachinery

Run as ``python tools/field_table.py "$(go env GOMODCACHE)"``. The result is the same byte for byte
on each machine.
"""

import gzip
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

VERSION: Final = "1.36.1"
TARGET: Final = Path(__file__).parent.parent / "gpusched/api/schema/fields.json.gz"

_STRUCT: Final = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_MEMBER: Final = re.compile(r'^\t(?:(\w+) +)?([^\s`/]+(?:\[[^`]*)?) +`json:"([^",]*)([^"]*)"')
_IMPORT: Final = re.compile(r'^\s*(\w+)? ?"([\w./-]+)"$', re.MULTILINE)
_SCALARS: Final = {
    ("string", ""): "string", ("boolean", ""): "bool", ("integer", ""): "int",
    ("integer", "int32"): "int32", ("integer", "int64"): "int64",
    ("number", ""): "float64", ("number", "double"): "float64",
    ("string", "byte"): "bytes", ("string", "int-or-string"): "int-or-string",
    ("string", "date-time"): "time",
}  # fmt: skip
_LEAVES: Final = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "time",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
}


@dataclass
class GoSources:
    """The struct fields of Go packages, read from their sources as text."""

    cache: Path
    packages: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)

    def type_of(self, definition: str, name: str) -> str | None:
        """Return the Go type of a JSON field, e.g. ``v1.PodPhase``; None if it is not found."""
        package, _, struct = definition.rpartition(".")
        if package not in self.packages:
            self.packages[package] = self._read(package)
        return self._lookup(package, struct, name)

    def _lookup(self, package: str, struct: str, name: str) -> str | None:
        members = self.packages[package].get(struct, {})
        if name in members:
            return members[name]
        for embedded in (kind for key, kind in members.items() if key.startswith("\0")):
            found = self._lookup(package, embedded, name)
            if found is not None:
                return found
        return None

    def _read(self, package: str) -> dict[str, dict[str, str]]:
        folder = self._folder(package)
        structs: dict[str, dict[str, str]] = {}
        if folder is None:
            return structs
        for path in sorted(folder.glob("*types*.go")):
            text = path.read_text(encoding="utf-8")
            for struct, body in _STRUCT.findall(text):
                structs[struct] = _members(body, package.rpartition(".")[2])
        return structs

    def _folder(self, package: str) -> Path | None:
        parts = package.split(".")
        if package.startswith("io.k8s.api."):
            found = [*self.cache.glob("k8s.io/api@v0.36.1/" + "/".join(parts[3:]))]
        else:
            found = [*self.cache.glob(f"k8s.io/{parts[2]}@v0.36.1/" + "/".join(parts[3:]))]
        return found[0] if found else None


def _members(body: str, package: str) -> dict[str, str]:
    """Return the JSON fields of a struct; embedded structs under names that start with NUL."""
    members: dict[str, str] = {}
    for line in body.splitlines():
        match = _MEMBER.match(line)
        if match is None:
            continue
        _, kind, name, options = match.groups()
        if "inline" in options:
            members[f"\0{kind}"] = kind.lstrip("*")
        elif name and name != "-":
            members[name] = _qualified(kind.lstrip("*"), package)
    return members


def _qualified(kind: str, package: str) -> str:
    """Return a Go type as reflection prints it: with its package's name, as ``v1.Container``."""
    if kind.startswith("[]"):
        return "[]" + _qualified(kind[2:], package)
    if kind.startswith("map["):
        key, _, value = kind[4:].partition("]")
        return f"map[{_qualified(key, package)}]{_qualified(value, package)}"
    if kind.startswith("*"):
        return "*" + _qualified(kind[1:], package)
    if "." in kind:
        return re.sub(r"^(metav1|corev1|v1|apiv1)\.", "v1.", kind)
    builtin = kind in {"string", "bool", "byte", "float64", "int"} or kind.startswith(
        ("int", "uint")
    )
    return kind if builtin else f"{package}.{kind}"


def shape(schema: dict[str, Any]) -> str:
    """Return a schema in the table's words: ``@def``, ``[]shape``, ``{}shape`` or a scalar."""
    reference = schema.get("$ref", "").removeprefix("#/definitions/")
    if reference:
        return _LEAVES.get(reference, f"@{reference}")
    if schema.get("type") == "array":
        return "[]" + shape(schema["items"])
    if schema.get("type") == "object":
        return "{}" + shape(schema.get("additionalProperties", {}))
    return _SCALARS.get((schema.get("type", ""), schema.get("format", "")), "any")


def table(definitions: dict[str, Any], sources: GoSources) -> dict[str, Any]:
    """Return the kinds, and the fields of each struct as ``shape`` or ``shape go-type``."""
    kinds: dict[str, str] = {}
    structs: dict[str, Any] = {}
    for name, schema in sorted(definitions.items()):
        for gvk in schema.get("x-kubernetes-group-version-kind", ()):
            version = f"{gvk['group']}/{gvk['version']}".lstrip("/")
            if not gvk["kind"].endswith(("Options", "Status", "WatchEvent")):
                kinds[f"{version}/{gvk['kind']}"] = name
        if name not in _LEAVES:
            structs[name] = _struct(name, schema, sources)
    return {"version": VERSION, "kinds": kinds, "structs": structs}


def _struct(name: str, schema: dict[str, Any], sources: GoSources) -> dict[str, str] | str:
    """Return a struct's fields, or ``any`` if whatever JSON is taken."""
    properties = schema.get("properties")
    if properties is None:
        return "any"
    fields = {}
    for key, entry in sorted(properties.items()):
        words = sources.type_of(name, key)
        fields[key] = f"{shape(entry)} {words}" if words else shape(entry)
    return fields


def main(cache: str) -> None:
    """Read the modules under ``cache`` and write the table."""
    document = Path(cache) / f"k8s.io/kubernetes@v{VERSION}/api/openapi-spec/swagger.json"
    definitions = json.loads(document.read_text(encoding="utf-8"))["definitions"]
    text = json.dumps(table(definitions, GoSources(Path(cache))), sort_keys=True, indent=0)
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{TARGET.name}: {len(definitions)} definitions, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
