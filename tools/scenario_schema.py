"""Write ``docs/reference/scenario.schema.json``, which editors complete scenarios from.

Run as ``python tools/scenario_schema.py``; a test fails while the file differs from the models.
"""

import json
from pathlib import Path

from gpusched.api.scenario.schema import schema

TARGET = Path(__file__).parent.parent / "docs/reference/scenario.schema.json"


def main() -> None:
    """Write the file."""
    TARGET.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
