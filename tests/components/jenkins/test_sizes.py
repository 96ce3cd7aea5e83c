"""With all sizes that settings allow, every pod is valid and its namespace admits it.

Resources are completed as in a cluster: Helm merges the chart's defaults, then the LimitRange of the namespace applies.
Then requests must be at most limits, and the quota must have room for as many pods as Jenkins starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.jenkins import ADDRESSES, JOBS, LEAST, SOURCE, settings
from support.mocks import record

from components.jenkins import names, sizes
from components.jenkins.controller import controller_namespace
from components.jenkins.settings import JenkinsSettings
from components.jenkins.values import helm_values
from components.namespace import ContainerDefaultSettings, Namespace, NamespaceSettings

ROOT = Path(__file__).parents[3]
DEFAULTS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "chart" / "defaults.yaml").read_text())["defaults"]
KEYS = ("cpu", "memory", "ephemeral-storage")
# Random sizes rarely fit together, and these tests skip settings that are refused.
MANY = hypothesis.settings(max_examples=50, suppress_health_check=[hypothesis.HealthCheck.filter_too_much])
Amounts = dict[str, int]

cpus = st.one_of(
    st.integers(0, 64_000).map(lambda count: f"{count}m"),
    st.integers(0, 64_000).map(lambda count: f"{count / 1000:.3f}"),
    st.integers(0, 64).map(str),
)
memories = st.one_of(
    st.integers(1, 2**20).map(lambda count: f"{count}Mi"), st.integers(1, 2000).map(lambda n: f"{n}Gi")
)
quotas = st.fixed_dictionaries(
    {"cpu": cpus, "memory": memories, "scratch": memories, "pods": st.integers(1, 200), "volumes": st.integers(0, 3)}
)


roomy = st.fixed_dictionaries(
    {
        "cpu": st.integers(1, 20_000).map(str),
        "memory": st.integers(1, 10**6).map(lambda count: f"{count}Gi"),
        "scratch": st.integers(1, 10**6).map(lambda count: f"{count}Gi"),
        "pods": st.integers(1, 1000),
    }
)
"""Quotas with room for most builds, but not for all."""


def amount(key: str, text: str) -> int:
    return sizes.millis(text) if key == "cpu" else sizes.mebibytes(text)


def completed(resources: Mapping[str, Any], defaults: ContainerDefaultSettings) -> tuple[Amounts, Amounts]:
    """Requests and limits of a container with the defaults of the LimitRange.

    https://kubernetes.io/docs/concepts/policy/limit-range: a missing request is the container's own limit, or the
    default request without a limit.
    """
    requests, limits = dict(resources.get("requests", {})), dict(resources.get("limits", {}))
    filled = {"memory": defaults.memory, "ephemeral-storage": defaults.scratch}
    requests = {"cpu": defaults.cpu, **filled, **limits, **requests}
    limits = {**filled, **limits}
    return (
        {key: amount(key, requests[key]) for key in KEYS},
        {key: amount(key, limits[key]) for key in KEYS if key in limits},
    )


def assert_admitted(
    containers: Iterable[Mapping[str, Any]],
    namespace: NamespaceSettings,
    count: int,
    first: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Every container is valid, and `count` pods fit; `first` are init containers, which run before, one at a time."""
    running = [completed(resources, namespace.container_defaults) for resources in containers]
    before = [completed(resources, namespace.container_defaults) for resources in first]
    for requests, limits in (*running, *before):
        assert all(requests[key] <= limit for key, limit in limits.items()), (requests, limits)
    quota = {"cpu": namespace.quota.cpu, "memory": namespace.quota.memory, "ephemeral-storage": namespace.quota.scratch}
    assert count <= namespace.quota.pods
    for key in KEYS:
        side = 0 if key == "cpu" else 1
        total = max(sum(amounts[side][key] for amounts in running), *(amounts[side][key] for amounts in before), 0)
        assert count * total <= amount(key, quota[key]), (key, count, total)


def accepted(**changes: object) -> JenkinsSettings:
    """Settings that the rules of the stack file accept."""
    try:
        return settings(LEAST, **changes)
    except ValidationError:
        assume(False)
        raise


def merged(path: str, ours: Mapping[str, Any]) -> dict[str, Any]:
    """Resources as Helm merges them with the chart's."""
    resources: dict[str, Any] = {kind: dict(amounts) for kind, amounts in ours.items()}
    for key, value in DEFAULTS.items():
        if key.startswith(f"{path}."):
            kind, name = key.removeprefix(f"{path}.").split(".")
            resources.setdefault(kind, {}).setdefault(name, value)
    return resources


def kubernetes_keys(resources: Mapping[str, Any]) -> dict[str, Any]:
    """The agent's resources, whose scratch disk the chart calls ephemeralStorage."""
    return {
        kind: {"ephemeral-storage" if key == "ephemeralStorage" else key: value for key, value in amounts.items()}
        for kind, amounts in resources.items()
    }


def spec_of(template: Mapping[str, Any]) -> dict[str, Any]:
    return yaml.safe_load(template["yamlTemplate"])["spec"]


