"""JSON objects read and written as the API server's Go types do it.

Reading drops unknown fields, turns ``null`` into "absent" and refuses values of the wrong JSON type
in Go's words; writing leaves out empty optional fields and spells out the required ones. The room
knows the shape of each kind and nothing of what a field means.

Source: kubernetes/apimachinery pkg/runtime/serializer/json/json.go, v0.36.1
"""

from gpusched.api.wire.decoding import DecodeError, decode
from gpusched.api.wire.encoding import encode, encode_ordered
from gpusched.api.wire.types import Json, is_known

__all__ = ["DecodeError", "Json", "decode", "encode", "encode_ordered", "is_known"]
