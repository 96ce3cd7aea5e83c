"""`atwork sandbox`."""

from __future__ import annotations

from typing import Annotated

import typer

from atwork.arguments import Stacks

app = typer.Typer(no_args_is_help=True, help="The platform on this machine, with no cloud account.")


@app.command(name="up")
def sandbox_up(stacks: Stacks = None) -> None:
    """Bring environments up."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.up(stacks or []))


@app.command()
def preview(stacks: Stacks = None) -> None:
    """Show what `up` would change."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.preview(stacks or []))


@app.command()
def down(stacks: Stacks = None) -> None:
    """Destroy environments."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.down(stacks or []))


@app.command()
def status() -> None:
    """Show what is up."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.status())


@app.command()
def env() -> None:
    """Print exports for a shell: `eval "$(atwork sandbox env)"`, then use `pulumi` as ever."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.env())


@app.command()
def reset(*, yes: Annotated[bool, typer.Option(help="Do not ask.")] = False) -> None:
    """Throw the simulated cloud away."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.reset(yes=yes))
