"""The questions of `environment new`: only values that are neither on the command line nor in other environments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from atwork.errors import UsageError
from infra.stack import StackConfig

AskText = Callable[[str, str], str]
"""Asks one question with a default ("" where there is none) and returns the answer."""


@dataclass(frozen=True)
class EnvironmentRequest:
    """The values that a person gives; the rest is derived."""

    name: str
    kind: str
    like: str
    owner: str = ""
    ttl: str = "72h"
    region: str = ""
    folder: str = ""
    billing: str = ""
    project: str = ""
    number: str = ""
    services: tuple[str, ...] = ()


def complete(
    wanted: EnvironmentRequest, like: StackConfig, environments: Mapping[str, StackConfig], ask: AskText | None
) -> EnvironmentRequest:
    """The request with the answers; without a terminal (no `ask`), `UsageError` names every missing flag."""
    folder, billing = _places(environments)
    wanted = replace(wanted, folder=wanted.folder or folder, billing=wanted.billing or billing)
    if ask is not None:
        wanted = _asked(wanted, like, ask)
    missing = _missing(wanted)
    if missing:
        raise UsageError(f"{wanted.name}: say {'; '.join(missing)}. There is no terminal to ask on.")
    return wanted


def _asked(wanted: EnvironmentRequest, like: StackConfig, ask: AskText) -> EnvironmentRequest:
    request = wanted
    if not request.region:
        request = replace(request, region=ask("Region", like.region))
    if not request.owner:
        request = replace(request, owner=ask("Team that answers for it", like.environment.owner))
    if request.project:
        number = request.number or ask(f"Number of the project {request.project}", "")
        return replace(request, number=number)
    return replace(
        request,
        folder=ask("Number of the folder for its project", request.folder),
        billing=ask("Billing account that pays", request.billing),
    )


def _missing(wanted: EnvironmentRequest) -> list[str]:
    missing = [] if wanted.owner else ["--owner"]
    if wanted.project and not wanted.number:
        missing.append(f"--number of the project {wanted.project} (`gcloud projects describe {wanted.project}`)")
    elif not wanted.project:
        flags = [
            name for name, value in (("--folder", wanted.folder), ("--billing-account", wanted.billing)) if not value
        ]
        if flags:
            missing.append(f"{' and '.join(flags)} of a new project, or --project and --number of one that exists")
    return missing


def _places(environments: Mapping[str, StackConfig]) -> tuple[str, str]:
    """Folder and billing account of the last environment that created its own project."""
    for config in reversed(list(environments.values())):
        if config.project.create is not None:
            return config.project.create.folder_id, config.project.create.billing_account
    return "", ""
