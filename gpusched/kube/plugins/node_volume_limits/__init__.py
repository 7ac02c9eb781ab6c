"""NodeVolumeLimits: how many volumes a CSI driver attaches to a node.

This package knows which volumes count for which driver, in-tree disks included; it knows no other
plugin.
"""

from gpusched.kube.plugins.node_volume_limits.plugin import NodeVolumeLimits

__all__ = ["NodeVolumeLimits"]
