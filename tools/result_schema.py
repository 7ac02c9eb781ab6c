"""Write ``docs/reference/result.schema.json``, which describes what a run prints and keeps.

Run as ``python tools/result_schema.py``; a test fails while the file differs from the models.
"""

import json
from pathlib import Path

from gpusched.run.result import result_schema

TARGET = Path(__file__).parent.parent / "docs/reference/result.schema.json"


def main() -> None:
    """Write the file."""
    text = json.dumps(result_schema(), indent=2, ensure_ascii=False)
    TARGET.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
