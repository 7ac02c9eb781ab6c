"""The site is built as `make docs` builds it: warnings are errors, and nothing comes from afar."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT

_FROM_AFAR = re.compile(r"""<(?:script|link|img)[^>]+(?:src|href)=["']https?://""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    options = ["--nitpicky", "--fail-on-warning", "--keep-going", "--quiet"]
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_built(site: Path) -> None:
    assert all((site / page.relative_to(DOCS)).with_suffix(".html").is_file() for page in PAGES)


def test_no_page_asks_another_host_for_anything(site: Path) -> None:
    asking = [page for page in site.rglob("*.html") if _FROM_AFAR.search(page.read_text("utf-8"))]
    assert not asking


def test_every_field_of_a_scenario_is_listed(site: Path) -> None:
    text = (site / "reference/scenario.html").read_text("utf-8")
    for field in ("schedulerConfiguration", "kwokStop", "lognormal", "propagationPolicy"):
        assert f">{field}<" in text
