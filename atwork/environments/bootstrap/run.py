"""`atwork environment bootstrap`: runs the steps in order and keeps a journal."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console

from atwork.environments.bootstrap import google as cloud
from atwork.environments.bootstrap import journal as journals
from atwork.environments.bootstrap import plan as plans
from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.google_errors import OperationTimeout
from atwork.environments.bootstrap.journal import BootstrapJournal
from atwork.environments.bootstrap.plan import POOL, PROVIDER, BootstrapPlan
from atwork.environments.bootstrap.projects import find_project
from atwork.environments.bootstrap.secrets import NO_VALUE
from atwork.environments.bootstrap.step import UNCHANGED, Context, Step
from atwork.environments.bootstrap.steps import all_of
from atwork.environments.bootstrap.values import SecretValues
from atwork.errors import BackendError, ConfigError, UsageError
from infra.layout import stack_file


def bootstrap(
    checkout: Path,
    name: str,
    *,
    resume: bool,
    dry_run: bool,
    secrets: Path | None = None,
    login: Callable[[], Google] = cloud.login,
) -> int:
    """Create what an environment needs before its first update, or print the commands; returns the exit code.

    `secrets` is a folder with the first values of secrets, each in a file of the secret's name.
    """
    console = Console(highlight=False, soft_wrap=True)
    stacks = checkout / "stacks"
    plan = plans.read(name, stacks)
    file = stack_file(stacks, name)
    if dry_run:
        _print(console, all_of(plan, file, Path("pulumi")))
        return 0
    values = SecretValues(secrets)
    with journals.opened(checkout, name) as journal:
        _may_start(journal, name, resume=resume)
        google = login()
        steps = all_of(plan, file, _engine(console), values)
        console.print(f"Bootstrap of {name} as {google.who}, with the state in {plan.backend}")
        waiting = _run(console, google, journal, steps)
        _next(console, google, plan)
        if waiting:
            console.print(f"\nBefore `pulumi up -s {name}`, add the values that are missing:", markup=False)
            for step in waiting:
                console.print(f"  {step.commands[-1]}", markup=False)
    return 0


def _may_start(journal: BootstrapJournal, name: str, *, resume: bool) -> None:
    left = journal.unfinished()
    if not left:
        return
    if not resume:
        last = next((entry["step"] for entry in reversed(left) if "step" in entry), "its first step")
        raise UsageError(
            f"{journals.FOLDER}/{journal.path.name}: the bootstrap of {name} of {left[0]['at']} stopped at {last}; "
            f"continue with `atwork environment bootstrap {name} --resume`, which checks every step again"
        )


def _engine(console: Console) -> Path:
    from atwork.engine.build import ensure

    return ensure(console).path


def _run(console: Console, google: Google, journal: BootstrapJournal, steps: Sequence[Step]) -> list[Step]:
    """Run the steps; returns those whose secret has no value yet."""
    waiting: list[Step] = []
    begun = {step.key for step in steps if journal.begun(step.key)}
    journal.write("start", pid=str(os.getpid()))
    width = max(len(step.title) for step in steps)
    for number, step in enumerate(steps, 1):
        journal.write("begin", step=step.key)
        status = console.status(f"{number} of {len(steps)}: {step.title}")
        with nullcontext() if step.asks else status:  # a spinner would overwrite the question
            try:
                outcome = step.ensure(Context(google, step.key in begun))
            except (BackendError, ConfigError, UsageError) as error:
                console.print(f"  [red]✖[/red] {step.title}")
                if not isinstance(error, OperationTimeout):  # Google may still complete a late operation of this run
                    journal.write("failed", step=step.key, error=str(error))
                raise
        journal.write("done", step=step.key, outcome=outcome)
        sign = "[green]✔[/green]" if outcome.startswith(UNCHANGED) else "[yellow]✚[/yellow]"
        console.print(f"  {sign} {step.title:<{width}}  {outcome}")
        if outcome.startswith(NO_VALUE):
            waiting.append(step)
    journal.write("finished")
    return waiting


def _print(console: Console, steps: Sequence[Step]) -> None:
    console.print(
        "# Commands of the bootstrap; none is run (--dry-run). Bootstrap leaves what already exists unchanged."
    )
    for step in steps:
        console.print(f"\n# {step.title}", markup=False)
        for command in step.commands:
            console.print(command, markup=False)


def _next(console: Console, google: Google, plan: BootstrapPlan) -> None:
    """Print what a person must still do."""
    existing = find_project(google, plan.admin)
    number = existing[0] if existing is not None else plan.admin
    provider = f"projects/{number}/locations/global/workloadIdentityPools/{POOL}/providers/{PROVIDER}"
    repository = plan.platform.github.repository
    console.print(f"\nCommit stacks/Pulumi.{plan.name}.yaml. In {repository}, create these environments:", markup=False)
    for account, environment in plan.accounts.items():
        console.print(f"  gh api --method PUT repos/{repository}/environments/{environment}", markup=False)
        values = {
            "PULUMI_BACKEND_URL": plan.backend,
            "WORKLOAD_IDENTITY_PROVIDER": provider,
            "SERVICE_ACCOUNT": plan.email(account),
        }
        for key, value in values.items():
            console.print(
                f"  gh variable set {key} --repo {repository} --env {environment} --body {value}", markup=False
            )
    closed = ", ".join(name for account, name in plan.accounts.items() if account != plan.preview_account)
    main = f"Let only main use {closed}: reviewers and branches are in docs/previews.md."
    console.print(main, markup=False)
