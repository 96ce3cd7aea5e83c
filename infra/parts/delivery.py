"""How software arrives: the registry and Jenkins where they are, elsewhere the access that they are given."""

from __future__ import annotations

import pulumi

from components.access import PULLED_REPOSITORIES, PlatformAccess
from components.binary_authorization import BinaryAuthorization
from components.jenkins.jobs import DeployJob
from components.jenkins.settings import JenkinsSettings
from components.registry import ContainerRegistry
from infra import contract
from infra.environment import Environment, physical_name, through
from infra.parts.foundation import Foundation
from infra.parts.runtime import Runtime
from infra.services import within


def make(here: Environment, base: Foundation, runtime: Runtime) -> pulumi.Output[str] | None:
    """The account that deploys into this environment, where there is one; only images of the registry may run."""
    images, deployer = _downstream(here, base, runtime) if here.config.upstream else _home(here, base, runtime)
    BinaryAuthorization("images", here.config.binary_authorization, repositories=images, opts=base.cloud)
    return deployer


def _home(here: Environment, base: Foundation, runtime: Runtime) -> tuple[list[pulumi.Output[str]], None]:
    config = here.config
    if config.registry is None:
        return [], None
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
            jobs=_jobs(here, config.jenkins),
            opts=through(base.google, runtime.inside),
        )
        deployers = jenkins.deployers
        pulumi.export("jenkins", jenkins.url)
    contract.Platform(base.project.id, registry.refs.location, registry.url, pulumi.Output.all(**deployers)).publish()
    pulumi.export("registry", registry.url)
    return [registry.url, *registry.old_urls], None


def _jobs(here: Environment, jenkins: JenkinsSettings) -> list[DeployJob]:
    """A job for each service of the catalogue in each environment that it runs in and Jenkins deploys to."""
    return [
        DeployJob(
            service=name,
            environment=environment,
            project=place.project.id,
            location=place.cluster.zone or place.region,
            cluster=physical_name(environment),
            channel=service.channel,
            repository=service.repository,
            host=running.host or "",
            approvers=",".join(sorted(settings.approvers)),
        )
        for name, service in here.services.items()
        for environment, settings in jenkins.deploys.items()
        if (place := here.others[environment])
        and (running := within(environment, place.environment, here.services).get(name)) is not None
    ]


def _downstream(
    here: Environment, base: Foundation, runtime: Runtime
) -> tuple[list[pulumi.Output[str]], pulumi.Output[str]]:
    upstream = contract.Platform.of(here.config.upstream or "")
    access = PlatformAccess(
        "access",
        project_id=base.project.id,
        registry_project=upstream.registry_project,
        registry_location=upstream.registry_location,
        node_account=runtime.cluster.node_account,
        connect_role=runtime.access.connect_role,
        deployer_principal=upstream.deployer(here.name),
        opts=base.cloud,
    )
    pulumi.export("registry", upstream.registry_url)
    return [pulumi.Output.concat(upstream.registry_url, "/", one) for one in PULLED_REPOSITORIES], access.deployer
