"""`atwork environment reap`: destroys expired ephemeral environments and warns the owners of the others.

Nothing happens without --apply. What is long-lived, protected or not over is never touched; one that fails keeps its
state and does not stop the rest.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from atwork.checkout import Checkout, find_checkout
from atwork.engine import choice
from atwork.engine.backend import Backend
from atwork.environments import ending, files, lifetime, stacks
from atwork.environments.destroy_stacks import destroy_environment
from atwork.environments.lifetime import ReapCandidate
from atwork.environments.owner_warnings import WARNED, warn_owners
from atwork.errors import ConfigError
from atwork.github import context
from atwork.yaml_edits import write_file
from infra.config import parse, read_file
from infra.layout import STACKS_FOLDER, group_files, stack_files
from infra.stack import StackConfig
from infra.stack_name import StackName
from infra.unread_files import unread_stack_files
from infra.yaml_lines import with_lines

_WRONG = ("protected", "newer", "orphan", "unreadable")


def reap(*, apply: bool, real: bool, gone: Path | None) -> int:
    """List expired environments, and destroy them with `apply`; write the names of those to the file `gone`."""
    if real:
        context.real()
    checkout, console = find_checkout(), Console(highlight=False, soft_wrap=True)
    ended: list[str] = []
    with choice.chosen(checkout, console, "atwork environment reap") as backend:
        candidates = assess(backend, checkout.stacks, datetime.now(UTC))
        # A log has no width, and names must not be cut.
        (console if console.is_terminal else Console(width=200, highlight=False)).print(_table(candidates))
        failed = any(candidate.state in _WRONG for candidate in candidates)
        if apply:
            failed |= not warn_owners(backend, candidates, console)
            for candidate in candidates:
                if candidate.state in ("expired", "files"):
                    done = candidate.state == "files" or destroy_environment(
                        backend, checkout, candidate.name, candidate.owner, console
                    )
                    failed |= not done
                    ended += [candidate.name] if done else []
        elif any(candidate.state in ("expired", "files") or candidate.warning for candidate in candidates):
            console.print("Nothing is done without --apply.")
    for candidate in candidates:
        if candidate.name in ended and gone is None:
            remove_files(checkout, candidate.name, candidate.upstream)
            console.print(
                f"{candidate.name}: removed stacks/Pulumi.{candidate.name}.yaml and its line in {candidate.upstream}'s"
            )
    if gone is not None:
        gone.write_text("".join(f"{name}\n" for name in ended))
    return int(failed)


def assess(backend: Backend, folder: Path, now: datetime) -> list[ReapCandidate]:
    """Every ephemeral environment of the checkout, and every stack of the backend that has no file."""
    there = backend.stacks()
    configs, unreadable = _configs(folder)
    candidates = [ReapCandidate(name, "unreadable", message) for name, message in unreadable.items()]
    for name, config in configs.items():
        if config.environment.kind == "ephemeral":
            candidates.append(_candidate(backend, name, config, now, there=name in there))
    groups = {str(stack) for stack in group_files(folder)}
    for name, count in there.items():
        if name not in configs and name not in unreadable and name not in groups:
            command = "pulumi destroy -s" if StackName.parse(name).group is not None else "atwork environment destroy"
            fix = (
                f"bring its file back from git and `{command} {name}`"
                if count
                else f"it is empty: `pulumi stack rm {name}`"
            )
            candidates.append(ReapCandidate(name, "orphan", f"no stacks/Pulumi.{name}.yaml: {fix}", resources=count))
    return candidates


def _configs(folder: Path) -> tuple[dict[str, StackConfig], dict[str, str]]:
    """Settings of all valid stack files; an invalid file does not stop the others."""
    configs: dict[str, StackConfig] = {}
    unreadable = {file.name: str(file) for file in unread_stack_files(folder)}
    for name, path in stack_files(folder).items():
        try:
            configs[name] = parse(name, read_file(path))
        except ConfigError as error:
            unreadable[name] = with_lines(str(error).splitlines()[0], folder.parent)
    return configs, unreadable


def _candidate(backend: Backend, name: str, config: StackConfig, now: datetime, *, there: bool) -> ReapCandidate:
    end = config.environment.expires_at
    assert end is not None  # noqa: S101 (an ephemeral environment has one, or its file is not read)
    owner, upstream = config.environment.owner, config.upstream or ""
    if end > now:
        warning = lifetime.due_warning(config, now) if there else ""
        if warning and backend.stack(name).tags().get(WARNED) == warning:
            return ReapCandidate(name, "active", f"ends in {lifetime.readable(end - now)}; warned", owner, upstream)
        message = f"ends in {lifetime.readable(end - now)}" + ("; its owner is to be warned" if warning else "")
        return ReapCandidate(name, "active", message, owner, upstream, warning=warning)
    since = f"expired {lifetime.readable(now - end)} ago"
    if not there:
        return ReapCandidate(name, "files", f"{since}, gone; its files are left", owner, upstream)
    held = stacks.resources(backend, name)
    guards = stacks.protected(held)
    if guards:
        message = f"{since}, but protected: {', '.join(guards[:5])}; unprotect it in a reviewed change"
        return ReapCandidate(name, "protected", message, owner, upstream, len(held))
    deployed = stacks.deployed_end(held)
    if deployed is not None and deployed > now:
        message = f"{since} in this checkout, but was deployed to end in {lifetime.readable(deployed - now)}: pull"
        return ReapCandidate(name, "newer", message, owner, upstream, len(held))
    begun = backend.stack(name).tags().get(ending.MARK)
    message = f"{since}: {len(held)} resources" + (f"; being destroyed since {begun}" if begun else "")
    return ReapCandidate(name, "expired", message, owner, upstream, len(held))


def remove_files(checkout: Checkout, name: str, upstream: str) -> list[str]:
    """Remove the files of an environment from the checkout; its entry in the upstream's file first.

    Returns the names of the removed files, such as stacks/Pulumi.staging.yaml.
    """
    texts = files.removal(checkout.stacks, name, upstream)
    for path, text in reversed(texts.items()):
        if text is None:
            path.unlink(missing_ok=True)
        else:
            write_file(path, text)
    return [f"{STACKS_FOLDER}/{path.name}" for path, text in texts.items() if text is None]


def _table(candidates: list[ReapCandidate]) -> Table:
    table = Table("environment", "owner", "state", "what", box=None, pad_edge=False)
    for candidate in candidates:
        table.add_row(candidate.name, candidate.owner, candidate.state, candidate.message)
    if not candidates:
        table.add_row("no ephemeral environments", "", "", "")
    return table
