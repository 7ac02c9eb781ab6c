"""What the API server refuses, field by field, in its own words.

Validation works on defaulted JSON objects, one at a time; what depends on other objects is
admission. One module per idea, named as Kubernetes names it.

Source: kubernetes/kubernetes pkg/apis/*/validation/validation.go, v1.36.1
"""

from gpusched.api.validation.errors import FieldError
from gpusched.api.validation.kinds import validate_object
from gpusched.api.validation.update import validate_update

__all__ = ["FieldError", "validate_object", "validate_update"]