def containers_of(values: Mapping[str, Any], *specs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Resources of the agent's container and of all others in these specs."""
    agent = kubernetes_keys(merged("agent.resources", values["agent"]["resources"]))
    containers = [item for spec in specs for key in ("initContainers", "containers") for item in spec.get(key, [])]
    return [agent, *(container["resources"] for container in containers if container["name"] != "jnlp")]


@MANY
@given(cpu=cpus, memory=memories)
def test_the_controller_of_every_size_is_admitted(cpu: str, memory: str) -> None:
    chosen = accepted(controller={"cpu": cpu, "memory": memory})
    controller = helm_values(chosen, ADDRESSES, SOURCE, JOBS)["controller"]
    running = [
        merged("controller.resources", controller["resources"]),
        controller["sidecars"]["configAutoReload"]["resources"],
    ]
    assert_admitted(running, controller_namespace(chosen.controller), 1, [controller["initContainerResources"]])


@MANY
@given(
    build=st.fixed_dictionaries({"cpu": cpus, "memory": memories, "scratch": memories}),
    quota=roomy,
    agents=st.integers(1, 100),
)
def test_builds_of_every_size_are_admitted(build: dict[str, str], quota: dict[str, Any], agents: int) -> None:
    chosen = accepted(max_agents=agents, builds={**build, "quota": quota}, test_quota=LARGE)
    values = helm_values(chosen, ADDRESSES, SOURCE, JOBS)
    containers = containers_of(values, spec_of(values["additionalAgents"]["build"]))
    assert_admitted(containers, NamespaceSettings(quota=chosen.builds.quota), values["agent"]["containerCap"])


@MANY
@given(quota=roomy, agents=st.integers(1, 100), stores=st.sets(st.sampled_from(sorted(sizes.STORES))))
def test_tests_with_all_stores_are_admitted(quota: dict[str, Any], agents: int, stores: set[str]) -> None:
    chosen = accepted(max_agents=agents, test_quota=quota, stores=sorted(stores), builds={"quota": LARGE})
    values = helm_values(chosen, ADDRESSES, SOURCE, JOBS)
    specs = [spec_of(values["additionalAgents"][f"store-{store}"]) for store in chosen.stores]
    containers = [*containers_of(values, *specs), sizes.APP]
    assert_admitted(containers, NamespaceSettings(quota=chosen.test_quota), values["agent"]["containerCap"])


@MANY
@given(quota=quotas)
def test_restricted_clouds_start_only_pods_that_fit_their_quota(quota: dict[str, Any]) -> None:
    chosen = accepted(
        deploys={"staging": {"quota": quota, "preview_namespaces": {"quota": quota}}},
        platform={
            "bot": "b",
            "previews": {"quota": quota},
            "drift": {"quota": quota},
            "changes": {"staging": {"quota": quota}},
        },
        promote_quota=quota,
    )
    values = helm_values(chosen, ADDRESSES, SOURCE, JOBS)
    assert set(values["additionalClouds"]) == {
        "deploy-staging",
        "previews-staging",
        names.PROMOTE_CLOUD,
        names.PREVIEW_CLOUD,
        names.DRIFT_CLOUD,
        names.change_cloud("staging"),
    }
    for cloud, target in chosen.targets().items():
        agent = values["additionalClouds"][cloud]["agent"]
        assert agent["containerCap"] >= 1
        containers = containers_of(values, spec_of(agent))
        assert_admitted(containers, NamespaceSettings(quota=target.quota), agent["containerCap"])


LARGE = {"cpu": "10000", "memory": "900Ti", "scratch": "900Ti", "pods": 1000}


def test_the_chart_merges_a_limit_of_its_own_into_requests_alone() -> None:
    """The fault that these tests prevent: a request of four cores with the chart's limit of two."""
    before = merged("controller.resources", {"requests": {"cpu": "4", "memory": "4Gi"}, "limits": {"memory": "4Gi"}})
    assert before["limits"]["cpu"] == "2000m"
    with pytest.raises(AssertionError):
        assert_admitted([before], controller_namespace(settings().controller), 1)


def test_a_quota_without_room_for_a_pod_is_refused() -> None:
    small = {"cpu": "300m", "memory": "8Gi", "scratch": "20Gi", "pods": 10}
    message = r"quota\.cpu of deploy-staging has no room for one pod of 400m: write 1 or more"
    with pytest.raises(ValidationError, match=message):
        settings(LEAST, deploys={"staging": {"quota": small}})
    message = r"test_quota\.memory has no room for 40 tests \(max_agents\) of 3328Mi each; write 130Gi or more"
    with pytest.raises(ValidationError, match=message):
        settings(LEAST, test_quota={"cpu": "64", "memory": "100Gi", "scratch": "500Gi", "pods": 100})


def test_the_image_under_test_has_the_size_in_the_library() -> None:
    text = (ROOT / "delivery" / "vars" / "agents.groovy").read_text()
    (line,) = re.findall(r"^ *resources: (.*)$", text, re.MULTILINE)
    assert yaml.safe_load(line) == sizes.APP


def test_the_limit_range_has_the_defaults_that_these_tests_use() -> None:
    defaults = ContainerDefaultSettings()
    recording = record(lambda: Namespace("n", NamespaceSettings(), physical_name="n"))
    (limits,) = recording.of_type("kubernetes:core/v1:LimitRange").values()
    (item,) = limits.inputs["spec"]["limits"]
    filled = {"memory": defaults.memory, "ephemeral-storage": defaults.scratch}
    assert (item["default"], item["defaultRequest"]) == (filled, {"cpu": defaults.cpu, **filled})
