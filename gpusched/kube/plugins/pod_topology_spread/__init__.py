"""PodTopologySpread: matching pods spread evenly over the values of a node label.

Constraints are compiled once per shape (`constraints`); Filter (`filtering`) and Score (`scoring`)
count whole shapes by topology domain; `hints` says what may cure a rejection.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/podtopologyspread, v1.36.1.
"""

from gpusched.kube.plugins.pod_topology_spread.plugin import PodTopologySpread

__all__ = ["PodTopologySpread"]
