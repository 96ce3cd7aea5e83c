"""A session of builds: the endpoints of Google, the mirror of Docker Hub, and the pods of deploys, until its end."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from atwork.checkout import Checkout
from atwork.containers.errors import ContainerError, check_machine
from atwork.containers.images import image_store
from atwork.containers.official_images import OfficialImage, OfficialImages, base_images
from atwork.containers.stand_ins import STAND_INS, stand_in
from atwork.files import cache_folder
from atwork.pipeline import google_apis, jvm, platform
from atwork.pipeline.google_apis import GoogleApis
from atwork.pipeline.service_databases import ServiceDatabases
from atwork.pipeline.service_redis import ServiceRedis
from atwork.pipeline.session import PipelineSession
from atwork.pipeline.tools import Toolbox, write_login
from atwork.pipeline.workloads import ServedCluster, Workloads
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.claims import claim
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.clusters.running import real_clusters
from atwork.sandbox.endpoints import Endpoints, TokenHolder, serve
from atwork.sandbox.home import Home
from atwork.sandbox.images import official_images
from atwork.toolchain import programs
from components.delivery import StoreName


@contextmanager
def opened(
    checkout: Checkout, home: Home, console: Console, folder: Path, dockerfile: str, *, deploys: bool = False
) -> Generator[PipelineSession]:
    """A session for builds against a sandbox that is up; `folder` keeps logs and workspaces.

    The mirror of Docker Hub contains the base images of the Dockerfile, and the stores of tests. With `deploys`, pods
    that deploys start in real clusters run on this machine.
    """
    check_machine()
    with real_clusters(home, console) as fleet:
        jenkins = platform.read(checkout, home, fleet)
        apis = GoogleApis(Cloud(home.cloud), jenkins.may)
        with (
            google_apis.serve(apis) as address,
            _serving(jenkins, fleet, console, folder, address) as (endpoints, toolbox),
        ):
            mirror = jenkins.environment["DOCKER_HUB"]
            images = mirrored(official_images(home), jenkins.values, mirror, dockerfile, console)
            _fill_mirror(jenkins, endpoints, toolbox, images, folder)
            player = jvm.player(console)
            session = PipelineSession(
                jenkins, endpoints, toolbox, player, checkout.root / "delivery", folder / "builds", console
            )

            def may(principal: str, permission: str, resource: str) -> bool:
                return session.platform.may(principal, permission, resource)  # tests replace the platform

            apis.may = may
            if fleet is None or not deploys:
                yield session
                return
            with _containers(session, home, fleet, folder / "pods") as session.workloads:
                yield session


@contextmanager
def _serving(
    jenkins: platform.JenkinsPlatform, fleet: Fleet | None, console: Console, folder: Path, apis: str
) -> Generator[tuple[Endpoints, Toolbox]]:
    environment = jenkins.environment
    endpoints = Endpoints(
        folder / "endpoints",
        environment["REGISTRY_HOST"],
        environment["REGISTRY_HOST"].partition("-docker.")[0],
        tuple(
            key
            for key, repository in jenkins.repositories.items()
            if (repository.inputs.get("dockerConfig") or {}).get("immutableTags")
        ),
        {each.host: each.endpoint for each in jenkins.clusters if each.endpoint is not None},
        services=dict.fromkeys(google_apis.HOSTS, apis),
    )
    crane, _ = programs.registry(console)
    with image_store(crane, cache_folder() / "unpacked") as images:
        toolbox = Toolbox(programs.helm(console), programs.buildkit(console), cache_folder() / "builds", images)
        if fleet is not None and fleet.real_nodes:  # they pull after the end, too
            with fleet.registry.session(endpoints):
                yield endpoints, toolbox
            return
        try:
            with serve(programs.google_endpoints(console), endpoints):
                yield endpoints, toolbox
        finally:
            shutil.rmtree(endpoints.folder / "blobs", ignore_errors=True)  # hundreds of megabytes for each run


@contextmanager
def _containers(session: PipelineSession, home: Home, fleet: Fleet, folder: Path) -> Generator[Workloads]:
    """Run the pods of the namespaces into which jobs deploy."""
    jenkins, endpoints = session.platform, session.endpoints
    environments = {cluster.identity: cluster for cluster in fleet.clusters()}
    served: list[ServedCluster] = []
    for each in jenkins.clusters:
        if each.endpoint is not None and each.project in jenkins.nodes:
            token = platform.new_token()
            endpoints.holders[token] = jenkins.node(each.project)
            folder_of_login = folder / "logins" / each.project
            login = {
                **endpoints.environment(),
                "DOCKER_CONFIG": str(write_login(folder_of_login, endpoints.registry, token)),
            }
            cluster = environments[each.resource]
            node = fleet.node(cluster) if fleet.real_nodes and cluster.managed else None
            served.append(ServedCluster(cluster.environment, Api(fleet.kubeconfig(cluster)), login, node))
    endpoints.save()
    login = next(each.login for each in served)
    stand_ins: tuple[tuple[type[ServiceDatabases | ServiceRedis], StoreName, str], ...] = (
        (ServiceDatabases, "postgres", "cloud-sql"),
        (ServiceRedis, "redis", "memorystore"),
    )
    workloads = Workloads(
        served,
        Cloud(home.cloud),
        session.toolbox.images,
        endpoints.registry,
        [
            kind(_store(jenkins, store), Cloud(home.cloud), session.toolbox.images.puller(login), folder / name)
            for kind, store, name in stand_ins
        ],
        folder,
        lambda text: session.console.print(text, markup=False),
    )
    workloads.start()
    try:
        with claim(fleet.folder, jenkins.deployed_namespaces()):
            yield workloads
    finally:
        workloads.stop()


def _store(jenkins: platform.JenkinsPlatform, name: StoreName) -> dict[str, Any]:
    """The container of a store in pods of tests."""
    template = yaml.safe_load(jenkins.values["additionalAgents"][f"store-{name}"]["yamlTemplate"])
    [container] = template["spec"]["initContainers"]
    return container


def mirrored(
    fetched: OfficialImages, values: Mapping[str, Any], mirror: str, dockerfile: str, console: Console
) -> dict[str, Path]:
    """Layouts of what a build needs from Docker Hub, by reference: its base images, and the stores of its tests.

    `values` are those of the Jenkins chart. A stack file may choose other images for the stores; the same stand-ins
    take their place.
    """
    library = f"{mirror}/library/"
    images = {f"{library}{image}": fetched.layout(image, console) for image in base_images(dockerfile)}
    for role, template in values["additionalAgents"].items():
        store = role.removeprefix("store-")
        if store == role:
            continue
        [container] = yaml.safe_load(template["yamlTemplate"])["spec"]["initContainers"]
        reference = container["image"].partition("@")[0]
        official = OfficialImage.find(reference.removeprefix(library))
        layout = None if official is None else fetched.fetched(official)
        if layout is None and store in STAND_INS:
            layout = stand_in(store, console)
        if layout is not None:  # else the build that asks for it says so
            images[reference] = layout
    return images


def _fill_mirror(
    jenkins: platform.JenkinsPlatform,
    endpoints: Endpoints,
    toolbox: Toolbox,
    images: Mapping[str, Path],
    folder: Path,
) -> None:
    """Put images into the mirror of Docker Hub, as Artifact Registry fetches them."""
    mirror = jenkins.environment["DOCKER_HUB"]
    repository = mirror.partition("/")[2]
    verbs = [f"artifactregistry.repositories.{verb}Artifacts" for verb in ("download", "upload")]
    token = platform.new_token()
    endpoints.holders[token] = TokenHolder("serviceAccount:mirror", {repository: verbs})
    endpoints.save()
    login = write_login(folder / "mirror", endpoints.registry, token)
    variables = {**os.environ, **endpoints.environment(), "DOCKER_CONFIG": str(login)}
    for reference, layout in images.items():
        command = [str(toolbox.images.crane), "push", str(layout), reference]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:]
            raise ContainerError(f"{reference}: cannot be put into the mirror: {''.join(last)}")
    del endpoints.holders[token]
    endpoints.save()
