"""Rules between environments: what is wrong only when all stack files are seen together."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Mapping

from components.node_account import STREAMING_SERVICES
from infra import CONFIG_KEY, domain_rules
from infra.delivery.settings import EPHEMERAL
from infra.deployers import DEPLOYER, PREVIEW_DEPLOYER, address
from infra.errors import ConfigError
from infra.promotion import Stage, stage
from infra.stack import StackConfig


def check_together(environments: Mapping[str, StackConfig], invalid: Collection[str] = ()) -> None:
    """Raise `ConfigError` with every mistake that only shows when all environments are seen together.

    `invalid` are names of environments whose files have mistakes of their own: they are not missing.
    """
    mistakes = [
        *_shared_projects(environments),
        *_overlaps(environments),
        *_upstreams(environments, invalid),
        *_deploys(environments, invalid),
        *_deployers(environments),
        *_changes(environments, invalid),
        *_preview_namespaces(environments, invalid),
        *_approvals(environments),
        *_streaming(environments),
        *_attestations(environments),
        *domain_rules.domains(environments),
    ]
    if mistakes:
        raise ConfigError("\n".join(mistakes))


def _shared_projects(environments: Mapping[str, StackConfig]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name, config in environments.items():
        other = seen.setdefault(config.project.id, name)
        if other != name:
            yield (
                f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.project.id: {config.project.id} is the project of {other} "
                "already; each environment needs its own, for workload identity is shared within a project"
            )


def _overlaps(environments: Mapping[str, StackConfig]) -> Iterator[str]:
    """Sort ranges by first address: a range can only overlap the one that reaches furthest so far."""
    shared = {key: _in_the_subnet_of_another(environments, key) for key in ("nodes", "proxies")}
    ranges: list[tuple[ipaddress.IPv4Network, str, str]] = sorted(
        (block, name, key)
        for name, config in environments.items()
        for key, block in config.network.ranges().items()
        if name not in shared.get(key, ())
    )
    widest: tuple[ipaddress.IPv4Network, str, str] | None = None
    for block, name, key in ranges:
        if widest is not None and widest[0].overlaps(block):
            yield (
                f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.network.{key}: {block} overlaps {widest[2]} {widest[0]} "
                f"of {widest[1]}; choose a free range"
            )
        if widest is None or block.broadcast_address > widest[0].broadcast_address:
            widest = (block, name, key)


def _in_the_subnet_of_another(environments: Mapping[str, StackConfig], key: str) -> set[str]:
    """Environments in an existing subnet that another one names too: the range is of both.

    A network has one proxy-only subnet in a region, whatever the subnets of the nodes are.
    """
    first: dict[tuple[object, ...], str] = {}
    shared: set[str] = set()
    for name, config in environments.items():
        block = config.network.ranges().get(key)
        existing = config.network.existing
        if existing is None or block is None:
            continue
        place = (existing.network_id(config.project.id), config.region)
        subnet = place if key == "proxies" else (*place, existing.subnetwork)
        if first.setdefault((*subnet, block), name) != name:
            shared.add(name)
    return shared


def _upstreams(environments: Mapping[str, StackConfig], invalid: Collection[str]) -> Iterator[str]:
    for name, config in environments.items():
        if config.upstream is None or config.upstream in invalid:
            continue
        key = f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.upstream"
        upstream = environments.get(config.upstream)
        if upstream is None:
            yield f"{key}: there is no stacks/Pulumi.{config.upstream}.yaml; name one of {', '.join(environments)}"
        elif upstream.registry is None:
            yield f"{key}: {config.upstream} has no registry; name the stack that has one"


def _deploys(environments: Mapping[str, StackConfig], invalid: Collection[str]) -> Iterator[str]:
    for name, config in environments.items():
        for target in config.deploy_targets():
            if target not in environments and target not in invalid:
                yield (
                    f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.{config.delivery_key}.deploys.{target}: there is no "
                    f"stacks/Pulumi.{target}.yaml; name one of {', '.join(environments)}"
                )


def _deployers(environments: Mapping[str, StackConfig]) -> Iterator[str]:
    """Jenkins deploys as accounts that the environments make, in their own projects."""
    for name, config in environments.items():
        deploys = {} if config.jenkins is None else config.jenkins.deploys
        for target, deploy in deploys.items():
            if target not in environments:
                continue
            previews = None if deploy.preview_namespaces is None else deploy.preview_namespaces.account
            accounts = (
                ("account", deploy.account, DEPLOYER),
                ("preview_namespaces.account", previews, PREVIEW_DEPLOYER),
            )
            for key, stated, account_id in accounts:
                account = address(account_id, environments[target].project.id)
                if stated is not None and stated != account:
                    yield (
                        f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.jenkins.deploys.{target}.{key}: {target} does not "
                        f"make {stated}; write {account}"
                    )


def _changes(environments: Mapping[str, StackConfig], invalid: Collection[str]) -> Iterator[str]:
    """Jenkins updates each environment as an account of this environment."""
    for name, config in environments.items():
        for target in config.updated_by_jenkins() - {*environments, *invalid, EPHEMERAL}:
            yield (
                f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.jenkins.platform.changes.{target}: there is no "
                f"stacks/Pulumi.{target}.yaml; name one of {', '.join(environments)}, {EPHEMERAL}"
            )


def _preview_namespaces(environments: Mapping[str, StackConfig], invalid: Collection[str]) -> Iterator[str]:
    """Both sides state it: the upstream which system deploys to preview namespaces, the environment how many it has."""
    for name, config in environments.items():
        for target, deploy in config.deploy_targets().items():
            there = environments.get(target)
            if deploy.previews and there is not None and there.preview_namespaces is None:
                yield (
                    f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.{config.delivery_key}.deploys.{target}."
                    f"preview_namespaces: stacks/Pulumi.{target}.yaml has no preview_namespaces; add them there, or "
                    "remove this"
                )
        if config.upstream in invalid:
            continue
        upstream = environments.get(config.upstream or "")
        asked = None if upstream is None else upstream.deploy_targets().get(name)
        system = (upstream.delivery_key if upstream is not None else None) or "jenkins"
        if config.preview_namespaces is not None and (asked is None or not asked.previews):
            yield (
                f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.preview_namespaces: nobody deploys to them; add "
                f"{system}.deploys.{name}.preview_namespaces to stacks/Pulumi.{config.upstream}.yaml"
            )


def _approvals(environments: Mapping[str, StackConfig]) -> Iterator[str]:
    """Nothing is deployed to a production environment without a person's approval."""
    for name, config in environments.items():
        for target, deploy in config.deploy_targets().items():
            environment = environments.get(target)
            if environment is None or deploy.approvers != () or stage(environment) is not Stage.PRODUCTION:
                continue
            key = f"{CONFIG_KEY}.{config.delivery_key}.deploys.{target}.approvers"
            yield (
                f"stacks/Pulumi.{name}.yaml: {key}: is empty, and every build would be deployed without approval; "
                f"name at least one person, or set environment.tier: {Stage.TEST} in stacks/Pulumi.{target}.yaml"
            )


