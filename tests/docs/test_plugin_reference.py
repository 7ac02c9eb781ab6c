"""The page about plugins says what the code says."""

import pytest

from gpusched.kube.plugins import IN_TREE
from tools.plugin_reference import PAGE, described, messages, plugins, renewed


def test_the_facts_on_the_page_are_fresh() -> None:
    page = PAGE.read_text()
    assert page == renewed(page), "run: python -m tools.plugin_reference"


def test_every_plugin_has_its_section_in_the_order_of_the_registry() -> None:
    assert list(described(PAGE.read_text())) == list(IN_TREE)


@pytest.mark.parametrize("name", IN_TREE)
def test_every_message_of_a_plugin_stands_in_its_section(name: str) -> None:
    section = PAGE.read_text().partition(f"## {name}\n")[2].partition("\n## ")[0]
    for message in messages(plugins()[name]):
        assert f"`{message}`" in section


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NodeResourcesFit", "Insufficient <resource>"),
        ("NodeResourcesFit", "Too many pods"),
        ("NodeAffinity", "pod affinity terms conflict"),
        (
            "PodTopologySpread",
            "node(s) didn't match pod topology spread constraints (missing required label)",
        ),
        ("DefaultPreemption", "No preemption victims found for incoming pod"),
        ("VolumeZone", 'persistentvolumeclaim "<claim>" not found'),
    ],
    ids=str,
)
def test_messages_are_found_wherever_they_are_made(name: str, message: str) -> None:
    assert message in messages(plugins()[name])
