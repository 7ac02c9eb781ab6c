"""``kubectl describe``: one module per family of kinds, and the command itself.

Source: kubernetes/kubectl pkg/describe/describe.go and pkg/cmd/describe/describe.go, v0.36.1
"""

from gpusched.kubectl.describe.command import describe

__all__ = ["describe"]
