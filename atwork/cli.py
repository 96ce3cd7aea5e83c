"""The command `atwork`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Form(StrEnum):
    """How a report is printed."""

    terminal = "terminal"
    markdown = "markdown"
    html = "html"
    json = "json"


app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
sandbox = typer.Typer(no_args_is_help=True, help="The platform on this machine, with no cloud account.")
app.add_typer(sandbox, name="sandbox")
service = typer.Typer(no_args_is_help=True, help="Services: the repositories that the platform builds and runs.")
app.add_typer(service, name="service")
environment = typer.Typer(no_args_is_help=True, help="Environments: new ones, pop-ups, and their end.")
app.add_typer(environment, name="environment")

Stacks = Annotated[list[str] | None, typer.Argument(help="Environments; all where none is named.")]


@app.command()
def engine() -> None:
    """Find the Pulumi engine, or build it once into the shared cache."""
    from atwork.engine.command import run

    run()


@app.command()
def tools() -> None:
    """Find or build what the tests of charts and images run."""
    from rich.console import Console

    from atwork.toolchain import programs

    console = Console(soft_wrap=True, highlight=False)
    for found in (programs.helm(console), *programs.registry(console), programs.actionlint(console)):
        console.print(f"{found.name}: {found}")


@app.command()
def schema(*, write: Annotated[bool, typer.Option(help="Rewrite the files schema.json.")] = False) -> None:
    """Print the JSON Schemas of stack files and services."""
    from infra.schema import main as schema_main

    schema_main(write=write)


@app.command(name="preview")
def preview_all(
    stacks: Stacks = None,
    *,
    base: Annotated[str, typer.Option(help="Commit that the change is compared with, for the report's head.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for report-STACK.json, report.md and report.html.")] = None,
    form: Annotated[Form, typer.Option("--format", help="What is printed.")] = Form.terminal,
    real: Annotated[bool, typer.Option(help="Refuse the sandbox.")] = False,
) -> None:
    """Report what would change in every environment, in the backend that PULUMI_BACKEND_URL names, else in the sandbox.

    Exit codes: 0 nothing, 1 an error, 2 changes, 3 a protection or data goes.
    """
    from atwork.preview import commands

    raise typer.Exit(commands.preview(stacks or [], base=base, out=out, form=form.value, real=real))


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="What `atwork preview --out` wrote, of all stacks together.")],
    *,
    pr: Annotated[int, typer.Option(help="Number of the pull request.")],
    stacks: Annotated[str, typer.Option(help="Stacks that must have a report; a missing one is a failed row.")] = "",
) -> None:
    """Write the one comment of a pull request, and the fingerprints as statuses of its commit.

    Reads GITHUB_TOKEN and GITHUB_REPOSITORY; ATWORK_BOT is the login that owns the comment (github-actions[bot]).
    """
    from atwork.preview import commands

    raise typer.Exit(commands.report(folder, pr, _words(stacks)))


@app.command()
def up(
    stack: Annotated[str, typer.Argument(help="One environment.")],
    *,
    expect: Annotated[str, typer.Option(help="The approved fingerprint, or `merged`: HEAD's pull request's.")],
    slack: Annotated[bool, typer.Option(help="Tell SLACK_WEBHOOK_URL what was done.")] = False,
) -> None:
    """Preview once more and update, if the change is the one that was approved; exit code 4 if it is another."""
    from atwork.preview import commands

    raise typer.Exit(commands.up(stack, expect, slack=slack))


@app.command()
def drift(
    stacks: Stacks = None,
    *,
    out: Annotated[Path | None, typer.Option(help="Folder for the report.")] = None,
    slack: Annotated[bool, typer.Option(help="Tell SLACK_WEBHOOK_URL where there is any.")] = False,
    real: Annotated[bool, typer.Option(help="Refuse the sandbox.")] = False,
) -> None:
    """Report what changed behind Pulumi's back: a preview with refresh, that writes nothing."""
    from atwork.preview import commands

    title = "Drift" if slack else ""
    raise typer.Exit(
        commands.preview(stacks or [], base="", out=out, form="terminal", refresh=True, slack=title, real=real)
    )


