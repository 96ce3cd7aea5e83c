"""Contents of the simulated Google Cloud after an update: the program under mocks, with IDs and computed values of the
simulation, without an engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from support.mocks import Recording
from support.program import PLATFORM, cloud, run_stack

from atwork.access import simulated as access
from atwork.access.duties.model import EnvironmentFacts
from atwork.sandbox.cloud import CloudObject
from atwork.sandbox.provider.gcp.outputs import computed_outputs
from atwork.sandbox.provider.gcp.package import GoogleCloud
from atwork.sandbox.provider.package import ResourceRequest
from components.identity import PRINCIPAL
from components.jenkins import names
from infra.catalog import read_all as read_services
from infra.config import STACKS, read_all
from infra.layout import SERVICES_FOLDER
from infra.service_composition import complete
from infra.services import behind_proxy
from infra.stack import StackConfig

_REFERENCE = "pulumi:pulumi:StackReference"


def projects(environments: Iterable[StackConfig]) -> dict[str, str]:
    """Numbers of the projects that stack files adopt, by id."""
    return {config.project.id: config.project.number for config in environments if config.project.number is not None}


def facts(simulations: Mapping[str, Simulated], configs: Mapping[str, StackConfig]) -> dict[str, EnvironmentFacts]:
    """What the duties in the environments depend on."""
    catalog = read_services(STACKS.parent / SERVICES_FOLDER)
    by_name: dict[str, EnvironmentFacts] = {}
    for name, simulation in simulations.items():
        project = configs[name].project
        agents = access.agents(simulation.objects, project.id, project.number or "")
        keys = access.keys(simulation.objects, project.id)
        proxied = behind_proxy(name, configs[name].environment, catalog)
        by_name[name] = EnvironmentFacts(name, complete(name, configs[name], catalog), agents, keys, proxied)
    return by_name


class Simulated(NamedTuple):
    """The Google objects of one stack, and everything that the program declared."""

    objects: list[CloudObject]
    recording: Recording


def simulated(
    stack: str, change: dict[str, Any] | None = None, environments: Mapping[str, StackConfig] | None = None
) -> Simulated:
    """The result of an update of one stack; `change` replaces top-level parts of its settings.

    The identities that deploy come from `environments`, by default those of this repository.
    """
    configs = environments or read_all()
    config = configs[stack]
    upstream = configs[config.upstream or stack]
    objects: list[CloudObject] = []

    def outputs(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        if token == _REFERENCE:
            return {"outputs": {"platform": {**PLATFORM, "deployers": _deployers(upstream)}}}
        if not token.startswith("gcp:"):
            return cloud(token, name, inputs)
        urn = f"urn:pulumi:{stack}::atwork::{token}::{name}"
        request = ResourceRequest(token, urn, {"project": config.project.id, "region": config.region}, inputs)
        request = ResourceRequest(token, urn, request.config, GoogleCloud().complete(request, {}, b"seed"))
        scope, identity = GoogleCloud().identity(request)
        state = {**request.inputs, **computed_outputs(request, identity)}
        objects.append(CloudObject(scope, token, identity, urn, request.inputs, state))
        return state

    return Simulated(objects, run_stack(stack, change, outputs=outputs))


def _deployers(upstream: StackConfig) -> dict[str, str]:
    if upstream.external_ci is not None:
        return upstream.external_ci.identities()
    jenkins = upstream.jenkins
    pool = f"{upstream.project.id}.svc.id.goog"
    return {
        cloud: PRINCIPAL.format(upstream.project.number, pool, names.target_namespace(cloud), names.DEPLOY_ACCOUNT)
        for cloud in (jenkins.targets() if jenkins is not None else ())
    }
