"""`atwork environment new`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.prompt import Prompt
from rich.table import Table

from atwork.checkout import Checkout, find_checkout
from atwork.engine import choice
from atwork.environments import cost, prices, questions
from atwork.environments.draft import Derived, check_name, default_model, derived, model
from atwork.environments.questions import EnvironmentRequest
from atwork.environments.terminal import is_interactive
from atwork.github import pull_request
from atwork.yaml_edits import write_file
from infra import company
from infra.catalog import read_all as services_in
from infra.config import read_all


def new(wanted: EnvironmentRequest, *, dry_run: bool, preview: bool, pr: bool) -> int:
    """Write the files of a new environment, or open a pull request with them; nothing is written if it fails."""
    checkout, console = find_checkout(), Console(highlight=False, soft_wrap=True)
    stacks = checkout.stacks
    environments = read_all(stacks)
    check_name(stacks, wanted.name)
    repository = pull_request.prepared(checkout.root) if pr and not dry_run else None
    branch = f"environment/{wanted.name}"
    if repository is not None:
        repository.check_free(branch)
    wanted = replace(wanted, like=wanted.like or default_model(environments))
    wanted = questions.complete(wanted, model(environments, wanted.like), environments, _ask(console))
    draft = derived(stacks, wanted, datetime.now(UTC), environments, services_in(checkout.services))
    console.print(_shown(draft))
    console.print()
    console.print(_costs(draft))
    if choice.is_remote() and not _possible(stacks, draft, environments[wanted.like].project.id, console):
        return 1
    if preview and not _previewed(checkout, draft, console):
        return 1
    if dry_run:
        console.print("Nothing is written (--dry-run). The file would be:\n")
        console.print(next(iter(draft.texts.values())), markup=False)
        return 0
    names = [path.relative_to(checkout.root).as_posix() for path in draft.texts]
    if repository is not None:
        address = repository.offer(branch, f"Add the environment {wanted.name}", _body(draft), draft.texts)
        console.print(f"Opened {address} with {names[0]} and a line in {names[1]}; this checkout is as it was.")
        return 0
    for path, text in draft.texts.items():
        write_file(path, text)
    console.print(f"Wrote {names[0]} and a line in {names[1]}")
    console.print(f"Try it:  atwork sandbox up {draft.settings['upstream']} {wanted.name}")
    console.print("For real: a pull request with both files; its preview shows the new environment before it exists.")
    return 0


def _ask(console: Console) -> questions.AskText | None:
    if not is_interactive(console):
        return None

    def ask(question: str, default: str) -> str:
        while True:
            answer = Prompt.ask(question, default=default, console=console) if default else Prompt.ask(question)
            if answer.strip():
                return answer.strip()

    return ask


def _possible(stacks: Path, draft: Derived, sibling: str, console: Console) -> bool:
    """Whether the preflight passes; a check that cannot run does not block the environment."""
    from atwork.environments.preflight import run as preflight

    platform = company.read(stacks) if (stacks / "platform.yaml").exists() else None
    seen = preflight.preflight(draft.name, draft.config, platform, sibling=sibling)
    table = Table("beforehand", "", "", box=None, pad_edge=False)
    for check in seen:
        sign = {True: "ok", False: "wrong" if check.needed else "advice", None: "not asked"}[check.ok]
        table.add_row(check.name, sign, check.detail + (f"; {check.fix}" if check.fix and not check.ok else ""))
    console.print()
    console.print(table)
    bad = [check.name for check in seen if check.bad]
    if bad:
        console.print(f"Nothing is written: {', '.join(bad)} must be fixed first.")
    return not bad


def _previewed(checkout: Checkout, draft: Derived, console: Console) -> bool:
    from atwork.environments.rehearsal import rehearse
    from atwork.report import terminal

    report = rehearse(checkout, draft, console)
    console.print()
    if report.result == "failed":
        terminal.show([report], console)
        console.print("Nothing is written: the preview failed. --no-preview writes the files all the same.")
        return False
    advice = [violation for violation in report.policies if not violation.mandatory]
    console.print(
        f"Preview against an empty state, nothing is created: {sum(report.counts.values())} to create, "
        f"{len(advice)} advice of policies. `atwork preview {draft.name}` shows them."
    )
    return True


def _shown(draft: Derived) -> Table:
    settings = draft.settings
    table = Table("derived", "value", box=None, pad_edge=False)
    environment = settings["environment"]
    databases = ", ".join(f"{key} {database['tier']}" for key, database in settings.get("databases", {}).items())
    rows = {
        "environment": f"{environment['kind']}, {environment['owner']}",
        "ends": environment.get("expires_at", "never"),
        "project": settings["project"]["id"],
        "region": settings["region"]
        + (f", zone {settings['cluster']['zone']}" if "zone" in settings["cluster"] else ""),
        "nodes": settings["network"]["nodes"],
        "pods": settings["network"]["pods"],
        "node pools": ", ".join(
            f"{key} {pool['min_nodes']} to {pool['max_nodes']} {pool['machine_type']}"
            for key, pool in settings["node_pools"].items()
        ),
        "databases": databases or "none",
        "services": ", ".join(draft.config.tenants) or "none",
    }
    for key, value in rows.items():
        table.add_row(key, str(value))
    return table


def _costs(draft: Derived) -> Table:
    table = Table("estimate, US dollars a month", "least", "most", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    estimate = cost.estimate(draft.config, prices.current())
    for line in estimate.lines:
        table.add_row(line.name, f"{line.least:.0f}", f"{line.most:.0f}")
    table.add_row("together", f"{estimate.least:.0f}", f"{estimate.most:.0f}")
    if draft.settings["environment"]["kind"] == "ephemeral":
        days = prices.current().hours_per_month / 24
        table.add_row("a day", f"{estimate.least / days:.1f}", f"{estimate.most / days:.1f}")
    dated = f"list prices as of {prices.current().as_of}"
    table.caption = f"{dated}; {len(estimate.unpriced)} unpriced: {', '.join(estimate.unpriced)}"
    table.caption_justify = "left"
    return table


def _body(draft: Derived) -> str:
    estimate = cost.estimate(draft.config, prices.current())
    environment = draft.settings["environment"]
    ends = environment.get("expires_at")
    network = draft.config.network
    lines = [
        f"A new environment, {environment['kind']}, for {environment['owner']}"
        + (f", until {ends}. It goes by itself then." if ends else "."),
        "",
        f"Project `{draft.config.project.id}`, nodes `{network.nodes}`, pods `{network.pods}`.",
        f"About {estimate.least:.0f} to {estimate.most:.0f} US dollars a month; {len(estimate.unpriced)} unpriced.",
    ]
    return "\n".join(lines) + "\n"
