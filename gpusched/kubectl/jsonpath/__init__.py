"""kubectl's dialect of JSONPath: templates with text, ``{range}``, filters, unions and slices.

Knows decoded JSON and nothing of Kubernetes.

Source: kubernetes/client-go util/jsonpath, v0.36.1
"""

from gpusched.kubectl.jsonpath.evaluate import Template
from gpusched.kubectl.jsonpath.nodes import JsonPathError

__all__ = ["JsonPathError", "Template"]
