"""What the simulated Google Cloud holds after an update of real stacks: the program under mocks, with the simulation's
own ids and computed values, and no engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from support.mocks import Recording
from support.program import PLATFORM, cloud, run_stack

from atwork.sandbox.cloud import CloudObject
from atwork.sandbox.provider.gcp import GoogleCloud
from atwork.sandbox.provider.gcp.outputs import computed
from atwork.sandbox.provider.package import Request
from components.identity import PRINCIPAL
from components.jenkins import names
from infra.config import STACKS, read_all
from infra.stack import StackConfig

_REFERENCE = "pulumi:pulumi:StackReference"


def projects(environments: Iterable[StackConfig]) -> dict[str, str]:
    """Numbers of the projects that stack files adopt, by id."""
    return {one.project.id: one.project.number for one in environments if one.project.number is not None}


def simulated(stack: str, change: dict[str, Any] | None = None) -> tuple[list[CloudObject], Recording]:
    """The Google objects of one stack, and all that the program declared."""
    environments = read_all()
    config = environments[stack]
    upstream = environments[config.upstream or stack]
    objects: list[CloudObject] = []

    def outputs(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        if token == _REFERENCE:
            return {"outputs": {"platform": {**PLATFORM, "deployers": _deployers(upstream)}}}
        if not token.startswith("gcp:"):
            return cloud(token, name, inputs)
        urn = f"urn:pulumi:{stack}::atwork::{token}::{name}"
        request = Request(token, urn, {"project": config.project.id, "region": config.region}, inputs)
        request = Request(token, urn, request.config, GoogleCloud().completed(request, {}, b"seed"))
        scope, identity = GoogleCloud().identity(request)
        made = {**request.inputs, **computed(request, identity)}
        objects.append(CloudObject(scope, token, identity, urn, request.inputs, made))
        return made

    return objects, run_stack(stack, change, outputs=outputs)


def all_simulated() -> list[CloudObject]:
    """The Google objects of every stack of the checkout."""
    return [one for path in sorted(STACKS.glob("Pulumi.*.yaml")) for one in simulated(path.stem.partition(".")[2])[0]]


def _deployers(upstream: StackConfig) -> dict[str, str]:
    jenkins = upstream.jenkins
    pool = f"{upstream.project.id}.svc.id.goog"
    return {
        cloud: PRINCIPAL.format(upstream.project.number, pool, names.target_namespace(cloud), names.DEPLOY_ACCOUNT)
        for cloud in (jenkins.targets() if jenkins is not None else ())
    }
