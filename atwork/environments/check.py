"""`atwork environment check`: checks of the stack files that need no account and no engine.

It runs for everybody's pull requests, forks too. One line for each mistake, with file, key and fix. Notes are advice
and fail nothing: expired environments, and limits of Google Cloud that the catalog exceeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

from rich.console import Console

from atwork.checkout import find_checkout
from atwork.environments import facts, files, lifetime
from atwork.environments.advice import advice, polling_note
from atwork.errors import ConfigError
from atwork.group_files import group_mistakes
from infra import CONFIG_KEY, callers
from infra.catalog import ServiceFiles
from infra.catalog import read_files as read_services
from infra.config import StackFiles, check_exemptions, check_services, read_files
from infra.environment_rules import check_together
from infra.layout import SERVICES_FOLDER, STACKS_FOLDER
from infra.service_composition import complete
from infra.services import ServiceSettings
from infra.stack import StackConfig
from infra.yaml_lines import with_lines


@dataclass(frozen=True)
class Files:
    """The stack files and service files of a checkout."""

    checkout: Path
    stack_files: StackFiles
    service_files: ServiceFiles
    today: date

    @property
    def environments(self) -> Mapping[str, StackConfig]:
        """The valid environments by name."""
        return self.stack_files.environments

    @property
    def services(self) -> Mapping[str, ServiceSettings]:
        """The valid services by name."""
        return self.service_files.services

    @cached_property
    def completed(self) -> tuple[Mapping[str, StackConfig], Sequence[str]]:
        """The environments with their services, and why others have none."""
        completed: dict[str, StackConfig] = {}
        mistakes: list[str] = []
        for name, config in self.environments.items():
            try:
                completed[name] = complete(name, config, self.services)
            except ConfigError as error:
                mistakes += str(error).splitlines()
        return completed, mistakes


def check() -> int:
    """Print every mistake; expired ephemeral environments and exceeded limits are only notes."""
    console = Console(highlight=False, soft_wrap=True)
    checkout = find_checkout().root
    now = datetime.now(UTC)
    seen = Files(checkout, read_files(checkout / STACKS_FOLDER), read_services(checkout / SERVICES_FOLDER), now.date())
    environments, services = seen.environments, seen.services
    mistakes = [*seen.stack_files.mistakes, *seen.service_files.mistakes]
    for rule in CHECKS:
        mistakes += rule(seen)
    for name, config in environments.items():
        if lifetime.is_expired(config, now):
            end = config.environment.expires_at
            console.print(
                f"note: stacks/Pulumi.{name}.yaml: {name} expired at {end:%Y-%m-%d %H:%M} UTC; "
                "`atwork environment reap` destroys it"
            )
    if mistakes:
        console.print(with_lines("\n".join(dict.fromkeys(mistakes)), checkout), markup=False)
        return 1
    polling = (note for name, config in environments.items() if (note := polling_note(name, config)))
    for line in (*polling, *advice(checkout, environments, seen.completed[0], services)):
        console.print(f"note: {line}", markup=False)
    console.print(f"{len(environments)} environments and {len(services)} services: no mistakes.")
    return 0


def _messages(checked: Callable[[], object]) -> Iterator[str]:
    """The lines of the error that a check raises."""
    try:
        checked()
    except ConfigError as error:
        yield from str(error).splitlines()


def _together(seen: Files) -> Iterator[str]:
    """Ranges and projects that two environments share; upstreams and deploys that name no environment."""
    yield from _messages(lambda: check_together(seen.environments, seen.stack_files.invalid))


def _services(seen: Files) -> Iterator[str]:
    """Services in environments that do not exist, and ephemeral environments with services that do not exist."""
    invalid, invalid_services = seen.stack_files.invalid, seen.service_files.invalid
    yield from _messages(lambda: check_services(seen.environments, seen.services, invalid, invalid_services))
    yield from seen.completed[1]


def _callers(seen: Files) -> Iterator[str]:
    """Namespaces whose pods may call a service and that nobody creates."""
    catalog = {*seen.services, *seen.service_files.invalid}
    for name, config in seen.completed[0].items():
        yield from callers.mistakes(name, config, seen.services, catalog)


def _exemptions(seen: Files) -> Iterator[str]:
    """Expired exemptions."""
    for name, config in seen.environments.items():
        yield from _messages(lambda name=name, config=config: check_exemptions(name, config, seen.today))


def _deployed_to(seen: Files) -> Iterator[str]:
    """Each environment has its entry in the deploys of the stack that it reads."""
    for name, config in seen.environments.items():
        upstream = seen.environments.get(config.upstream or "")
        if upstream is None or upstream.delivery_key is None:
            continue
        key = f"stacks/Pulumi.{config.upstream}.yaml: {CONFIG_KEY}.{upstream.delivery_key}.deploys.{name}"
        if name not in upstream.deploy_targets():
            account = files.deployer(config.project.id)
            entry = "releases: IDENTITY" if upstream.jenkins is None else f"account: {account}"
            yield f"{key}: missing; add {{{entry}}}"


def _groups(seen: Files) -> Iterator[str]:
    """Stack files of groups of services: each has services, and a group has a stack everywhere or nowhere."""
    groups = {*seen.service_files.invalid.values()}
    yield from group_mistakes(seen.checkout, seen.environments, seen.services, seen.stack_files.invalid, groups)


def _secrets(seen: Files) -> Iterator[str]:
    """The engine's own lines, which name the key of a stack's secrets."""
    from atwork.environments.bootstrap.stack import secrets_provider_mistakes

    mistakes: list[str] = []
    yield from _messages(
        lambda: mistakes.extend(secrets_provider_mistakes(seen.checkout / STACKS_FOLDER, seen.stack_files))
    )
    yield from mistakes


def _facts(seen: Files) -> Iterator[str]:
    """Files that disagree with the facts about the company, the engine and the project."""
    mistakes: list[str] = []
    yield from _messages(lambda: mistakes.extend(facts.mistakes(seen.checkout, seen.environments, seen.services)))
    yield from mistakes


CHECKS: tuple[Callable[[Files], Iterator[str]], ...] = (
    _together,
    _services,
    _callers,
    _exemptions,
    _deployed_to,
    _groups,
    _secrets,
    _facts,
)
"""All checks in order."""
