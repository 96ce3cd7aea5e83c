"""`atwork access`."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Show who may do what, from every binding of the platform.")

Principal = Annotated[
    str, typer.Argument(help="serviceAccount:EMAIL, group:EMAIL, POOL[NAMESPACE/ACCOUNT], or an e-mail.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command()
def explain(
    principal: Principal,
    resource: Annotated[str, typer.Argument(help="Only bindings that reach this resource, such as projects/P.")] = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Show every binding of a principal, and whom it may act as."""
    from atwork.access import commands

    raise typer.Exit(commands.explain(principal, resource or None, as_json=as_json))


@app.command()
def audit(*, as_json: JsonOption = False) -> None:
    """Compare every binding with what its identity does; end with code 1 where they differ."""
    from atwork.access import commands

    raise typer.Exit(commands.audit(as_json=as_json))


@app.command(name="who-can")
def who_can(
    permission: Annotated[str, typer.Argument(help="Such as secretmanager.versions.access.")],
    resource: Annotated[str, typer.Argument(help="Such as projects/P/secrets/S.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show every principal that has a permission on a resource, and by which binding."""
    from atwork.access import commands

    raise typer.Exit(commands.who_can(permission, resource, as_json=as_json))
