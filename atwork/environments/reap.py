"""`atwork environment reap`: ends ephemeral environments whose time is over, and warns those who answer for the others.

Nothing happens without --apply. What is long-lived, protected or not over is never touched; one that fails keeps its
state and does not stop the rest.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from atwork.checkout import Checkout, find_checkout
from atwork.engine import choice
from atwork.engine.backend import Backend
from atwork.environments import ages, ending, files, stacks
from atwork.environments.ages import ReapCandidate
from atwork.environments.journal import Journal
from atwork.errors import BackendError, ConfigError, SandboxError
from atwork.files import replace_file
from atwork.github import context
from atwork.report.slack import SlackError, tell
from infra.config import parse, read_file
from infra.layout import stack_files
from infra.stack import StackConfig

WARNED = "atwork:warned"
"""Tag of a stack whose owner was warned: the end and the span. In the backend, for runs are on many machines."""

_WRONG = ("protected", "newer", "orphan", "unreadable")


def reap(*, apply: bool, real: bool, gone: Path | None) -> int:
    """Show what is over, and with `apply` end it; writes the names of what is gone to a file where one is named."""
    if real:
        context.real()
    checkout, console = find_checkout(), Console(highlight=False, soft_wrap=True)
    ended: list[str] = []
    with choice.chosen(checkout, console, "atwork environment reap") as backend:
        found = look(backend, checkout.stacks, datetime.now(UTC))
        # A log has no width; a name that is cut helps nobody.
        (console if console.is_terminal else Console(width=200, highlight=False)).print(_table(found))
        failed = any(one.state in _WRONG for one in found)
        if apply:
            failed |= not _warn(backend, found, console)
            for one in found:
                if one.state in ("over", "files"):
                    done = one.state == "files" or ended_whole(backend, checkout, one, console)
                    failed |= not done
                    ended += [one.name] if done else []
        elif any(one.state in ("over", "files") or one.warning for one in found):
            console.print("Nothing is done without --apply.")
    for one in found:
        if one.name in ended and gone is None:
            take_away(checkout, one.name, one.upstream)
            console.print(f"{one.name}: removed stacks/Pulumi.{one.name}.yaml and its line in {one.upstream}'s")
    if gone is not None:
        gone.write_text("".join(f"{name}\n" for name in ended))
    return int(failed)


def look(backend: Backend, folder: Path, now: datetime) -> list[ReapCandidate]:
    """Every ephemeral environment of the checkout, and every stack of the backend that has no file."""
    there = backend.stacks()
    configs, unreadable = _configs(folder)
    found = [ReapCandidate(name, "unreadable", told) for name, told in unreadable.items()]
    for name, config in configs.items():
        if config.environment.kind == "ephemeral":
            found.append(_candidate(backend, name, config, now, there=name in there))
    for name, count in there.items():
        if name not in configs and name not in unreadable:
            fix = (
                f"bring its file back from git and `atwork environment destroy {name}`"
                if count
                else f"it is empty: `pulumi stack rm {name}`"
            )
            found.append(ReapCandidate(name, "orphan", f"no stacks/Pulumi.{name}.yaml: {fix}", resources=count))
    return found


def _configs(folder: Path) -> tuple[dict[str, StackConfig], dict[str, str]]:
    """Settings of what can be read; one broken file keeps nobody else alive."""
    configs: dict[str, StackConfig] = {}
    unreadable: dict[str, str] = {}
    for name, path in stack_files(folder).items():
        try:
            configs[name] = parse(name, read_file(path) or "")
        except ConfigError as error:
            unreadable[name] = str(error).splitlines()[0]
    return configs, unreadable


def _candidate(backend: Backend, name: str, config: StackConfig, now: datetime, *, there: bool) -> ReapCandidate:
    end = config.environment.expires_at
    assert end is not None  # noqa: S101 (an ephemeral environment has one, or its file is not read)
    owner, upstream = config.environment.owner, config.upstream or ""
    if end > now:
        warning = ages.due(config, now) if there else ""
        if warning and backend.stack(name).tags().get(WARNED) == warning:
            return ReapCandidate(name, "lives", f"ends in {ages.about(end - now)}; warned", owner, upstream)
        told = f"ends in {ages.about(end - now)}" + ("; its owner is to be warned" if warning else "")
        return ReapCandidate(name, "lives", told, owner, upstream, warning=warning)
    since = f"over since {ages.about(now - end)}"
    if not there:
        return ReapCandidate(name, "files", f"{since}, gone; its files are left", owner, upstream)
    held = stacks.resources(backend, name)
    guards = stacks.protected(held)
    if guards:
        told = f"{since}, but protected: {', '.join(guards[:5])}; unprotect it in a reviewed change"
        return ReapCandidate(name, "protected", told, owner, upstream, len(held))
    deployed = stacks.deployed_end(held)
    if deployed is not None and deployed > now:
        told = f"{since} in this checkout, but was deployed to end in {ages.about(deployed - now)}: pull"
        return ReapCandidate(name, "newer", told, owner, upstream, len(held))
    begun = backend.stack(name).tags().get(ending.MARK)
    told = f"{since}: {len(held)} resources" + (f"; being destroyed since {begun}" if begun else "")
    return ReapCandidate(name, "over", told, owner, upstream, len(held))


def ended_whole(backend: Backend, checkout: Checkout, one: ReapCandidate, console: Console) -> bool:
    """End one environment; what went wrong is printed, and told its owner in Slack."""
    journal = Journal.of(checkout.root, one.name)
    broken_off = journal.last()
    if broken_off:
        console.print(f"{one.name}: an earlier run broke off in the step {broken_off}; going on")
    try:
        with console.status(f"{one.name}") as status:
            ending.end(backend, one.name, journal, lambda name: status.update(f"{one.name}: {name}"))
    except (BackendError, SandboxError) as error:
        for line in str(error).splitlines():
            console.print(f"{one.name}: {line}", markup=False)
        _tell(f"{one.name} ({one.owner}) could not be ended: {str(error).splitlines()[-1]}", console)
        return False
    journal.close()
    console.print(f"{one.name}: gone, nothing is left of it")
    return True


def take_away(checkout: Checkout, name: str, upstream: str) -> None:
    """Remove the files of an environment from the checkout: the line that names it first, so that it is never alone."""
    for path, text in reversed(files.removal(checkout.stacks, name, upstream).items()):
        if text is None:
            path.unlink(missing_ok=True)
        else:
            replace_file(path, text)


def _warn(backend: Backend, found: list[ReapCandidate], console: Console) -> bool:
    """Warn each owner once for each span. Noted first: a note that cannot be kept would mean a message each hour."""
    good = True
    for one in found:
        if not one.warning:
            continue
        end = one.warning.partition(" ")[0]
        text = (
            f"The environment {one.name} of {one.owner} {one.told.partition(';')[0]}, at {end}, and goes with all that "
            f"is in it. Longer: `atwork environment extend {one.name} --ttl 24h` and a pull request."
        )
        if "SLACK_WEBHOOK_URL" not in os.environ:
            console.print(f"{one.name}: nobody is warned, for SLACK_WEBHOOK_URL is not set")
            continue
        backend.stack(one.name).set_tag(WARNED, one.warning)
        if _tell(text, console):
            console.print(f"{one.name}: warned {one.owner}")
        else:
            backend.stack(one.name).set_tag(WARNED, "")
            good = False
    return good


def _tell(text: str, console: Console, environment: Mapping[str, str] = os.environ) -> bool:
    webhook = environment.get("SLACK_WEBHOOK_URL", "")
    if not webhook:
        return False
    try:
        tell(webhook, text)
    except SlackError as error:
        console.print(str(error), markup=False)
        return False
    return True


def _table(found: list[ReapCandidate]) -> Table:
    table = Table("environment", "owner", "state", "what", box=None, pad_edge=False)
    for one in found:
        table.add_row(one.name, one.owner, one.state, one.told)
    if not found:
        table.add_row("no ephemeral environments", "", "", "")
    return table
