"""`atwork environment destroy`: destroys one environment now."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.prompt import Prompt

from atwork.checkout import find_checkout
from atwork.engine import choice
from atwork.environments import guards, stacks
from atwork.environments.lifetime import ReapCandidate
from atwork.environments.lookup import settings_of
from atwork.environments.reap import destroy_completely, remove_files
from atwork.environments.remove import offer_removal
from atwork.errors import BackendError, ConfigError, UsageError
from atwork.github import pull_request
from infra.catalog import read_all as services_in
from infra.config import read_all


def destroy(name: str, *, confirmed: str, pr: bool) -> int:
    """Destroy an environment and remove its files; guards are named and never lifted."""
    checkout, console = find_checkout(), Console(highlight=False, soft_wrap=True)
    environments = read_all(checkout.stacks)
    config = settings_of(name, environments)
    reasons = list(guards.of_file(name, config, environments))
    if reasons:
        raise ConfigError("\n".join([f"{name} is guarded; lift this in a reviewed change and deploy it:", *reasons]))
    repository = pull_request.prepared(checkout.root) if pr else None
    with choice.chosen(checkout, console, "atwork environment destroy") as backend:
        backend.recover(name)
        held = stacks.resources(backend, name)
        reasons = [*guards.of_readers(backend, name), *guards.of_state(held)]
        if reasons:
            raise BackendError("\n".join([f"{name} is guarded as it is deployed:", *reasons]))
        project = config.project.id if config.project.create is not None else ""
        console.print(f"{name}: {len(held)} resources" + (f", and the project {project}" if project else ""))
        _confirm(name, config.environment.kind, confirmed, console)
        candidate = ReapCandidate(name, "expired", "", config.environment.owner, config.upstream or "", len(held))
        if not destroy_completely(backend, checkout, candidate, console):
            return 1
    for settings in services_in(checkout.services).values():
        if name in settings.environments:
            console.print(f"{settings.file}: environments.{name} is left; take it out in the same change")
    if repository is not None:
        console.print(offer_removal(repository, checkout, name, config.upstream or ""))
    else:
        remove_files(checkout, name, config.upstream or "")
        console.print(f"{name}: removed stacks/Pulumi.{name}.yaml and its line in {config.upstream}'s; commit that")
    return 0


def _confirm(name: str, kind: str, confirmed: str, console: Console) -> None:
    if confirmed and confirmed != name:
        raise UsageError(f"--confirm {confirmed}: this is {name}")
    if confirmed:
        return
    if not (sys.stdin.isatty() and console.is_terminal):
        raise UsageError(f"there is no terminal for the question; add --confirm {name}")
    if kind == "ephemeral":
        if Prompt.ask(f"Destroy {name}?", choices=["yes", "no"], default="no", console=console) != "yes":
            raise UsageError(f"{name} stays")
    elif Prompt.ask(f"{name} is long-lived, and nothing of it comes back. Its name", console=console) != name:
        raise UsageError(f"that is not {name}; it stays")
