"""Node pools with GPUs, in chosen zones and from reservations."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.program import run_stack

from atwork.environments.preflight.region import needed_gpus
from atwork.sandbox.clusters.node_pools import Pool
from infra.config import STACKS, parse, read_file
from infra.errors import ConfigError
from infra.stack import StackConfig

POOL = "gcp:container/nodePool:NodePool"
QUOTA = "kubernetes:core/v1:ResourceQuota"
L4 = {"type": "nvidia-l4"}


def settings(**changes: Any) -> dict[str, Any]:
    """Staging with a pool `models` of g2 machines."""
    stack = json.loads(read_file(STACKS / "Pulumi.staging.yaml"))
    models = {"machine_type": "g2-standard-4", "min_nodes": 0, "max_nodes": 3, "gpu": L4, **changes}
    stack["node_pools"]["models"] = {key: value for key, value in models.items() if value is not None}
    return stack


def parsed(**changes: Any) -> StackConfig:
    return parse("staging", json.dumps(settings(**changes)))


def declared(**changes: Any) -> dict[str, Any]:
    recording = run_stack("staging", {"node_pools": settings(**changes)["node_pools"]})
    return dict(recording.of_type(POOL)["pools-models"].inputs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gpu": None}, r"models: g2-standard-4 contains 1 nvidia-l4; write gpu: \{type: nvidia-l4, count: 1\}"),
        ({"gpu": {**L4, "count": 2}}, r"contains 1 nvidia-l4; write"),
        ({"gpu": {"type": "nvidia-tesla-t4"}}, r"contains 1 nvidia-l4; write"),
        ({"machine_type": "n2-standard-4"}, r"gpu\.type nvidia-l4: n2-standard-4 does not have it; .* of g2-standard"),
        (
            {"machine_type": "n1-standard-4", "gpu": {"type": "nvidia-tesla-t4", "count": 3}},
            r"gpu\.count 3: machines have 1, 2, 4 of nvidia-tesla-t4",
        ),
        ({"gpu": {"type": "nvidia-tesla-l4"}}, r"contains 1 nvidia-l4"),
        (
            {"machine_type": "n1-standard-4", "gpu": {"type": "nvidia-x9"}},
            r"gpu\.type nvidia-x9: .*; write one of nvidia",
        ),
        ({"gpu": {**L4, "partition": "1g.5gb"}}, r"partition: nvidia-l4 cannot be divided"),
        ({"gpu": {**L4, "sharing": {"strategy": "mps", "clients": 1}}}, r"clients: 1 is out of range; write 2 to 48"),
        ({"gpu": {**L4, "driver": "newest"}}, r"driver: .newest. is not possible; write one of default, latest, none"),
        (
            {"taints": [{"key": "nvidia.com/gpu", "value": "present"}]},
            r"GKE sets nvidia\.com/gpu on nodes .* by itself",
        ),
        ({"spot": True, "reservation": "gpus"}, r"reservation and spot exclude each other"),
        ({"gvisor": True, "gpu": {**L4, "sharing": {"strategy": "mps", "clients": 2}}}, r"gvisor: GKE Sandbox has no"),
        ({"zones": ["europe-west4-a"]}, r"models\.zones: europe-west4-a is not in region europe-west1; choose one"),
        ({"zones": ["europe-west1-b", "europe-west1-b"]}, r"zones: europe-west1-b is there twice"),
        ({"zones": []}, None),
        ({"gvisor": True}, None),
        ({"machine_type": "n1-standard-8", "gpu": {"type": "nvidia-tesla-t4", "count": 4}}, None),
        (
            {"machine_type": "a2-highgpu-2g", "gpu": {"type": "nvidia-tesla-a100", "count": 2, "partition": "1g.5gb"}},
            None,
        ),
    ],
)
def test_what_google_sells_is_accepted_and_nothing_else(changes: dict[str, Any], message: str | None) -> None:
    if message is None:
        assert parsed(**changes)
        return
    with pytest.raises(ConfigError, match=message):
        parsed(**changes)


def test_a_cluster_needs_a_pool_without_gpus() -> None:
    stack = settings()
    stack["node_pools"] = {"models": stack["node_pools"]["models"]}
    with pytest.raises(ConfigError, match=r"GKE's own pods run on neither"):
        parse("staging", json.dumps(stack))


def test_the_blocks_of_the_provider() -> None:
    sharing = {"strategy": "time-sharing", "clients": 4}
    pool = declared(gpu={**L4, "driver": "latest", "sharing": sharing}, zones=["europe-west1-b"], reservation="gpus")
    assert pool["nodeLocations"] == ["europe-west1-b"]
    node = pool["nodeConfig"]
    [gpu] = node["guestAccelerators"]
    assert gpu == {
        "type": "nvidia-l4",
        "count": 1,
        "gpuDriverInstallationConfig": {"gpuDriverVersion": "LATEST"},
        "gpuSharingConfig": {"gpuSharingStrategy": "TIME_SHARING", "maxSharedClientsPerGpu": 4},
    }
    assert node["reservationAffinity"]["values"] == ["gpus"]
    assert node["taints"] == []
    bare = run_stack("staging").of_type(POOL)["pools-services"].inputs
    assert not {"nodeLocations"} & bare.keys()
    assert not {"guestAccelerators", "reservationAffinity"} & bare["nodeConfig"].keys()


def test_a_tenant_uses_gpus_by_its_quota_alone() -> None:
    size = {"quota": {"gpus": 2}}
    tenants = {
        "models": {"owner": "team", "accounts": ["app"], "size": size},
        "web": {"owner": "team", "accounts": ["app"]},
    }
    quotas = run_stack("staging", {"tenants": tenants}).of_type(QUOTA)
    limits = {name: item.inputs["spec"]["hard"]["requests.nvidia.com/gpu"] for name, item in quotas.items()}
    assert limits.pop("tenant-models-quota") == "2"
    assert set(limits.values()) == {"0"}


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({}, {"NVIDIA_L4_GPUS": 3}),
        ({"spot": True}, {"PREEMPTIBLE_NVIDIA_L4_GPUS": 3}),
        ({"upgrade": "blue-green"}, {"NVIDIA_L4_GPUS": 6}),
        ({"machine_type": "n2-standard-4", "gpu": None}, {}),
    ],
)
def test_the_quota_of_the_region_counts_every_gpu_of_the_pools(changes: dict[str, Any], needed: dict[str, int]) -> None:
    assert needed_gpus(parsed(**changes)) == needed


def test_the_simulation_taints_nodes_with_gpus_and_lets_pods_that_request_one_run() -> None:
    pool = Pool.of({**declared(gpu={**L4, "sharing": {"strategy": "mps", "clients": 3}}), "name": "p"}, "europe-west1")
    assert pool.allocatable()["nvidia.com/gpu"] == "3"
    plain = {"containers": [{"name": "a"}]}
    assert "its taint nvidia.com/gpu=present:NoSchedule is not tolerated" in pool.refusal(plain)
    wants = {"containers": [{"name": "a", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]}
    assert pool.refusal(wants) == ""
