"""Whatever sizes a stack file may say, every pod is valid and its namespace admits it.

Pods are completed as Kubernetes completes them: Helm's merge with the chart's defaults, then the LimitRange of the
namespace; then requests are at most limits, and the quota holds as many pods as Jenkins starts.
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
from support.jenkins import ADDRESSES, LEAST, SOURCE, settings
from support.mocks import record

from components.jenkins import names, sizes
from components.jenkins.controller import controller_namespace
from components.jenkins.settings import JenkinsSettings
from components.jenkins.values import helm_values
from components.namespace import ContainerDefaultSettings, Namespace, NamespaceSettings

ROOT = Path(__file__).parents[3]
DEFAULTS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "chart" / "defaults.yaml").read_text())["defaults"]
KEYS = ("cpu", "memory", "ephemeral-storage")
# Sizes drawn at random rarely fit together, and settings that do not fit are refused before they are of interest here.
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
"""Quotas that hold most of what is asked for, and not all of it."""


def amount(key: str, text: str) -> int:
    return sizes.millis(text) if key == "cpu" else sizes.mebibytes(text)


def completed(resources: Mapping[str, Any], defaults: ContainerDefaultSettings) -> tuple[Amounts, Amounts]:
    """Requests and limits of a container once the LimitRange has filled in what it leaves out.

    https://kubernetes.io/docs/concepts/policy/limit-range: a request that is left out is the container's own limit
    where it states one, else the default request.
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
    """Every container is valid, and so many pods fit; `first` are init containers, which run one by one before."""
    running = [completed(one, namespace.container_defaults) for one in containers]
    before = [completed(one, namespace.container_defaults) for one in first]
    for requests, limits in (*running, *before):
        assert all(requests[key] <= limit for key, limit in limits.items()), (requests, limits)
    quota = {"cpu": namespace.quota.cpu, "memory": namespace.quota.memory, "ephemeral-storage": namespace.quota.scratch}
    assert count <= namespace.quota.pods
    for key in KEYS:
        side = 0 if key == "cpu" else 1
        total = max(sum(one[side][key] for one in running), *(one[side][key] for one in before), 0)
        assert count * total <= amount(key, quota[key]), (key, count, total)


def accepted(**changes: object) -> JenkinsSettings:
    """Settings, where the rules of the stack file let them through."""
    try:
        return settings(LEAST, **changes)
    except ValidationError:
        assume(False)
        raise


def merged(path: str, ours: Mapping[str, Any]) -> dict[str, Any]:
    """Resources as Helm merges them with the chart's."""
    found: dict[str, Any] = {kind: dict(amounts) for kind, amounts in ours.items()}
    for key, value in DEFAULTS.items():
        if key.startswith(f"{path}."):
            kind, name = key.removeprefix(f"{path}.").split(".")
            found.setdefault(kind, {}).setdefault(name, value)
    return found


def kubernetes_words(resources: Mapping[str, Any]) -> dict[str, Any]:
    """The agent's resources, whose scratch disk the chart calls ephemeralStorage."""
    return {
        kind: {"ephemeral-storage" if key == "ephemeralStorage" else key: value for key, value in amounts.items()}
        for kind, amounts in resources.items()
    }


def spec_of(template: Mapping[str, Any]) -> dict[str, Any]:
    return yaml.safe_load(template["yamlTemplate"])["spec"]


