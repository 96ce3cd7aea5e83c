"""`atwork alerts`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup


class _ShowFirst(TyperGroup):
    """A group whose first argument can be an environment in place of a command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Add the command `show` where no command is named; typer does not export the type of the context."""
        if not args or args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_ShowFirst, help="Show what would page whom, and what each alert does in its tests.")


@app.command()
def show(
    environment: Annotated[str, typer.Argument(help="Only this environment.")] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show the alerts of environments, whom they reach, and which are left out; `atwork alerts ENV` does the same."""
    from atwork.alerts import commands

    raise typer.Exit(commands.show(environment or None, as_json=as_json))


@app.command()
def test(rule: Annotated[str, typer.Argument(help="Its name, as in docs/runbooks/alerts.")]) -> None:
    """Run the cases of an alert in Prometheus and draw them; end with code 1 if one of them fails."""
    from atwork.alerts import commands

    raise typer.Exit(commands.test(rule))
