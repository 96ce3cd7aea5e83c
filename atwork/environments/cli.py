"""`atwork environment`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Environments: new ones, pop-ups, and their end.")


class Kind(StrEnum):
    """Whether an environment stays."""

    popup = "popup"
    long_lived = "long-lived"


@app.command(name="new")
def environment_new(
    name: Annotated[str, typer.Argument(help="Its name; the stack is called so.")],
    *,
    owner: Annotated[str, typer.Option(help="Team that answers for it.")],
    kind: Annotated[Kind, typer.Option("--class", help="A popup has an end.")] = Kind.popup,
    like: Annotated[str, typer.Option(help="Environment that it is made like.")] = "staging",
    ttl: Annotated[str, typer.Option(help="How long a popup has: 72h, 3d.")] = "72h",
    region: Annotated[str, typer.Option(help="Region, where it is another one.")] = "",
    folder: Annotated[str, typer.Option(help="Number of the folder for a new project.", envvar="ATWORK_FOLDER")] = "",
    billing_account: Annotated[
        str, typer.Option(help="Who pays for a new project.", envvar="ATWORK_BILLING_ACCOUNT")
    ] = "",
    project: Annotated[str, typer.Option(help="A project that exists.")] = "",
    number: Annotated[str, typer.Option(help="Its number.")] = "",
    dry_run: Annotated[bool, typer.Option(help="Show what would be written.")] = False,
) -> None:
    """Make a new environment: its stack file, with ranges that are free and a project of its own."""
    from atwork.environments.draft import Wanted
    from atwork.environments.new import new

    wanted = Wanted(
        name, kind.value, like, owner, ttl, region, folder, billing_account, project, number
    )  # fmt: skip
    raise typer.Exit(new(wanted, dry_run=dry_run))


@app.command(name="list")
def environment_list() -> None:
    """Show all environments and when they end."""
    from atwork.environments.listing import listed

    raise typer.Exit(listed())


@app.command(name="extend")
def environment_extend(name: str, *, ttl: Annotated[str, typer.Option(help="From now on: 24h, 3d.")]) -> None:
    """Give a popup more time."""
    from atwork.environments.extend import extend

    raise typer.Exit(extend(name, ttl))


@app.command(name="remove")
def environment_remove(name: str) -> None:
    """Remove the files of a popup that is gone."""
    from atwork.environments.remove import remove

    raise typer.Exit(remove(name))
