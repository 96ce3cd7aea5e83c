"""A new environment before it is written: its stack file, checked together with all others."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from atwork.environments import derive, files
from atwork.environments.questions import EnvironmentRequest
from atwork.errors import ConfigError, UsageError
from components.google.locations import known_region
from infra import CONFIG_KEY
from infra.config import check_services, parse, read_file
from infra.environment_rules import check_together
from infra.layout import stack_file
from infra.promotion import release_order
from infra.service_composition import complete
from infra.services import ServiceSettings
from infra.stack import StackConfig
from infra.stack_name import ENVIRONMENT_WORDS, is_environment_name
from infra.yaml_text import read_text

_DIGITS = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Derived:
    """A new environment, checked together with all others; nothing is written yet."""

    name: str
    settings: dict[str, Any]
    config: StackConfig
    """Its settings with every service that runs there."""
    texts: Mapping[Path, str]
    """Its stack file, and the stack file of its upstream with an entry in the deploys."""


def check_name(stacks: Path, name: str) -> None:
    """Raise `UsageError` for an invalid or used name."""
    if not is_environment_name(name):
        raise UsageError(f"{name}: a name has {ENVIRONMENT_WORDS}")
    if stack_file(stacks, name).exists():
        raise UsageError(f"stacks/Pulumi.{name}.yaml: already exists; choose another name")


def check_region(region: str) -> None:
    """Raise `UsageError` for a region that Google does not have."""
    try:
        known_region(region)
    except ValueError as error:
        raise UsageError(f"--region {region}: {error}") from None


def model(environments: Mapping[str, StackConfig], like: str) -> StackConfig:
    """The existing environment whose settings a new one gets."""
    chosen = environments.get(like)
    if chosen is None or chosen.upstream is None:
        able = ", ".join(name for name, config in environments.items() if config.upstream is not None)
        raise UsageError(f"--like {like}: name an environment that reads another one: {able}")
    return chosen


def default_model(environments: Mapping[str, StackConfig]) -> str:
    """The first environment that releases reach; `UsageError` if there is none."""
    names = release_order(environments)
    if not names:
        raise UsageError("--like: no long-lived environment has an upstream; write the stack file by hand")
    return names[0]


def derived(
    stacks: Path,
    wanted: EnvironmentRequest,
    now: datetime,
    environments: Mapping[str, StackConfig],
    services: Mapping[str, ServiceSettings],
) -> Derived:
    """The files of a new environment; `ConfigError` if the program would refuse them."""
    check_name(stacks, wanted.name)
    like = model(environments, wanted.like)
    settings: dict[str, Any] = json.loads(read_file(stack_file(stacks, wanted.like)) or "{}")
    if wanted.region and wanted.region != like.region:
        check_region(wanted.region)
        settings["region"] = wanted.region
        settings["cluster"].pop("zone", None)
    if wanted.kind == "ephemeral":
        settings = derive.ephemeral(settings, created=now, expires=now + derive.span(wanted.ttl))
    else:
        settings = derive.long_lived(settings)
    settings["environment"]["owner"] = wanted.owner
    if wanted.services:
        derive.choose(settings, wanted.services, services)
    settings["project"] = _project(wanted, like)
    taken = [block for config in environments.values() for block in config.network.ranges().values()]
    settings["network"] = {**settings.get("network", {}), **derive.ranges(wanted.kind, taken)}
    config = _checked(wanted.name, settings, environments, services)
    file = stack_file(stacks, like.upstream or "")
    upstream = environments[like.upstream or ""]
    shown = f"stacks/{file.name}"
    entry = _deploy_entry(wanted, settings["project"]["id"], upstream, shown)
    delivery_key = upstream.delivery_key or "jenkins"
    texts = {
        stack_file(stacks, wanted.name): files.text_of(wanted.name, settings, wanted.like),
        file: files.with_deploy(read_text(file, shown), wanted.name, entry, shown, delivery_key),
    }
    return Derived(wanted.name, settings, config, texts)


def _deploy_entry(wanted: EnvironmentRequest, project_id: str, upstream: StackConfig, file: str) -> str:
    """The new environment's entry in the deploys of the upstream's delivery system, in YAML.

    Jenkins deploys as an account of the environment. Another CI system deploys with the identity that deploys to the
    model; an identity that ends with the model's name ends with the new name instead.
    """
    if upstream.external_ci is None:
        target = upstream.deploy_targets().get(wanted.like)
        # The people who approve deploys to the model, and then to the new environment.
        approvers = (target.approvers if target and wanted.kind != "ephemeral" else None) or ()
        approval = f", approvers: [{', '.join(approvers)}]" if approvers else ""
        return f"{{account: {files.deployer(project_id)}{approval}}}"
    deploy = upstream.external_ci.deploys.get(wanted.like)
    if deploy is None:
        key = f"{CONFIG_KEY}.{upstream.delivery_key}.deploys.{wanted.like}"
        raise ConfigError(f"{file}: {key}: missing; add it, because {wanted.name} is deployed to by the same identity")
    head, slash, last = deploy.releases.rpartition("/")
    member = f"{head}{slash}{wanted.name}" if slash and last == wanted.like else deploy.releases
    return f"{{releases: {json.dumps(member)}}}"


def _project(wanted: EnvironmentRequest, like: StackConfig) -> dict[str, Any]:
    if wanted.project:
        return {"id": wanted.project, "number": wanted.number}
    stem = like.project.id.rpartition("-")[0] or like.project.id
    suffix = "".join(secrets.choice(_DIGITS) for _ in range(4))  # the ID of a deleted project is never free again
    return {
        "id": f"{stem}-{wanted.name}"[:25].rstrip("-") + f"-{suffix}",
        "create": {
            "name": f"Environment {wanted.name}"[:30],
            "folder_id": wanted.folder,
            "billing_account": wanted.billing,
        },
        "deletable": wanted.kind == "ephemeral",
    }


def _checked(
    name: str,
    settings: dict[str, Any],
    environments: Mapping[str, StackConfig],
    services: Mapping[str, ServiceSettings],
) -> StackConfig:
    """Check it as the program does: alone, with the others, with every service that runs there."""
    config = parse(name, json.dumps(settings))
    together = {**environments, name: config}
    check_together(together)
    check_services(together, services)
    return complete(name, config, services)
