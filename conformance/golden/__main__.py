"""Entry: ``python -m conformance.golden --kubernetes 1.36.1 [NAME...]``."""

import argparse
import os
import subprocess
from pathlib import Path

from conformance.golden import decisions, timelines
from conformance.golden.plane import SCRIPT

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"


def main() -> None:
    """Record what is named, or everything."""
    parser = argparse.ArgumentParser(prog="conformance.golden", description=__doc__)
    parser.add_argument("--kubernetes", required=True, help="the version, e.g. 1.36.1")
    parser.add_argument("--golden", type=Path, default=GOLDEN, help="another folder to write into")
    parser.add_argument("names", nargs="*", help="families and timelines; all without any")
    options = parser.parse_args()
    environment = {"KUBE_VERSION": options.kubernetes}
    where = [str(SCRIPT), "where"]
    programs = subprocess.run(
        where, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    wanted = set(options.names)
    for path in sorted((options.golden / "decisions").iterdir()):
        if decisions.family(path) and (not wanted or decisions.family(path) in wanted):
            print(decisions.record(path, f"{programs}/decide"), flush=True)
    for path in sorted((options.golden / "timelines").glob("*.yaml")):
        if not wanted or path.stem in wanted:
            print(timelines.record(path, options.kubernetes), flush=True)


if __name__ == "__main__":
    main()
