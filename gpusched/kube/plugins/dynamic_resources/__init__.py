"""DynamicResources: claims on devices, found by a search, kept in memory, written at binding.

This package knows the devices that drivers publish and the claims on them; it writes nothing
itself, and of other plugins it knows only the cluster's map from resources to device classes.
"""

from gpusched.kube.plugins.dynamic_resources.plugin import DynamicResources
from gpusched.kube.plugins.dynamic_resources.state import ClaimWrite

__all__ = ["ClaimWrite", "DynamicResources"]
