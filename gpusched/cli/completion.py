"""``gpusched completion``: what a shell sources to complete our words."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash: source <(gpusched completion bash)
    zsh:  source <(gpusched completion zsh)
    fish: gpusched completion fish | source
    """  # noqa: D301 - \b keeps click from joining the lines
    root = ctx.find_root().command
    kind = get_completion_class(shell)
    assert kind is not None, "click knows the shells of the choice"
    click.echo(kind(root, {}, "gpusched", "_GPUSCHED_COMPLETE").source())
