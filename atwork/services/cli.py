"""`atwork service`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atwork.arguments import words as comma_separated

app = typer.Typer(no_args_is_help=True, help="Create services, check their repositories, move them between groups.")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the service, its namespace, account, chart and job.")],
    *,
    repo: Annotated[str, typer.Option(help="URL of the git repository, https://…")],
    owner: Annotated[str, typer.Option(help="Team that owns the service.")],
    stores: Annotated[str, typer.Option(help="Stores that its tests use: postgres,redis,mysql.")] = "",
    channel: Annotated[str, typer.Option(help="Slack channel; the default is #OWNER.")] = "",
    environments: Annotated[
        str, typer.Option(help="Environments that it runs in; the default is all that receive releases.")
    ] = "",
    secrets: Annotated[str, typer.Option(help="Names of the secrets that its pods read.")] = "",
    host: Annotated[
        list[str] | None, typer.Option(help="ENVIRONMENT=NAME, public host name in an environment.")
    ] = None,
    group: Annotated[str, typer.Option(help="Group of services; the folder of its file in services/.")] = "default",
    into: Annotated[
        Path | None, typer.Option(help="Folder of the new repository; the default is next to this checkout.")
    ] = None,
) -> None:
    """Create a service: its repository and its file in services/."""
    from atwork.errors import UsageError
    from atwork.services import commands
    from atwork.services.new import NewService

    chosen = comma_separated(environments) or commands.release_environments()
    hosts: dict[str, str] = {}
    for pair in host or []:
        environment, equals, value = pair.partition("=")
        if not equals or environment not in chosen:
            raise UsageError(f"--host {pair}: write ENVIRONMENT=NAME, with one of {', '.join(chosen)}")
        hosts[environment] = value
    service = NewService(
        name,
        repo,
        owner,
        channel or f"#{owner}",
        comma_separated(stores),
        chosen,
        comma_separated(secrets),
        hosts,
        group,
    )
    raise typer.Exit(commands.new(service, into))


@app.command()
def group(
    name: Annotated[str, typer.Argument(help="Group of services: a folder of services/, or default.")],
) -> None:
    """Give a group of services a stack of its own in each environment: write the stack files that it lacks."""
    from atwork.services import commands

    raise typer.Exit(commands.group(name))


@app.command()
def move(
    name: Annotated[str, typer.Argument(help="Name of the service.")],
    group: Annotated[str, typer.Argument(help="Group of services: a folder of services/, or default.")],
) -> None:
    """Move a deployed service to a group, with its resources in every environment; nothing is replaced or deleted."""
    from atwork.services.moving.command import move as run

    raise typer.Exit(run(name, group))


@app.command()
def check(folder: Annotated[Path, typer.Argument(help="Repository of a service.")]) -> None:
    """List what a repository lacks to be built and run on the platform."""
    from atwork.services import commands

    raise typer.Exit(commands.check(folder))
