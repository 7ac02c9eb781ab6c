"""How raw scores become scores between 0 and 100.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/helper/normalize_score.go, v1.36.1.
"""

from gpusched.cluster.nodes import Ints
from gpusched.kube.framework.interface import MAX_NODE_SCORE


def default_normalize(scores: Ints, *, reverse: bool = False) -> Ints:
    """Return scores in proportion to the largest, or 100 less that.

    Args:
        scores: Raw scores, none negative; shape (K,).
        reverse: The smallest is the best; taken from 100 after the division is cut off.

    >>> import numpy as np
    >>> default_normalize(np.array([0, 1, 3]), reverse=True).tolist()
    [100, 67, 0]
    """
    largest = int(scores.max(initial=0))
    if largest == 0:
        return scores + MAX_NODE_SCORE if reverse else scores
    normal: Ints = scores * MAX_NODE_SCORE // largest
    return MAX_NODE_SCORE - normal if reverse else normal
