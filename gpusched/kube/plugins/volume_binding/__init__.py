"""VolumeBinding: which PersistentVolume a claim gets where, kept in memory until it is bound.

This package knows claims, volumes, classes and capacities; it writes nothing itself and knows no
other plugin.
"""

from gpusched.kube.plugins.volume_binding.plugin import VolumeBinding

__all__ = ["VolumeBinding"]
