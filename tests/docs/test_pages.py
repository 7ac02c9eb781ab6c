"""Every command of the documentation is run and its output compared; every YAML block is loaded."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gpusched.api.config import load_configuration
from gpusched.api.scenario import load_scenario
from gpusched.api.scenario.document import ScenarioSpec
from tests.docs.pages import (
    DOCS,
    PAGES,
    Block,
    blocks,
    commands,
    prepare,
    run,
    run_python,
    save_scenario,
)

TRIAGE = DOCS / "tutorial" / "triage.md"
RUN = re.compile(r"^```(console|python)$", re.MULTILINE)
WITH_COMMANDS = [page for page in PAGES if RUN.search(page.read_text(encoding="utf-8"))]
YAML_BLOCKS = [
    (page, block)
    for page in PAGES
    for block in blocks(page.read_text(encoding="utf-8"))
    if block.language == "yaml"
]


def name_of(page: Path) -> str:
    return str(page.relative_to(DOCS))


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_commands_print_what_the_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language == "yaml":
            save_scenario(block, tmp_path)
        elif block.language == "console":
            for command, expected in commands(block):
                assert run(command, tmp_path) == expected, f"line {block.line}: {command}"
        elif block.language == "python":
            run_python(block, names)


@pytest.mark.parametrize(
    ("page", "block"), YAML_BLOCKS, ids=[f"{name_of(p)}:{b.line}" for p, b in YAML_BLOCKS]
)
def test_yaml_can_be_loaded(page: Path, block: Block, tmp_path: Path) -> None:
    value = yaml.safe_load(block.text)
    if value is None:
        return
    assert isinstance(value, dict), f"{page}: not an object"
    kind = value.get("kind")
    if kind == "Scenario":
        prepare(tmp_path)
        save_scenario(block, tmp_path)
        load_scenario(tmp_path / f"{value['metadata']['name']}.yaml")
    elif kind == "KubeSchedulerConfiguration":
        load_configuration(block.text)
    elif kind is None:
        ScenarioSpec.model_validate(value)  # a part of a scenario's spec


def test_the_pages_have_commands_and_yaml() -> None:
    assert len(WITH_COMMANDS) >= 4
    assert len(YAML_BLOCKS) >= 5


def test_the_triage_shows_more_than_fifteen_commands() -> None:
    shown = [
        command
        for block in blocks(TRIAGE.read_text(encoding="utf-8"))
        if block.language == "console"
        for command in commands(block)
    ]
    assert TRIAGE in WITH_COMMANDS
    assert len(shown) > 15
