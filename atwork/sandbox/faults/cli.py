"""`atwork sandbox fault`."""

from __future__ import annotations

from typing import Annotated

import typer

from atwork.sandbox.faults.model import Effect, Operation

app = typer.Typer(no_args_is_help=True, help="Let things go wrong in the simulated clouds.")


@app.command()
def add(
    effect: Annotated[Effect, typer.Argument(help="What happens to the call.")],
    *,
    operation: Annotated[Operation | None, typer.Option("--on", help="Which calls; create where none is said.")] = None,
    type_: Annotated[str, typer.Option("--type", help="Resource type, such as NodePool or gcp:sql/user:User.")] = "",
    name: Annotated[str, typer.Option(help="Glob on the resource's name, or on its URN.")] = "*",
    stack: Annotated[str, typer.Option(help="Environment.")] = "",
    nth: Annotated[int, typer.Option(help="The first call that is hit.")] = 1,
    always: Annotated[bool, typer.Option("--always", help="From the nth call on, instead of that one alone.")] = False,
    seconds: Annotated[float | None, typer.Option(help="How long, for slow and hang.")] = None,
    message: Annotated[str, typer.Option(help="The error, in words of your own.")] = "",
) -> None:
    """Add a fault: it hits calls of all engines of this sandbox, until it is removed."""
    from atwork.sandbox.faults import commands

    gone = effect is Effect.unreachable
    given = {
        "effect": effect,
        "operation": operation or (Operation.any if gone else Operation.create),
        "type": type_,
        "name": name,
        "stack": stack,
        "nth": nth,
        "always": always or gone,
        "seconds": seconds,
        "message": message,
    }
    raise typer.Exit(commands.add(given))


@app.command(name="list")
def fault_list() -> None:
    """Show the faults, with what they hit so far."""
    from atwork.sandbox.faults import commands

    raise typer.Exit(commands.listed())


@app.command()
def remove(number: Annotated[int, typer.Argument(help="As the list has it.")]) -> None:
    """Remove one fault."""
    from atwork.sandbox.faults import commands

    raise typer.Exit(commands.remove(number))


@app.command()
def clear() -> None:
    """Remove all faults."""
    from atwork.sandbox.faults import commands

    raise typer.Exit(commands.clear())
