"""Objects of kinds without a description of their own: every field, under a readable label.

Source: kubernetes/kubectl pkg/describe/describe.go printUnstructuredContent, smartLabelFor, v0.36.1
"""

import re
from typing import Any, Final

from gpusched.kubectl.describe.metadata import heading, labels_and_annotations
from gpusched.kubectl.describe.writer import Writer
from gpusched.kubectl.fields import JsonObject
from gpusched.kubectl.go_format import sprint
from gpusched.kubectl.view import View

_SKIPPED: Final = frozenset(
    f".metadata.{field}"
    for field in ("managedFields", "name", "namespace", "labels", "annotations")
)
_ACRONYMS: Final = frozenset(("API", "URL", "UID", "GUID"))
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^A-Za-z]+")


def describe_generic(writer: Writer, view: View, obj: JsonObject) -> None:
    """Write every field of an object but those that have a place of their own."""
    del view
    heading(writer, obj)
    labels_and_annotations(writer, obj)
    _content(writer, obj, "")


def _content(writer: Writer, content: JsonObject, path: str) -> None:
    for field in sorted(content):
        here = f"{path}.{field}"
        if here not in _SKIPPED:
            _one(writer, readable(field), content[field], here)


def _one(writer: Writer, label: str, value: Any, path: str) -> None:
    if isinstance(value, dict):
        writer.line(f"{label}:")
        _content(writer.nested(1), value, path)
    elif isinstance(value, list):
        writer.line(f"{label}:")
        for child in value:
            if isinstance(child, dict):
                _content(writer.nested(1), child, path)
            else:
                writer.line(sprint(child), 1)
    else:
        writer.pair(label, sprint(value))


def readable(field: str) -> str:
    """Return a field's name as words.

    >>> readable("apiVersion"), readable("leaseDurationSeconds"), readable("nvidia.com/gpu")
    ('API Version', 'Lease Duration Seconds', 'nvidia.com/gpu')
    """
    if not all(char.isalpha() or char == "-" for char in field):
        return field
    return " ".join(_title(word) for word in _WORD.findall(field))


def _title(word: str) -> str:
    if word.upper() in _ACRONYMS:
        return word.upper()
    return word.capitalize() if word.islower() else word
