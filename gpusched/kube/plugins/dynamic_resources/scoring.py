"""Rating nodes by which alternatives of ``firstAvailable`` requests they offer.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go
(computeScore), v1.36.1
"""

from typing import Final

from gpusched.kube.plugins.dynamic_resources.state import DraState

MAX_ALTERNATIVES: Final = 8


class TooFewAllocationsError(Exception):
    """Upstream's defect: it counts claims that were allocated earlier, but not their devices."""


def raw_score(state: DraState, node: str) -> int:
    """Return 8 less the position of the chosen alternative, summed up over claims and requests.

    As upstream, the n-th claim is looked up in the n-th new allocation, even where claims before
    it were allocated earlier.

    Raises:
        TooFewAllocationsError: Some claims of the pod were allocated earlier and some were not.
    """
    found = state.allocations.get(node)
    if found is None:
        return 0
    score = 0
    for at, claim in enumerate(state.claims):
        if at >= len(found.claims):
            count = len(found.claims)
            text = f"number of allocations {count} is smaller than number of claims"
            raise TooFewAllocationsError(text)
        taken = {placed.alternative.wanted.reference for placed in found.claims[at].placed}
        for request in claim.spec.devices.requests:
            if request.exactly is None:
                score += sum(
                    MAX_ALTERNATIVES - position
                    for position, each in enumerate(request.first_available)
                    if f"{request.name}/{each.name}" in taken
                )
    return score
