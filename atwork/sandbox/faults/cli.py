"""`atwork sandbox fault`."""

from __future__ import annotations

from typing import Annotated

import typer

from atwork.sandbox.faults.model import Effect, Operation

app = typer.Typer(no_args_is_help=True, help="Inject faults into the simulated clouds.")


@app.command()
def add(
    effect: Annotated[Effect, typer.Argument(help="Effect on the call.")],
    *,
    operation: Annotated[Operation | None, typer.Option("--on", help="Operation; create by default.")] = None,
    type_: Annotated[str, typer.Option("--type", help="Resource type, such as NodePool or gcp:sql/user:User.")] = "",
    name: Annotated[str, typer.Option(help="Glob for the name of the resource or for its URN.")] = "*",
    stack: Annotated[str, typer.Option(help="Environment.")] = "",
    nth: Annotated[int, typer.Option(help="Number of the first matching call to hit.")] = 1,
    always: Annotated[bool, typer.Option("--always", help="Hit all matching calls from the nth on.")] = False,
    seconds: Annotated[float | None, typer.Option(help="Duration in seconds, for slow and hang.")] = None,
    message: Annotated[str, typer.Option(help="Error message instead of the cloud's.")] = "",
) -> None:
    """Add a fault: it hits calls of all engines of this sandbox until it is removed."""
    from atwork.sandbox.faults import commands

    unreachable = effect is Effect.unreachable
    options = {
        "effect": effect,
        "operation": operation or (Operation.any if unreachable else Operation.create),
        "type": type_,
        "name": name,
        "stack": stack,
        "nth": nth,
        "always": always or unreachable,
        "seconds": seconds,
        "message": message,
    }
    raise typer.Exit(commands.add(options))


@app.command(name="list")
def fault_list() -> None:
    """List the faults and the calls that they hit."""
    from atwork.sandbox.faults import commands

    raise typer.Exit(commands.show_all())


@app.command()
def remove(number: Annotated[int, typer.Argument(help="Number in the list.")]) -> None:
    """Remove a fault."""
    from atwork.sandbox.faults import commands

    raise typer.Exit(commands.remove(number))


@app.command()
def clear() -> None:
    """Remove all faults."""
    from atwork.sandbox.faults import commands

    raise typer.Exit(commands.clear())