@app.command()
def bench() -> None:
    """Measure the sandbox and print where the time goes."""
    from atwork.bench import run

    raise typer.Exit(run())


@sandbox.command(name="up")
def sandbox_up(stacks: Stacks = None) -> None:
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


@service.command()
def new(
    name: Annotated[str, typer.Argument(help="Its name: namespace, account, chart and job are called so.")],
    *,
    repo: Annotated[str, typer.Option(help="Address of its git repository, https://…")],
    owner: Annotated[str, typer.Option(help="Team that answers for it.")],
    stores: Annotated[str, typer.Option(help="Data stores of its tests: postgres,redis,mysql.")] = "",
    channel: Annotated[str, typer.Option(help="Slack channel; #OWNER where it is left out.")] = "",
    environments: Annotated[str, typer.Option(help="Where it runs.")] = "staging,production",
    secrets: Annotated[str, typer.Option(help="Secrets that its pods read, by name.")] = "",
    host: Annotated[list[str] | None, typer.Option(help="ENVIRONMENT=NAME, where it is reached from outside.")] = None,
    into: Annotated[Path | None, typer.Option(help="Folder of the new repository; beside this one by default.")] = None,
) -> None:
    """Make a new service: its repository, and services/NAME.yaml."""
    from atwork.services import commands
    from atwork.services.new import Wanted
    from infra.mistakes import ConfigError

    hosts: dict[str, str] = {}
    for one in host or []:
        environment, equals, value = one.partition("=")
        if not equals or environment not in _words(environments):
            raise ConfigError(f"--host {one}: write ENVIRONMENT=NAME, with one of {environments}")
        hosts[environment] = value
    wanted = Wanted(
        name, repo, owner, channel or f"#{owner}", _words(stores), _words(environments), _words(secrets), hosts
    )
    raise typer.Exit(commands.new(wanted, into))


@service.command()
def check(folder: Annotated[Path, typer.Argument(help="A service's repository.")]) -> None:
    """Tell what a repository lacks to be built and run here."""
    from atwork.services import commands

    raise typer.Exit(commands.check(folder))


class Kind(StrEnum):
    """Whether an environment stays."""

    popup = "popup"
    long_lived = "long-lived"


@environment.command(name="new")
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
    from atwork.environments import commands

    wanted = commands.Wanted(
        name, kind.value, like, owner, ttl, region, folder, billing_account, project, number
    )  # fmt: skip
    raise typer.Exit(commands.new(wanted, dry_run=dry_run))


@environment.command(name="list")
def environment_list() -> None:
    """Show all environments and when they end."""
    from atwork.environments import commands

    raise typer.Exit(commands.listed())


@environment.command(name="extend")
def environment_extend(name: str, *, ttl: Annotated[str, typer.Option(help="From now on: 24h, 3d.")]) -> None:
    """Give a popup more time."""
    from atwork.environments import commands

    raise typer.Exit(commands.extend(name, ttl))


@environment.command(name="remove")
def environment_remove(name: str) -> None:
    """Remove the files of a popup that is gone."""
    from atwork.environments import commands

    raise typer.Exit(commands.remove(name))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def main() -> None:
    """Run the command; what a user can mend ends in one line and exit code 1."""
    from atwork.engine.locate import EngineError
    from atwork.preview.github import GitHubError
    from atwork.preview.slack import SlackError
    from atwork.sandbox.home import SandboxError
    from atwork.toolchain.gobuild import BuildError
    from infra.mistakes import ConfigError

    try:
        app()
    except (EngineError, BuildError, GitHubError, SlackError, SandboxError, ConfigError) as error:
        sys.exit(f"error: {error}")