def containers_of(values: Mapping[str, Any], *specs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Resources of the agent's container and of all others in these specs."""
    agent = kubernetes_words(merged("agent.resources", values["agent"]["resources"]))
    every = [one for spec in specs for key in ("initContainers", "containers") for one in spec.get(key, [])]
    return [agent, *(one["resources"] for one in every if one["name"] != "jnlp")]


@MANY
@given(cpu=cpus, memory=memories)
def test_the_controller_of_every_size_is_admitted(cpu: str, memory: str) -> None:
    chosen = accepted(controller={"cpu": cpu, "memory": memory})
    controller = helm_values(chosen, ADDRESSES, SOURCE)["controller"]
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
    values = helm_values(chosen, ADDRESSES, SOURCE)
    found = containers_of(values, spec_of(values["additionalAgents"]["build"]))
    assert_admitted(found, NamespaceSettings(quota=chosen.builds.quota), values["agent"]["containerCap"])


@MANY
@given(quota=roomy, agents=st.integers(1, 100), stores=st.sets(st.sampled_from(sorted(sizes.STORES))))
def test_tests_with_all_stores_are_admitted(quota: dict[str, Any], agents: int, stores: set[str]) -> None:
    chosen = accepted(max_agents=agents, test_quota=quota, stores=sorted(stores), builds={"quota": LARGE})
    values = helm_values(chosen, ADDRESSES, SOURCE)
    specs = [spec_of(values["additionalAgents"][f"store-{store}"]) for store in chosen.stores]
    found = [*containers_of(values, *specs), sizes.APP]
    assert_admitted(found, NamespaceSettings(quota=chosen.test_quota), values["agent"]["containerCap"])


@MANY
@given(quota=quotas)
def test_restricted_clouds_start_only_what_their_quota_holds(quota: dict[str, Any]) -> None:
    chosen = accepted(
        deploys={"staging": {"quota": quota, "preview_namespaces": {"quota": quota}}},
        platform={
            "bot": "b",
            "previews": {"quota": quota},
            "drift": {"quota": quota},
            "changes": {"quota": quota},
        },
    )
    values = helm_values(chosen, ADDRESSES, SOURCE)
    assert set(values["additionalClouds"]) == {
        "deploy-staging",
        "previews-staging",
        *names.PLATFORM_CLOUDS,
    }
    for cloud, target in chosen.targets().items():
        agent = values["additionalClouds"][cloud]["agent"]
        assert agent["containerCap"] >= 1
        found = containers_of(values, spec_of(agent))
        assert_admitted(found, NamespaceSettings(quota=target.quota), agent["containerCap"])


LARGE = {"cpu": "10000", "memory": "900Ti", "scratch": "900Ti", "pods": 1000}


def test_the_chart_merges_a_limit_of_its_own_into_requests_alone() -> None:
    """The fault that this page is about: a request of four cores beside the chart's limit of two."""
    before = merged("controller.resources", {"requests": {"cpu": "4", "memory": "4Gi"}, "limits": {"memory": "4Gi"}})
    assert before["limits"]["cpu"] == "2000m"
    with pytest.raises(AssertionError):
        assert_admitted([before], controller_namespace(settings().controller), 1)


def test_a_quota_that_holds_no_pod_is_refused() -> None:
    small = {"cpu": "300m", "memory": "8Gi", "scratch": "20Gi", "pods": 10}
    told = r"quota\.cpu of deploy-staging has no room for one pod of 400m: write 1 or more"
    with pytest.raises(ValidationError, match=told):
        settings(LEAST, deploys={"staging": {"quota": small}})
    told = r"test_quota\.memory has no room for 40 tests \(max_agents\) of 3328Mi each: write 130Gi or more"
    with pytest.raises(ValidationError, match=told):
        settings(LEAST, test_quota={"cpu": "64", "memory": "100Gi", "scratch": "500Gi", "pods": 100})


def test_the_image_under_test_is_as_large_as_the_library_says() -> None:
    text = (ROOT / "delivery" / "vars" / "agents.groovy").read_text()
    (line,) = re.findall(r"^ *resources: (.*)$", text, re.MULTILINE)
    assert yaml.safe_load(line) == sizes.APP


def test_the_limit_range_is_the_one_that_pods_are_completed_with() -> None:
    defaults = ContainerDefaultSettings()
    recording = record(lambda: Namespace("n", NamespaceSettings(), physical_name="n"))
    (limits,) = recording.of_type("kubernetes:core/v1:LimitRange").values()
    (item,) = limits.inputs["spec"]["limits"]
    filled = {"memory": defaults.memory, "ephemeral-storage": defaults.scratch}
    assert (item["default"], item["defaultRequest"]) == (filled, {"cpu": defaults.cpu, **filled})
