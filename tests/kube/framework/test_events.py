"""Cluster events: which registration covers which happening."""

import pytest

from gpusched.kube.framework.events import Action, ClusterEvent, EventResource

POD, ASSIGNED, NODE = EventResource.POD, EventResource.ASSIGNED_POD, EventResource.NODE


@pytest.mark.parametrize(
    ("pattern", "happening", "covered"),
    [
        pytest.param((NODE, Action.ADD), (NODE, Action.ADD), True, id="the same"),
        pytest.param((NODE, Action.ADD), (NODE, Action.DELETE), False, id="another action"),
        pytest.param((NODE, Action.ADD), (POD, Action.ADD), False, id="another resource"),
        pytest.param((POD, Action.ADD), (ASSIGNED, Action.ADD), True, id="any pod"),
        pytest.param((ASSIGNED, Action.ADD), (POD, Action.ADD), False, id="assigned pods only"),
        pytest.param(
            (NODE, Action.ADD | Action.UPDATE_NODE_TAINT),
            (NODE, Action.UPDATE_NODE_TAINT),
            True,
            id="one of several actions",
        ),
        pytest.param(
            (POD, Action.UPDATE_POD_LABEL),
            (ASSIGNED, Action.UPDATE),
            False,
            id="an unspecific update is larger than a specific pattern",
        ),
        pytest.param((POD, Action.UPDATE), (ASSIGNED, Action.UPDATE), True, id="any update"),
        pytest.param(
            (EventResource.WILDCARD, Action.ALL), (NODE, Action.DELETE), True, id="anything"
        ),
    ],
)
def test_a_pattern_covers_a_happening(
    pattern: tuple[EventResource, Action],
    happening: tuple[EventResource, Action],
    covered: bool,
) -> None:
    assert ClusterEvent(*pattern).matches(ClusterEvent(*happening)) is covered
