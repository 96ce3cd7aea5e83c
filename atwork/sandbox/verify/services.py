"""The pods of services, also in preview namespaces: the chart of the template with the values of a deploy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from atwork.errors import ConfigError, SandboxError
from atwork.sandbox.verify import charts
from atwork.sandbox.verify.binary_authorization import EXAMPLE_DIGEST
from atwork.sandbox.verify.environments import EnvironmentObjects, Object
from atwork.sandbox.verify.model import Pod, PodFinding, Role
from atwork.services.new import NewService
from atwork.services.new import render as render_repository
from components.jenkins import stores
from components.jenkins.registry import Addresses, Images
from components.preview_admission import LABEL
from infra.services import ServiceEnvironmentSettings, ServiceSettings, within
from infra.stack import StackConfig

_PARALLEL = 4


@dataclass(frozen=True)
class ChartContext:
    """The common input of all charts of services."""

    helm: Path
    delivery: Path
    """The folder `delivery` of the checkout."""
    stacks: Mapping[str, StackConfig]
    services: Mapping[str, ServiceSettings]
    scratch: Path
    """A folder for rendered repositories."""

    def registry(self, stack: str) -> Addresses:
        """The registry that a stack pulls from."""
        config = self.stacks[stack]
        home = self.stacks[config.upstream] if config.upstream else config
        if home.registry is None:
            raise ConfigError(f"stacks/Pulumi.{stack}.yaml: upstream: {config.upstream} has no registry; correct it")
        keys = {"candidates": "candidates", "services": "services", "charts": "charts", "cache": "cache"}
        return Addresses.at(home.registry.location, home.project.id, {**keys, "docker_hub": "docker-hub"})

    def chart(self, name: str) -> Path:
        """The chart in the repository that `atwork service new` makes for a service."""
        folder = self.scratch / name
        if not folder.exists():
            service = self.services[name]
            wanted = NewService(
                name, service.repository, service.owner, service.channel, service.stores, (), service.secrets
            )
            render_repository(wanted, self.stacks, folder)
        return folder / "chart"


@dataclass(frozen=True)
class Rendered:
    """Pods and objects of the charts of an environment, and findings for charts that do not render."""

    pods: Sequence[Pod]
    objects: Sequence[Object]
    findings: Sequence[PodFinding]


@dataclass(frozen=True)
class _Release:
    """A chart, and the role of its pods."""

    chart: charts.Chart
    role: Role
    traits: set[str]
    turn: str = ""


def read(platform: ChartContext, environment: EnvironmentObjects) -> Rendered:
    """All services of an environment, and a build of a service in each of its preview namespaces."""
    releases = [*_services(platform, environment), *_previews(platform, environment)]
    with ThreadPoolExecutor(_PARALLEL) as threads:
        results = list(threads.map(lambda release: _rendered(platform.helm, release.chart), releases))
    pods: list[Pod] = []
    objects: list[Object] = []
    findings: list[PodFinding] = []
    for release, result in zip(releases, results, strict=True):
        if isinstance(result, charts.ChartRefused):
            findings.append(
                charts.refused(environment.name, f"{release.chart.namespace}/{release.chart.release}", result)
            )
        else:
            objects += result
            pods += charts.pods(environment.name, result, release.role, release.traits, release.turn)
    return Rendered(pods, objects, findings)


def _rendered(helm: Path, chart: charts.Chart) -> list[Object] | charts.ChartRefused:
    try:
        return charts.render(helm, chart)
    except charts.ChartRefused as error:
        return error


def _services(platform: ChartContext, environment: EnvironmentObjects) -> Iterator[_Release]:
    config = platform.stacks[environment.name]
    passed = passed_by(platform.delivery / "vars" / "helmRelease.groovy", "Map open(")
    for name, place in within(environment.name, config.environment, platform.services).items():
        values = {"environment": environment.name, "host": place.host or "", "project": config.project.id}
        image = f"{platform.registry(environment.name).services}/{name}"
        chart = _chart(platform, name, name, image, values, passed, environment.name)
        yield _Release(chart, "service", _traits(platform.services[name], place))


def _previews(platform: ChartContext, environment: EnvironmentObjects) -> Iterator[_Release]:
    config = platform.stacks[environment.name]
    upstream = platform.stacks.get(config.upstream or "")
    if config.preview_namespaces is None or upstream is None or upstream.jenkins is None:
        return
    registry = platform.registry(environment.name)
    images = Images(registry.docker_hub, upstream.jenkins.images)
    passed = passed_by(platform.delivery / "vars" / "previews.groovy", "void install(")
    runs = within(environment.name, config.environment, platform.services)
    services = {name: platform.services[name] for name in runs if platform.services[name].ephemeral is not None}
    namespaces = [name for name in environment.namespaces() if (environment.labels_of(name) or {}).get(LABEL) == "true"]
    names = list(services)
    # A namespace has one service at a time: each namespace gets a service, and each service gets a turn.
    for number in range(max(len(names), len(namespaces)) if names and namespaces else 0):
        name, namespace = names[number % len(names)], namespaces[number % len(namespaces)]
        service = services[name]
        lease = {
            "service": name,
            "pull": "1",
            "expires": "1800000000",
            "project": config.project.id,
            "stores": {store: stores.shared(store, images[store]) for store in service.stores},
        }
        lease_chart = charts.Chart(platform.delivery / "resources" / "preview", "lease", namespace, values=lease)
        yield _Release(lease_chart, "store", set(), turn=name)
        host = "" if config.preview_domain is None else f"{name}-pr-1.{config.preview_domain}"
        values = {"environment": "preview", "host": host, "project": config.project.id}
        image = f"{registry.candidates}/{name}"
        chart = _chart(platform, name, namespace, image, values, passed, "preview")
        traits = {f"store-{store}" for store in service.stores} | ({"gateway"} if host else set())
        yield _Release(chart, "service", traits, turn=name)


def _chart(
    platform: ChartContext,
    name: str,
    namespace: str,
    image: str,
    values: Mapping[str, str],
    passed: set[str],
    environment: str,
) -> charts.Chart:
    folder = platform.chart(name)
    own = folder / f"values-{environment}.yaml"
    return charts.Chart(
        folder,
        name,
        namespace,
        files=[own] if own.exists() else [],
        values={"image": {"repository": image, "digest": EXAMPLE_DIGEST}},
        strings={key: value for key, value in values.items() if key in passed},
    )


def passed_by(pipeline: Path, function: str) -> set[str]:
    """The values that a function of the pipeline library passes to the chart of a service by --set-string."""
    _, match, text = pipeline.read_text().partition(function)
    if not match:
        raise SandboxError(f"{pipeline}: there is no `{function}`; verify reads there what a deploy passes")
    body = re.split(r"^}", text, maxsplit=1, flags=re.MULTILINE)[0]
    return {key for words in re.findall(r"--set-string (\S+)", body) for key in re.findall(r"(?:^|,)(\w+)=", words)}


def _traits(service: ServiceSettings, place: ServiceEnvironmentSettings) -> set[str]:
    traits = {f"internet-{port}" for port in service.traffic.internet_ports}
    if service.database is not None:
        traits.add("database")
    if service.redis_in(place) is not None:
        traits.add("redis")
    if place.host is not None:
        traits.add("gateway")
    return traits


def example_image(platform: ChartContext, stack: str) -> str:
    """A candidate as a test of ci runs it."""
    return f"{platform.registry(stack).candidates}/example@{EXAMPLE_DIGEST}"
