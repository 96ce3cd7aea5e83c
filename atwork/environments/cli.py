"""`atwork environment`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from atwork.arguments import words

app = typer.Typer(no_args_is_help=True, help="Create, list, extend, check and destroy environments.")


class EnvironmentKind(StrEnum):
    """What a stack file says in environment.kind."""

    ephemeral = "ephemeral"
    long_lived = "long-lived"


@app.command(name="new")
def environment_new(
    name: Annotated[str, typer.Argument(help="Environment and stack name.")],
    *,
    owner: Annotated[str, typer.Option(help="Team that answers for it.", envvar="ATWORK_OWNER")] = "",
    kind: Annotated[
        EnvironmentKind, typer.Option(help="Ephemeral environments have an expiry date.")
    ] = EnvironmentKind.ephemeral,
    like: Annotated[
        str, typer.Option(help="Environment to copy the settings of; by default the first one that receives releases.")
    ] = "",
    ttl: Annotated[str, typer.Option(help="Lifetime of an ephemeral environment: 72h, 3d.")] = "72h",
    region: Annotated[str, typer.Option(help="Region, where it is another one.")] = "",
    services: Annotated[
        str, typer.Option(help="The only services that run in an ephemeral environment: orders,web.")
    ] = "",
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

    Asks on a terminal for what is missing. --pr reads GITHUB_TOKEN, and GITHUB_REPOSITORY where origin is not there.
    """
    from atwork.environments.new import new
    from atwork.environments.questions import EnvironmentRequest

    wanted = EnvironmentRequest(
        name, kind.value, like, owner, ttl, region, folder, billing_account, project, number, words(services)
    )
    raise typer.Exit(new(wanted, dry_run=dry_run, preview=preview, pr=pr))


@app.command(name="list")
def environment_list(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for pipelines.")] = False
) -> None:
    """List all environments in the order in which changes reach them."""
    from atwork.environments.listing import show

    raise typer.Exit(show(as_json=as_json))


@app.command(name="jobs")
def environment_jobs(
    *,
    base: Annotated[str, typer.Option(help="Only stacks that the change since this commit can reach.")] = "",
    merged: Annotated[bool, typer.Option("--merged", help="Only stacks that HEAD's pull request reaches.")] = False,
    since: Annotated[
        str, typer.Option(help="With --merged: the pull requests of all commits after this one, up to HEAD.")
    ] = "",
    github: Annotated[bool, typer.Option("--github", help="Print outputs of a step of GitHub Actions.")] = False,
) -> None:
    """Divide the stacks among the jobs of a pipeline, as JSON.

    Needs no account; --merged reads GITHUB_TOKEN and GITHUB_REPOSITORY.
    """
    from atwork.environments.jobs import show

    raise typer.Exit(show(base=base, merged=merged, since=since, github=github))


@app.command(name="extend")
def environment_extend(name: str, *, ttl: Annotated[str, typer.Option(help="From now on: 24h, 3d.")]) -> None:
    """Give an ephemeral environment more time."""
    from atwork.environments.extend import extend

    raise typer.Exit(extend(name, ttl))


@app.command(name="destroy")
def environment_destroy(
    name: str,
    *,
    confirm: Annotated[str, typer.Option(help="Its name once more, where there is no terminal to ask on.")] = "",
    pr: Annotated[bool, typer.Option("--pr", help="Remove its files by a pull request.")] = False,
) -> None:
    """End an environment now, with all that is in it. What is guarded is refused, and every guard named."""
    from atwork.environments.destroy import destroy

    raise typer.Exit(destroy(name, confirmed=confirm, pr=pr))


@app.command(name="reap")
def environment_reap(
    *,
    apply: Annotated[bool, typer.Option("--apply", help="End what is over, and warn owners in Slack.")] = False,
    real: Annotated[bool, typer.Option("--real", help="Refuse the sandbox.")] = False,
    gone: Annotated[
        Path | None, typer.Option(help="File for the names of what is gone; its files stay here then.")
    ] = None,
) -> None:
    """List expired ephemeral environments; with --apply, destroy them.

    Warnings go to SLACK_WEBHOOK_URL 48 hours and 2 hours before an end. Exit code 1 where something is wrong or failed.
    """
    from atwork.environments.reap import reap

    raise typer.Exit(reap(apply=apply, real=real, gone=gone))


@app.command(name="adopt")
def environment_adopt(
    name: Annotated[str, typer.Argument(help="Environment.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take into the state what an update left behind and the program wants again.

    For `pulumi up` that fails with 409 on a database, a database user, a key or a volume.
    """
    from atwork.environments.adopt import adopt

    raise typer.Exit(adopt(name, yes=yes))


@app.command(name="check")
def environment_check() -> None:
    """Check all stack files and services together; needs no account and no engine."""
    from atwork.environments.check import check

    raise typer.Exit(check())


@app.command(name="remove")
def environment_remove(
    name: str, *, pr: Annotated[bool, typer.Option("--pr", help="By a pull request.")] = False
) -> None:
    """Remove the files of an ephemeral environment that is gone."""
    from atwork.environments.remove import remove

    raise typer.Exit(remove(name, pr=pr))


@app.command(name="bootstrap")
def environment_bootstrap(
    name: str,
    *,
    resume: Annotated[bool, typer.Option(help="Go on with a bootstrap that was cut off.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Print the same as gcloud commands and do nothing.")] = False,
    secrets: Annotated[
        Path | None,
        typer.Option(help="Folder with a file for each secret's first value, named like it.", envvar="ATWORK_SECRETS"),
    ] = None,
) -> None:
    """Make what an environment stands on: project, state, key, identities of CI, secrets, stack.

    Running it again changes nothing. First values of secrets are read from --secrets, else asked for without echo.
    """
    from atwork.checkout import find_checkout
    from atwork.environments.bootstrap.run import bootstrap

    raise typer.Exit(bootstrap(find_checkout().root, name, resume=resume, dry_run=dry_run, secrets=secrets))
