"""Sphinx: MyST pages, the furo theme, warnings as errors (`make docs`)."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

project = "gpusched"
author = "The gpusched authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "scenario_fields"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_ext", "examples"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_format = "short"
nitpick_ignore_regex = [("py:.*", ".*")]  # types of numpy and matplotlib have no pages here

html_theme = "furo"
html_title = "gpusched"
html_static_path = ["_static"]
html_css_files = ["gpusched.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"sidebar_hide_name": False}
