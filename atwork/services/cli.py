"""`atwork service`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atwork.arguments import words

app = typer.Typer(no_args_is_help=True, help="Services: the repositories that the platform builds and runs.")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Its name: namespace, account, chart and job are called so.")],
    *,
    repo: Annotated[str, typer.Option(help="Address of its git repository, https://…")],
    owner: Annotated[str, typer.Option(help="Team that answers for it.")],
    stores: Annotated[str, typer.Option(help="Data stores of its tests: postgres,redis,mysql.")] = "",
    channel: Annotated[str, typer.Option(help="Slack channel; #OWNER where it is left out.")] = "",
    environments: Annotated[
        str, typer.Option(help="Environments that it runs in; by default all that receive releases.")
    ] = "",
    secrets: Annotated[str, typer.Option(help="Secrets that its pods read, by name.")] = "",
    host: Annotated[list[str] | None, typer.Option(help="ENVIRONMENT=NAME, where it is reached from outside.")] = None,
    into: Annotated[Path | None, typer.Option(help="Folder of the new repository; beside this one by default.")] = None,
) -> None:
    """Make a new service: its repository, and services/NAME.yaml."""
    from atwork.errors import UsageError
    from atwork.services import commands
    from atwork.services.new import Wanted

    chosen = words(environments) or commands.release_environments()
    hosts: dict[str, str] = {}
    for text in host or []:
        environment, equals, value = text.partition("=")
        if not equals or environment not in chosen:
            raise UsageError(f"--host {text}: write ENVIRONMENT=NAME, with one of {', '.join(chosen)}")
        hosts[environment] = value
    wanted = Wanted(name, repo, owner, channel or f"#{owner}", words(stores), chosen, words(secrets), hosts)
    raise typer.Exit(commands.new(wanted, into))


@app.command()
def check(folder: Annotated[Path, typer.Argument(help="A service's repository.")]) -> None:
    """Tell what a repository lacks to be built and run here."""
    from atwork.services import commands

    raise typer.Exit(commands.check(folder))
