"""DefaultPreemption: room for a pod by evicting less important ones.

One node's victims are chosen in a dry run (`victims`), with disruption budgets in mind
(`budgets`); the node is chosen among all candidates (`choice`). Nothing is evicted here: the
result says what should happen.

Source: kubernetes/kubernetes pkg/scheduler/framework/{plugins/defaultpreemption,preemption},
v1.36.1; specification, section 8.
"""

from gpusched.kube.plugins.default_preemption.plugin import DefaultPreemption

__all__ = ["DefaultPreemption"]