def _streaming(environments: Mapping[str, StackConfig]) -> Iterator[str]:
    """Image streaming needs its API in the project that holds the images, too."""
    for name, config in environments.items():
        upstream = environments.get(config.upstream or "")
        if not config.cluster.image_streaming or upstream is None:
            continue
        missing = sorted(set(STREAMING_SERVICES) - {*upstream.services(), *upstream.project.extra_services})
        if missing:
            yield (
                f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.cluster.image_streaming: {config.upstream} holds the images "
                f"and does not have {missing[0]}; set cluster.image_streaming in stacks/Pulumi.{config.upstream}.yaml, "
                "or add the API to its project.extra_services"
            )


def _attestations(environments: Mapping[str, StackConfig]) -> Iterator[str]:
    """Who requires attestations trusts public keys of the environment that signs."""
    for name, config in environments.items():
        upstream = environments.get(config.upstream or "")
        if not config.attested or upstream is None:
            continue
        key = f"stacks/Pulumi.{name}.yaml: {CONFIG_KEY}.binary_authorization.attestation"
        there = f"stacks/Pulumi.{config.upstream}.yaml"
        if upstream.release_signing is None:
            yield f"{key}: nobody signs releases; add release_signing to {there} and update {config.upstream} first"
        elif not upstream.release_signing.public_keys:
            yield (
                f"{key}: no public key is trusted; add release_signing.public_keys to {there} (docs/security.md says "
                "how), or remove this"
            )
