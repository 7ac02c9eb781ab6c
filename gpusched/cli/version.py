"""``gpusched version``: what a bug report needs to say."""

import json
import platform
from importlib.metadata import version as installed
from typing import Final

import click

from gpusched.version import __version__

KUBERNETES: Final = "v1.36.1"
KWOK: Final = "v0.7.0"
SEEDS: Final = "numpy PCG64 streams by purpose, seeded with (seed, sha256(purpose)[:8])"
_LIBRARIES: Final = ("simpy", "numpy", "pydantic", "matplotlib", "pyyaml", "click", "cel-python")


def versions() -> dict[str, str]:
    """Return everything that a result may hang on."""
    return {
        "gpusched": __version__,
        "kubernetes": f"{KUBERNETES} (simulated)",
        "kwok": f"{KWOK} (simulated)",
        "seeds": SEEDS,
        "python": platform.python_version(),
        **{name: installed(name) for name in _LIBRARIES},
    }


@click.command()
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table")
def version(output: str) -> None:
    """Print versions of gpusched, of what it mirrors and of what it stands on."""
    found = versions()
    if output == "json":
        click.echo(json.dumps(found, indent=2))
        return
    width = max(map(len, found))
    for name, text in found.items():
        click.echo(f"{name:<{width}}  {text}")
