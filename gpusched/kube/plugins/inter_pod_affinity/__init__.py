"""InterPodAffinity: pods that want to be near to other pods, or away from them.

Terms are compiled once per shape (`terms`); Filter and Score count whole shapes by topology domain
(`counts`, `scoring`); `hints` says what may cure a rejection.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/interpodaffinity, v1.36.1.
"""

from gpusched.kube.plugins.inter_pod_affinity.plugin import InterPodAffinity

__all__ = ["InterPodAffinity"]
