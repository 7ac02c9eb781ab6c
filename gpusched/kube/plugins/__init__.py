"""The in-tree plugins: one file each, named as in KubeSchedulerConfiguration, listed here.

Adding a plugin is one file and one line. Plugins do not know each other.
"""

from gpusched.kube.framework.runtime import Registry

IN_TREE: Registry = {}
"""Plugin name to factory ``(args, handle) -> plugin``."""
