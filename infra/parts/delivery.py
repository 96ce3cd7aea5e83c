"""How releases arrive: the registry and the delivery system in one environment, access for them in the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi

from components import attestor
from components.access import CANDIDATES, RELEASED, AccessRefs, PlatformAccess, PreviewAccess
from components.attestor import Attestor
from components.binary_authorization import BinaryAuthorization
from components.database_job import JobImages
from components.preview_namespaces import PreviewNamespaces, PreviewNamespaceSettings
from components.registry import ContainerRegistry
from components.repositories import DOCKER_HUB
from infra import contract
from infra.delivery.create import create
from infra.delivery.signing import sign
from infra.environment import Environment
from infra.parts.foundation import Foundation
from infra.parts.gateway import iap_client
from infra.parts.runtime import Runtime


@dataclass(frozen=True)
class Arrival:
    """Who deploys here: into tenants, and into preview namespaces; nobody where ci itself is."""

    released: list[pulumi.Output[str]]
    """Repositories whose images may run, with an attestation if the environment requires one."""
    exempt: Sequence[pulumi.Output[str]] = ()
    """Repositories whose images may run without one."""
    named: pulumi.Input[Sequence[str]] = ()
    """Other images that may run."""
    mirror: pulumi.Input[str] = "docker.io"
    """The address of the mirror of Docker Hub."""
    deployer: pulumi.Output[str] | None = None
    attestor: pulumi.Output[str] | None = None


def make(here: Environment, base: Foundation, runtime: Runtime) -> Arrival:
    """What arrives from where; only images of the registry may run, and those of Jobs for databases."""
    arrival = _downstream(here, base, runtime) if here.config.upstream else _home(here, base, runtime)
    jobs = JobImages.through(arrival.mirror).names({database.engine for database in here.config.databases.values()})
    BinaryAuthorization(
        "images",
        here.config.binary_authorization,
        released=arrival.released,
        exempt=arrival.exempt,
        images=pulumi.Output.all(arrival.named, jobs).apply(lambda named: list(dict.fromkeys([*named[0], *named[1]]))),
        attestor=arrival.attestor,
        cluster=runtime.cluster_provider,
        opts=base.google_options,
    )
    return arrival


def _home(here: Environment, base: Foundation, runtime: Runtime) -> Arrival:
    config = here.config
    if config.registry is None:
        return Arrival([])
    registry = ContainerRegistry(
        "registry",
        config.registry,
        project_id=base.project.id,
        readers={"nodes": pulumi.Output.format("serviceAccount:{0}", runtime.cluster.node_account)},
        key_in=lambda place: base.keys.key("registry", place),
        opts=base.google_options,
    )
    signing = sign(here, base, runtime)
    system = create(here, base, runtime, registry.refs, signing)
    deployers = {} if system is None else dict(system.identities)
    if system is not None:
        pulumi.export("identities", deployers)  # people bind the accounts of this repository's jobs to them
    contract.Platform(
        base.project.id,
        registry.refs.location,
        registry.url,
        pulumi.Output.all(**deployers),
        [] if system is None else system.preview_images,
        None if signing is None else signing.key,
    ).publish()
    pulumi.export("registry", registry.url)
    docker_hub = pulumi.Output.concat(registry.url, "/", DOCKER_HUB)
    return Arrival([registry.url, *registry.old_urls], mirror=docker_hub)


def _downstream(here: Environment, base: Foundation, runtime: Runtime) -> Arrival:
    upstream = contract.Platform.of(here.config.upstream or "")
    access = PlatformAccess(
        "access",
        refs=_access_refs(base, runtime, upstream),
        deployer_principal=upstream.deployer(here.name),
        image_streaming=here.config.cluster.image_streaming,
        opts=base.google_options,
    )
    pulumi.export("registry", upstream.registry_url)
    released = pulumi.Output.concat(upstream.registry_url, "/", RELEASED)
    mirror = pulumi.Output.concat(upstream.registry_url, "/", DOCKER_HUB)
    trusted = _attestor(here, base, upstream) if here.config.attested else None
    arrival = Arrival([released], mirror=mirror, deployer=access.deployer, attestor=trusted)
    if here.config.preview_namespaces is None:
        return arrival
    candidates = _preview_namespaces(here, here.config.preview_namespaces, base, runtime, upstream)
    return replace(arrival, exempt=[candidates], named=upstream.preview_images)


def _attestor(here: Environment, base: Foundation, upstream: contract.Platform) -> pulumi.Output[str]:
    """Who attests releases here, with the public keys in the stack file of the upstream."""
    name = here.config.upstream or ""
    signing = here.others[name].release_signing
    return Attestor(
        "attestor",
        {} if signing is None else signing.public_keys,
        project_id=base.project.id,
        upstream_project=upstream.registry_project,
        key=upstream.trusted_key(name),
        agent=base.agents.members[attestor.AGENT],
        opts=base.google_options,
    ).attestor


def _access_refs(base: Foundation, runtime: Runtime, upstream: contract.Platform) -> AccessRefs:
    return AccessRefs(
        project_id=base.project.id,
        registry_project=upstream.registry_project,
        registry_location=upstream.registry_location,
        node_account=runtime.cluster.node_account,
        connect_role=runtime.access.connect_role,
    )


def _preview_namespaces(
    here: Environment,
    settings: PreviewNamespaceSettings,
    base: Foundation,
    runtime: Runtime,
    upstream: contract.Platform,
) -> pulumi.Output[str]:
    """Where builds of pull requests run; returns the repository whose images run there and nowhere else."""
    access = PreviewAccess(
        "preview-access",
        refs=_access_refs(base, runtime, upstream),
        deployer_principal=upstream.deployer(here.name, previews=True),
        opts=_once("popup-access", "atwork:access:PopupAccess", base.google),
    )
    candidates = pulumi.Output.concat(upstream.registry_url, "/", CANDIDATES)
    PreviewNamespaces(
        "preview-namespaces",
        settings,
        deployer=access.deployer,
        candidates=candidates,
        database_range=here.config.network.nodes,
        owner=here.config.environment.owner,
        domain=here.config.preview_domain,
        iap_client=iap_client(here, base.project.number, runtime.cluster.workload_pool),
        opts=_once("popups", "atwork:popups:Popups", runtime.cluster_provider, base.google),
    )
    return candidates


def _once(name: str, token: str, *providers: pulumi.ProviderResource) -> pulumi.ResourceOptions:
    """Options of a component with its earlier name and type, so that objects whose names stay are not created twice."""
    return pulumi.ResourceOptions(providers=list(providers), aliases=[pulumi.Alias(name=name, type_=token)])
