"""`atwork environment`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from atwork.arguments import words

app = typer.Typer(no_args_is_help=True, help="Environments: new ones, pop-ups, and their end.")


class Kind(StrEnum):
    """Whether an environment stays."""

    popup = "popup"
    long_lived = "long-lived"


@app.command(name="new")
def environment_new(
    name: Annotated[str, typer.Argument(help="Its name; the stack is called so.")],
    *,
    owner: Annotated[str, typer.Option(help="Team that answers for it.", envvar="ATWORK_OWNER")] = "",
    kind: Annotated[Kind, typer.Option("--class", help="A popup has an end.")] = Kind.popup,
    like: Annotated[str, typer.Option(help="Environment that it is made like.")] = "staging",
    ttl: Annotated[str, typer.Option(help="How long a popup has: 72h, 3d.")] = "72h",
    region: Annotated[str, typer.Option(help="Region, where it is another one.")] = "",
    services: Annotated[str, typer.Option(help="The only services that run in a popup: orders,web.")] = "",
    folder: Annotated[str, typer.Option(help="Number of the folder for a new project.", envvar="ATWORK_FOLDER")] = "",
    billing_account: Annotated[
        str, typer.Option(help="Who pays for a new project.", envvar="ATWORK_BILLING_ACCOUNT")
    ] = "",
    project: Annotated[str, typer.Option(help="A project that exists.")] = "",
    number: Annotated[str, typer.Option(help="Its number.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written.")] = False,
    preview: Annotated[bool, typer.Option(help="Preview the new stack, against an empty state.")] = True,
    pr: Annotated[bool, typer.Option("--pr", help="Open a pull request; this checkout stays as it is.")] = False,
) -> None:
    """Make a new environment: its stack file, with ranges that are free and a project of its own.

    Asks on a terminal for what is not said. --pr reads GITHUB_TOKEN, and GITHUB_REPOSITORY where origin is not there.
    """
    from atwork.environments.new import new
    from atwork.environments.questions import Wanted

    wanted = Wanted(
        name, kind.value, like, owner, ttl, region, folder, billing_account, project, number, words(services)
    )
    raise typer.Exit(new(wanted, dry_run=dry_run, preview=preview, pr=pr))


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
