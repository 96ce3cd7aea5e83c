"""The command `atwork`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
sandbox = typer.Typer(no_args_is_help=True, help="The platform on this machine, with no cloud account.")
app.add_typer(sandbox, name="sandbox")

Stacks = Annotated[list[str] | None, typer.Argument(help="Environments; all where none is named.")]


@app.command()
def engine() -> None:
    """Find the Pulumi engine, or build it once into the shared cache."""
    from atwork.engine.command import run

    run()


@app.command()
def schema(*, write: Annotated[bool, typer.Option(help="Rewrite stacks/schema.json.")] = False) -> None:
    """Print the JSON Schema of the stack files."""
    from infra.schema import main as schema_main

    schema_main(write=write)


@app.command()
def bench() -> None:
    """Measure the sandbox and print where the time goes."""
    from atwork.bench import run

    raise typer.Exit(run())


@sandbox.command()
def up(stacks: Stacks = None) -> None:
    """Bring environments up."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.up(stacks or []))


@sandbox.command()
def preview(stacks: Stacks = None) -> None:
    """Show what `up` would change."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.preview(stacks or []))


@sandbox.command()
def down(stacks: Stacks = None) -> None:
    """Destroy environments."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.down(stacks or []))


@sandbox.command()
def status() -> None:
    """Show what is up."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.status())


@sandbox.command()
def env() -> None:
    """Print exports for a shell: `eval "$(atwork sandbox env)"`, then use `pulumi` as ever."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.env())


@sandbox.command()
def reset(*, yes: Annotated[bool, typer.Option(help="Do not ask.")] = False) -> None:
    """Throw the simulated cloud away."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.reset(yes=yes))


def main() -> None:
    """Run the command; what a user can mend ends in one line and exit code 1."""
    from atwork.engine.locate import EngineError
    from atwork.sandbox.home import SandboxError
    from infra.mistakes import ConfigError

    try:
        app()
    except (EngineError, SandboxError, ConfigError) as error:
        sys.exit(f"error: {error}")
