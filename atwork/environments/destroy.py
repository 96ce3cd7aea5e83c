"""`atwork environment destroy`: destroys one environment with its groups of services now."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.prompt import Prompt

from atwork.checkout import find_checkout
from atwork.engine import choice
from atwork.environments import guards, stacks
from atwork.environments.destroy_stacks import deployed_groups, destroy_environment
from atwork.environments.lookup import settings_of
from atwork.environments.reap import remove_files
from atwork.environments.remove import offer_removal
from atwork.environments.terminal import is_interactive
from atwork.errors import BackendError, ConfigError, UsageError
from atwork.github import pull_request
from atwork.report.text import listed
from infra.catalog import read_all as services_in
from infra.config import read_all


def destroy(name: str, *, confirmed: str, pr: bool) -> int:
    """Destroy an environment with its groups and remove its files; guards are named and never lifted."""
    checkout, console = find_checkout(), Console(highlight=False, soft_wrap=True)
    environments = read_all(checkout.stacks)
    config = settings_of(name, environments)
    reasons = list(guards.of_file(name, config, environments))
    if reasons:
        raise ConfigError("\n".join([f"{name} is guarded; lift this in a reviewed change and deploy it:", *reasons]))
    repository = pull_request.prepared(checkout.root) if pr else None
    upstream = config.upstream or ""
    with choice.chosen(checkout, console, "atwork environment destroy") as backend:
        groups = deployed_groups(backend, name)
        for stack in (name, *groups):
            backend.recover(stack)
        held = {stack: stacks.resources(backend, stack) for stack in (name, *groups)}
        reasons = list(guards.of_readers(backend, name, groups))
        for stack, resources in held.items():
            where = "" if stack == name else f"{stack}: "
            reasons += [f"{where}{reason}" for reason in guards.of_state(resources)]
        if reasons:
            raise BackendError("\n".join([f"{name} is guarded as it is deployed:", *reasons]))
        project = config.project.id if config.project.create is not None else ""
        for stack in groups:
            console.print(f"{stack}: {len(held[stack])} resources")
        console.print(f"{name}: {len(held[name])} resources" + (f", and the project {project}" if project else ""))
        _confirm(name, groups, config.environment.kind, confirmed, console)
        if not destroy_environment(backend, checkout, name, config.environment.owner, console, groups=groups):
            return 1
    for settings in services_in(checkout.services).values():
        if name in settings.environments:
            console.print(f"{settings.file}: environments.{name} is left; take it out in the same change")
    if repository is not None:
        console.print(offer_removal(repository, checkout, name, upstream))
    else:
        removed = remove_files(checkout, name, upstream)
        console.print(f"{name}: removed {', '.join(removed)} and its line in {upstream}'s; commit that")
    return 0


def _confirm(name: str, groups: Sequence[str], kind: str, confirmed: str, console: Console) -> None:
    """Ask once for the environment and its groups; `UsageError` without consent."""
    all_of_it = f"{name} with {listed(groups, len(groups))}" if groups else name
    if confirmed and confirmed != name:
        raise UsageError(f"--confirm {confirmed}: this is {name}")
    if confirmed:
        return
    if not is_interactive(console):
        raise UsageError(f"there is no terminal for the question; add --confirm {name}")
    if kind == "ephemeral":
        if Prompt.ask(f"Destroy {all_of_it}?", choices=["yes", "no"], default="no", console=console) != "yes":
            raise UsageError(f"{name} stays")
    elif Prompt.ask(f"{name} is long-lived, and nothing of {all_of_it} comes back. Its name", console=console) != name:
        raise UsageError(f"that is not {name}; it stays")
