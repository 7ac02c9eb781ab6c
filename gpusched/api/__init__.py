"""Kubernetes objects as the API server treats them: read, checked, defaulted, validated.

The room knows the wire format and nothing of clusters, scheduling decisions or time. Objects on the
wire are plain JSON values; whoever reads one to decide takes the frozen model of its kind.

Source: kubernetes/kubernetes api/openapi-spec, pkg/apis, v1.36.1
"""
