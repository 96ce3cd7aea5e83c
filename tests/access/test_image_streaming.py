"""Image streaming: off by default; when it is on, nodes have the rights that they need in both projects."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from support.cloud import Simulated, projects, simulated

from atwork.access import planned
from atwork.access import simulated as cloud
from atwork.access.model import AccessModel
from atwork.environments.bootstrap import plan as plans
from atwork.errors import ConfigError
from components.node_account import STREAMING_ROLE, STREAMING_SERVICES
from infra.config import STACKS, parse, read_all, read_file
from infra.environment_rules import check_together
from infra.stack import StackConfig

NODES = "serviceAccount:atwork-staging-nodes@acme-at-work-staging.iam.gserviceaccount.com"
USE = "serviceusage.services.use"
CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"


def streaming(stack: str) -> dict[str, Any]:
    settings = json.loads(read_file(STACKS / f"Pulumi.{stack}.yaml") or "")
    return {"cluster": {**settings["cluster"], "image_streaming": True}}


def switches(simulation: Simulated) -> set[bool]:
    """The setting of every pool, and of those that GKE creates."""
    recording = simulation.recording
    cluster = recording.resource(CLUSTER, "cluster-cluster").inputs
    pools = [pool.inputs["nodeConfig"]["gcfsConfig"]["enabled"] for pool in recording.of_type(POOL).values()]
    assert pools
    return {*pools, cluster["nodePoolDefaults"]["nodeConfigDefaults"]["gcfsConfig"]["enabled"]}


def test_it_is_off_in_every_stack(stacks: dict[str, Simulated]) -> None:
    assert {name: switches(simulation) for name, simulation in stacks.items()} == {name: {False} for name in stacks}
    assert not any(STREAMING_SERVICES[0] in config.services() for config in read_all().values())


def test_nodes_may_use_it_in_their_project_and_in_that_of_the_images(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_: object, texts: dict[str, str], **__: object) -> dict[str, StackConfig]:
        return with_streaming("ci") | {name: parse(name, text) for name, text in texts.items()}

    monkeypatch.setattr("infra.environment.read_all", read)
    simulation = simulated("staging", streaming("staging"))
    assert switches(simulation) == {True}
    apis = simulation.recording.of_type("gcp:projects/service:Service").values()
    assert set(STREAMING_SERVICES) <= {api.inputs["service"] for api in apis}
    model = cloud.model(simulation.objects, projects(read_all().values()))
    for project in ("acme-at-work-staging", "acme-at-work-ci"):
        assert model.may(NODES, USE, f"projects/{project}"), project


def test_without_it_nodes_have_no_such_right(stacks: dict[str, Simulated]) -> None:
    model = cloud.model(stacks["staging"].objects, projects(read_all().values()))
    assert not model.may(NODES, USE, "projects/acme-at-work-ci")


def with_streaming(*stacks: str) -> dict[str, StackConfig]:
    return {
        name: StackConfig.model_validate_json(
            json.dumps(
                {
                    **json.loads(read_file(STACKS / f"Pulumi.{name}.yaml") or ""),
                    **(streaming(name) if name in stacks else {}),
                }
            )
        )
        for name in ("ci", "staging", "production")
    }


def test_the_project_of_the_images_must_have_the_api() -> None:
    with pytest.raises(ConfigError, match=r"staging.*image_streaming: ci holds the images .* containerfilesystem"):
        check_together(with_streaming("staging"))
    check_together(with_streaming("staging", "ci"))


def test_bootstrap_lets_the_update_grant_this_one_role_in_the_project_of_the_images(platform: AccessModel) -> None:
    deploy = "serviceAccount:deploy-staging@acme-at-work-admin.iam.gserviceaccount.com"
    plan = plans.read("staging", STACKS)
    assert not platform.may(deploy, "resourcemanager.projects.setIamPolicy", "projects/acme-at-work-ci")
    model = planned.model([replace(plan, config=with_streaming("staging", "ci")["staging"])])
    request = (deploy, "resourcemanager.projects.setIamPolicy", "projects/acme-at-work-ci")
    assert model.may(*request, granted=frozenset({STREAMING_ROLE}))
    assert not model.may(*request, granted=frozenset({STREAMING_ROLE, "roles/artifactregistry.admin"}))
