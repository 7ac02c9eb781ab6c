"""Which changes may cure a rejection by InterPodAffinity.

Namespace selectors are asked about no labels here, as upstream does.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/interpodaffinity/plugin.go, v1.36.1;
specification, section 7.8.
"""

from gpusched.cluster.node import NodeInfo
from gpusched.cluster.pod import PodInfo
from gpusched.kube.framework.events import Action, Change, ClusterEvent, EventHint, EventResource
from gpusched.kube.plugins.inter_pod_affinity.terms import PodTerms, matches_all, pod_terms


def _after_pod_change(pod: PodInfo, change: Change) -> bool:
    """A pod was assigned (or nominated), relabelled, or is gone."""
    old: PodInfo | None = change.old
    new: PodInfo | None = change.new
    if old is not None and new is not None and new.uid == pod.uid:
        return True
    if any(other and not other.node_name and not other.nominated_node for other in (old, new)):
        return False
    terms = pod_terms(pod.shape)
    if old is None:
        return new is not None and matches_all(terms.affinity, new.shape)
    if new is None:
        theirs = pod_terms(old.shape).anti
        return matches_all(terms.anti, old.shape) or matches_all(theirs, pod.shape)
    return _relabelled(terms, old, new)


def _relabelled(terms: PodTerms, old: PodInfo, new: PodInfo) -> bool:
    if matches_all(terms.affinity, new.shape) and not matches_all(terms.affinity, old.shape):
        return True
    return matches_all(terms.anti, old.shape) and not matches_all(terms.anti, new.shape)


def _after_node_change(pod: PodInfo, change: Change) -> bool:
    """A node was added or relabelled."""
    old: NodeInfo | None = change.old
    new: NodeInfo = change.new
    terms = pod_terms(pod.shape)
    if old is None:
        return bool(terms.anti) or any(term.key in new.labels for term in terms.affinity)
    return any(
        term.key in new.labels and old.labels.get(term.key) != new.labels[term.key]
        for term in terms.affinity
    ) or any(
        term.key in old.labels and old.labels[term.key] != new.labels.get(term.key)
        for term in terms.anti
    )


EVENTS = (
    EventHint(
        ClusterEvent(EventResource.POD, Action.ADD | Action.UPDATE_POD_LABEL | Action.DELETE),
        _after_pod_change,
        by_shape=True,
    ),
    EventHint(
        ClusterEvent(EventResource.NODE, Action.ADD | Action.UPDATE_NODE_LABEL),
        _after_node_change,
        by_shape=True,
    ),
)
