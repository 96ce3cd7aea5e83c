"""How software arrives: the registry and Jenkins where they are, elsewhere the access that they are given."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.access import CANDIDATES, PULLED_REPOSITORIES, PlatformAccess, PopupAccess
from components.binary_authorization import BinaryAuthorization
from components.jenkins.jobs import DeployJob, Job, PopupJob
from components.jenkins.settings import JenkinsSettings
from components.popups import Popups, PopupSettings
from components.registry import ContainerRegistry
from infra import contract
from infra.environment import Environment, physical_name, through
from infra.parts.foundation import Foundation
from infra.parts.runtime import Runtime
from infra.services import ServiceSettings, within
from infra.stack import StackConfig


@dataclass(frozen=True)
class Delivery:
    """Who deploys here: into tenants, and into popup namespaces; nobody where ci itself is."""

    images: list[pulumi.Output[str]]
    """Repositories whose images may run."""
    deployer: pulumi.Output[str] | None = None


def make(here: Environment, base: Foundation, runtime: Runtime) -> pulumi.Output[str] | None:
    """The account that deploys into this environment, where there is one; only images of the registry may run."""
    made = _downstream(here, base, runtime) if here.config.upstream else _home(here, base, runtime)
    BinaryAuthorization("images", here.config.binary_authorization, repositories=made.images, opts=base.cloud)
    return made.deployer


def _home(here: Environment, base: Foundation, runtime: Runtime) -> Delivery:
    config = here.config
    if config.registry is None:
        return Delivery([])
    registry = ContainerRegistry(
        "registry",
        config.registry,
        project_id=base.project.id,
        readers={"nodes": pulumi.Output.format("serviceAccount:{0}", runtime.cluster.node_account)},
        key_in=lambda place: base.keys.key("registry", place),
        opts=base.cloud,
    )
    deployers: dict[str, pulumi.Output[str]] = {}
    if config.jenkins is not None:
        from components.jenkins import Jenkins  # the largest SDK module is only loaded where Jenkins runs

        jenkins = Jenkins(
            "jenkins",
            config.jenkins,
            project_number=base.project.number,
            workload_pool=runtime.cluster.workload_pool,
            registry=registry.refs,
            source=here.source,
            jobs=_jobs(here, config.jenkins),
            opts=through(base.google, runtime.inside),
        )
        deployers = jenkins.identities
        pulumi.export("jenkins", jenkins.url)
        pulumi.export("identities", jenkins.identities)  # people bind the accounts of this repository's jobs to them
    contract.Platform(base.project.id, registry.refs.location, registry.url, pulumi.Output.all(**deployers)).publish()
    pulumi.export("registry", registry.url)
    return Delivery([registry.url, *registry.old_urls])


def _jobs(here: Environment, jenkins: JenkinsSettings) -> list[Job]:
    """A job for each service of the catalogue in each environment that it runs in and Jenkins deploys to."""
    return [*_deploys(here, jenkins), *_popups(here, jenkins)]


def _deploys(here: Environment, jenkins: JenkinsSettings) -> list[DeployJob]:
    return [
        DeployJob(
            **_about(name, service, environment, place),
            host=running.host or "",
            approvers=",".join(sorted(settings.approvers)),
        )
        for name, service in here.services.items()
        for environment, settings in jenkins.deploys.items()
        if (place := here.others[environment])
        and (running := within(environment, place.environment, here.services).get(name)) is not None
    ]


def _about(name: str, service: ServiceSettings, environment: str, place: StackConfig) -> dict[str, str]:
    """What every job says of a service and of where it goes."""
    return {
        "service": name,
        "environment": environment,
        "project": place.project.id,
        "location": place.cluster.zone or place.region,
        "cluster": physical_name(environment),
        "channel": service.channel,
        "repository": service.repository,
    }


def _popups(here: Environment, jenkins: JenkinsSettings) -> list[PopupJob]:
    """One for each service of the environment with popups; `popup: null` keeps a service out of these too."""
    found = jenkins.popups()
    if found is None:
        return []
    environment, settings = found
    place = here.others[environment]
    return [
        PopupJob(
            **_about(name, service, environment, place),
            namespaces=place.popups.namespaces if place.popups else 0,
            hours=settings.hours,
            stores=service.stores,
        )
        for name, service in here.services.items()
        if service.popup is not None and name in within(environment, place.environment, here.services)
    ]


def _downstream(here: Environment, base: Foundation, runtime: Runtime) -> Delivery:
    upstream = contract.Platform.of(here.config.upstream or "")
    access = PlatformAccess(
        "access",
        project_id=base.project.id,
        registry_project=upstream.registry_project,
        registry_location=upstream.registry_location,
        node_account=runtime.cluster.node_account,
        connect_role=runtime.access.connect_role,
        deployer_principal=upstream.deployer(here.name),
        image_streaming=here.config.cluster.image_streaming,
        opts=base.cloud,
    )
    pulumi.export("registry", upstream.registry_url)
    images = [pulumi.Output.concat(upstream.registry_url, "/", one) for one in PULLED_REPOSITORIES]
    if here.config.popups is not None:
        images.append(_popup_namespaces(here, here.config.popups, base, runtime, upstream))
    return Delivery(images, access.deployer)


def _popup_namespaces(
    here: Environment, settings: PopupSettings, base: Foundation, runtime: Runtime, upstream: contract.Platform
) -> pulumi.Output[str]:
    """Where builds of pull requests run; returns the repository whose images run there and nowhere else."""
    access = PopupAccess(
        "popup-access",
        project_id=base.project.id,
        registry_project=upstream.registry_project,
        registry_location=upstream.registry_location,
        node_account=runtime.cluster.node_account,
        connect_role=runtime.access.connect_role,
        deployer_principal=upstream.deployer(here.name, popups=True),
        opts=base.cloud,
    )
    candidates = pulumi.Output.concat(upstream.registry_url, "/", CANDIDATES)
    Popups(
        "popups",
        settings,
        deployer=access.deployer,
        candidates=candidates,
        database_range=here.config.network.nodes,
        owner=here.config.environment.owner,
        opts=through(runtime.inside),
    )
    return candidates
