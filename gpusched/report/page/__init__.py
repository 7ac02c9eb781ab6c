"""The report page: one HTML file with everything in it, which opens from disk without a network.

``data`` says what the page knows, ``page.html``, ``page.css`` and the scripts how it shows it;
here they become one file.
"""

import html
import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from gpusched.report.page.data import page_data
from gpusched.run.record import RunRecord

SCRIPTS: Final = ("model.js", "timeline.js", "fleet.js", "details.js", "main.js")


def write_page(record: RunRecord, path: Path) -> None:
    """Write a run's report page."""
    path.write_text(page(record), encoding="utf-8")


def page(record: RunRecord) -> str:
    """Return a run's report page as HTML."""
    parts = {
        "title": html.escape(record.name),
        "style": _part("page.css"),
        "data": as_json(page_data(record)),
        "script": "\n".join(_part(name) for name in SCRIPTS),
    }
    head, *rest = _part("page.html").split("<!--@")
    filled = (parts[key] + tail for key, tail in (piece.split("-->", 1) for piece in rest))
    return head + "".join(filled)


def as_json(value: Any) -> str:
    """Return JSON that can stand inside a script element.

    >>> "</script>" in as_json("</script>")
    False
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("</", "<\\/").replace("<!--", "<\\u0021--")


def _part(name: str) -> str:
    return (files(__name__) / name).read_text(encoding="utf-8")
