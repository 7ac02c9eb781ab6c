"""The ``pod-template-hash``: a pure function of a pod template.

Upstream prints the template's Go value field by field and hashes the text. The layout of those Go
types is read from
``pod_template_types.json.gz`` (written by ``tools/pod_template_types``), so the text, and with it
each ReplicaSet's name,
comes out as on a real cluster.

Source: kubernetes/kubernetes pkg/controller/controller_utils.go (ComputeHash), k8s.io/utils
dump.ForHash, v1.36.1
"""

import gzip
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

SAFE_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""The letters of generated names: no vowels, so no words."""

_QUANTITY = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?([A-Za-z]*)(?:[+-]?\d*)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_ZERO_TIME = "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"


def template_hash(template: dict[str, Any], collisions: int | None = None) -> str:
    """Return the hash that names a ReplicaSet.

    Args:
        template: A defaulted ``PodTemplateSpec``.
        collisions: The Deployment's ``status.collisionCount``, if it is set.

    >>> template_hash({})
    '85748b7f68'
    """
    text = _typed(template, "v1.PodTemplateSpec").encode()
    if collisions is not None:
        text += collisions.to_bytes(4, "little") + b"\0\0\0\0"
    return safe_encode(fnv32a(text))


def fnv32a(data: bytes) -> int:
    """Return the 32-bit FNV-1a hash."""
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def safe_encode(number: int) -> str:
    """Return a number's decimal digits in the letters of generated names."""
    return "".join(SAFE_LETTERS[ord(digit) % len(SAFE_LETTERS)] for digit in str(number))


@cache
def _types() -> dict[str, Any]:
    packed = files("gpusched.controllers").joinpath("pod_template_types.json.gz").read_bytes()
    types: dict[str, Any] = json.loads(gzip.decompress(packed))
    return types


def _typed(value: Any, name: str) -> str:
    """Return a value after its type in brackets, as the fields of a struct are printed."""
    target = _types()[name].get("ptr")
    if target is None:
        return f"({name}){_bare(value, name)}"
    return f"(*{target})<nil>" if value is None else f"(*{target}){_bare(value, target)}"


def _element(value: Any, name: str) -> str:
    """Return a value without its type, as elements of slices and maps are printed."""
    target = _types()[name].get("ptr")
    return _bare(value, name) if target is None else f"<*>{_bare(value, target)}"


def _bare(value: Any, name: str) -> str:
    special = {"resource.Quantity": _quantity, "intstr.IntOrString": _int_or_string}
    if name == "v1.Time":
        return _ZERO_TIME
    if name in special:
        return special[name](value)
    layout = _types()[name]
    if "fields" in layout:
        return _struct(value or {}, layout["fields"])
    if "slice" in layout:
        return (
            f"[{' '.join(_element(item, layout['slice']) for item in value)}]" if value else "<nil>"
        )
    if "map" in layout:
        items = (f"{key}:{_element(value[key], layout['map'])}" for key in sorted(value or ()))
        return f"map[{' '.join(items)}]" if value else "<nil>"
    return _basic(value, layout["basic"])


def _struct(value: dict[str, Any], fields: list[list[str]]) -> str:
    parts = (
        f"{go_name}:{_typed(value.get(json_name) if json_name else value, kind)}"
        for go_name, json_name, kind in fields
    )
    return f"{{{' '.join(parts)}}}"


def _basic(value: Any, kind: str) -> str:
    if kind == "string":
        return value or ""
    if kind == "bool":
        return "true" if value else "false"
    return str(value or 0)


def _int_or_string(value: Any) -> str:
    kind, number, text = (1, 0, value) if isinstance(value, str) else (0, value or 0, "")
    return f"{{Type:(intstr.Type){kind} IntVal:(int32){number} StrVal:(string){text}}}"


def _quantity(value: Any) -> str:
    """Return a quantity as its parsed struct: integer, scale and, where Go keeps it, the text.

    Source: k8s.io/apimachinery pkg/api/resource/quantity.go (ParseQuantity), v0.36.1
    """
    text = str(value)
    sign, whole, fraction, suffix = (part or "" for part in _QUANTITY.fullmatch(text).groups())  # type: ignore[union-attr]  # the API server has accepted it
    digits = whole + fraction
    if suffix in _BINARY:
        amount, scale, form = int(digits) << _BINARY[suffix], 0, "BinarySI"
        keeps_text = int(digits) & 7 != 0
    else:
        amount, scale, form = int(digits), _DECIMAL[suffix] - len(fraction), "DecimalSI"
        keeps_text = text == "0" or (
            scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"
        )
    amount = -amount if sign == "-" else amount
    return (
        f"{{i:(resource.int64Amount){{value:(int64){amount} scale:(resource.Scale){scale}}}"
        f" d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}}"
        f" s:(string){text if keeps_text else ''} Format:(resource.Format){form}}}"
    )
