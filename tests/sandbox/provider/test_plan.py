"""What the official provider decides in code, played by the simulation: kept values, forced replacements, order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from support.simulation import Provider, kubeconfig_of, providers

from atwork.sandbox.provider.values import UNKNOWN
from components.google.reserved import system_namespaces

CLUSTER = "gcp:container/cluster:Cluster"
INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
SUBNET = "gcp:compute/subnetwork:Subnetwork"
POOL = "gcp:container/nodePool:NodePool"
TOPIC = "gcp:pubsub/topic:Topic"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
NAMESPACE = "kubernetes:core/v1:Namespace"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Provider]]:
    with providers(tmp_path_factory.mktemp("cloud") / "cloud.sqlite") as served:
        yield served


def plan(provider: Provider, token: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    """What the provider plans for a resource whose state is what the program states."""
    result = provider.diff(token, "x", old, new, state=old)
    if result.changes == result.DIFF_NONE:
        return "nothing"
    if not result.replaces:
        return "update"
    return "delete first" if result.deleteBeforeReplace else "create first"


def subnet(block: str) -> dict[str, Any]:
    return {"name": "s", "network": "n", "ipCidrRange": block}


def instance(**settings: Any) -> dict[str, Any]:
    return {"databaseVersion": "POSTGRES_18", "settings": {"tier": "t", **settings}}


def private(**configuration: Any) -> dict[str, Any]:
    return instance(ipConfiguration=configuration)


def replica(primary: str, **settings: Any) -> dict[str, Any]:
    return {**instance(**settings), "masterInstanceName": primary}


def pool(**more: Any) -> dict[str, Any]:
    return {"cluster": "c", "nodeConfig": {"machineType": "g2-standard-4"}, **more}


def gpus(count: int, driver: str = "DEFAULT") -> dict[str, Any]:
    installation = {"gpuDriverVersion": driver}
    accelerator = {"type": "nvidia-l4", "count": count, "gpuDriverInstallationConfig": installation}
    return pool(nodeConfig={"machineType": "g2-standard-4", "guestAccelerators": [accelerator]})


@pytest.mark.parametrize(
    ("token", "old", "new", "planned"),
    [
        (SUBNET, subnet("10.0.0.0/20"), subnet("10.0.0.0/19"), "update"),
        (SUBNET, subnet("10.0.0.0/20"), subnet("10.0.0.0/21"), "delete first"),
        (SUBNET, subnet("10.0.0.0/20"), subnet("10.0.16.0/20"), "delete first"),
        (SUBNET, subnet("10.0.0.0/20"), subnet(UNKNOWN), "update"),
        (INSTANCE, replica("a"), replica("a", tier="u"), "update"),
        (INSTANCE, replica("a"), replica("b"), "create first"),
        (INSTANCE, replica("a"), instance(), "nothing"),
        (POOL, pool(), pool(nodeLocations=["europe-west1-b"]), "update"),
        (POOL, pool(), pool(nodeConfig={"guestAccelerators": [{"type": "nvidia-l4", "count": 1}]}), "create first"),
        (POOL, gpus(1), gpus(2), "create first"),
        (POOL, gpus(1), gpus(1, "LATEST"), "create first"),
        (CLUSTER, {"enableFqdnNetworkPolicy": True}, {"enableFqdnNetworkPolicy": False}, "create first"),
        (CLUSTER, {"enableFqdnNetworkPolicy": True}, {}, "create first"),
        (CLUSTER, {"enableFqdnNetworkPolicy": False}, {"enableFqdnNetworkPolicy": True}, "update"),
        (INSTANCE, instance(diskSize=100), instance(diskSize=50), "nothing"),
        (INSTANCE, instance(diskSize=100), instance(diskSize=50, diskAutoresize=False), "create first"),
        (INSTANCE, instance(diskSize=100), instance(), "nothing"),
        (INSTANCE, private(privateNetwork="n"), private(), "create first"),
        (INSTANCE, {**instance(), "encryptionKeyName": "k"}, instance(), "nothing"),
        (INSTANCE, instance(), {**instance(), "encryptionKeyName": "k"}, "create first"),
        (INSTANCE, instance(connectorEnforcement="REQUIRED"), instance(), "nothing"),
        (INSTANCE, instance(userLabels={"a": "1", "b": "2"}), instance(userLabels={"a": "1"}), "update"),
        (INSTANCE, {**instance(), "deletionPolicy": "PREVENT"}, instance(), "update"),
        (CLUSTER, {"dnsConfig": {"clusterDns": "CLOUD_DNS"}}, {}, "update"),
        (CLUSTER, {"networkPolicy": {"enabled": False}}, {}, "update"),
    ],
)
def test_what_is_planned(
    token: str, old: dict[str, Any], new: dict[str, Any], planned: str, cloud: dict[str, Provider]
) -> None:
    assert plan(cloud["gcp"], token, old, new) == planned


def member(role: str) -> dict[str, str]:
    return {"project": "acme", "topic": "t", "role": role, "member": "user:a@example.com"}


def repository(**more: str) -> dict[str, str]:
    return {"repositoryId": "services", "format": "DOCKER", **more}


@pytest.mark.parametrize(
    ("token", "old", "new", "planned"),
    [
        # A name of the program's choice deletes first, even where it is the name that changes.
        (POOL, {"cluster": "a", "name": "p"}, {"cluster": "b", "name": "p"}, "delete first"),
        (POOL, {"cluster": "a", "name": "p"}, {"cluster": "a", "name": "q"}, "delete first"),
        (POOL, {"cluster": "a"}, {"cluster": "b"}, "create first"),
        ("gcp:serviceaccount/account:Account", {"accountId": "a"}, {"accountId": "b"}, "delete first"),
        ("gcp:artifactregistry/repository:Repository", repository(), repository(kmsKeyName="k"), "create first"),
        ("gcp:pubsub/topicIAMMember:TopicIAMMember", member("roles/viewer"), member("roles/editor"), "create first"),
        (
            "gcp:projects/iAMMember:IAMMember",
            {"project": "a", "role": "r", "member": "m"},
            {"project": "a", "role": "r", "member": "n"},
            "delete first",
        ),
    ],
)
def test_what_is_deleted_first(
    token: str, old: dict[str, Any], new: dict[str, Any], planned: str, cloud: dict[str, Provider]
) -> None:
    assert plan(cloud["gcp"], token, old, new) == planned


@pytest.mark.parametrize(("given", "planned"), [({"name": "b"}, "delete first"), ({}, "create first")])
def test_an_object_in_a_cluster_that_names_itself_is_created_first(
    given: dict[str, str], planned: str, cloud: dict[str, Provider]
) -> None:
    def binding(role: str) -> dict[str, Any]:
        return {
            "metadata": {**given},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        }

    token = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
    assert plan(cloud["kubernetes"], token, binding("a"), binding("b")) == planned


def test_omitted_values_are_kept_and_disks_do_not_shrink(cloud: dict[str, Provider]) -> None:
    gcp = cloud["gcp"]
    before = {**instance(diskSize=100, connectorEnforcement="REQUIRED"), "name": "kept", "encryptionKeyName": "k"}
    identity, state = gcp.create(INSTANCE, "kept", before)
    after = {**instance(diskSize=50, availabilityType="REGIONAL"), "name": "kept"}
    state = gcp.update(INSTANCE, "kept", identity, after, state=state)
    assert state["encryptionKeyName"] == "k"
    assert state["settings"] == {
        "tier": "t",
        "diskSize": 100,
        "connectorEnforcement": "REQUIRED",
        "availabilityType": "REGIONAL",
    }
    assert gcp.diff(INSTANCE, "kept", after, after, state=state).changes == 1, "and nothing differs then (DIFF_NONE)"
    again = {**after, "encryptionKeyName": "k"}
    assert gcp.diff(INSTANCE, "kept", after, again, state=state).changes == 1, "nor where the program says it again"


@pytest.mark.parametrize("labels", [{}, {"labels": {"a": "b"}}])
def test_default_labels_of_the_provider_are_on_every_resource_with_labels(
    labels: dict[str, Any], cloud: dict[str, Provider]
) -> None:
    ours = Provider(cloud["gcp"].stub, {"project": "acme", "defaultLabels": json.dumps({"owner": "x"})})
    inputs = {"name": f"topic-{len(labels)}", **labels}
    _, state = ours.create(TOPIC, "t", inputs)
    assert state["pulumiLabels"] == {"owner": "x", **labels.get("labels", {})}
    assert ours.diff(TOPIC, "t", inputs, inputs, state=state).changes == 1, "nothing differs (DIFF_NONE)"
    theirs = Provider(cloud["gcp"].stub, {"project": "acme", "defaultLabels": json.dumps({"owner": "y"})})
    result = theirs.diff(TOPIC, "t", inputs, inputs, state=state)
    assert (list(result.diffs), list(result.replaces)) == (["effectiveLabels", "pulumiLabels"], [])
    Provider(cloud["gcp"].stub, {"project": "acme", "region": "europe-west1"})


@pytest.mark.parametrize("name", [*system_namespaces(), "gke-managed-of-tomorrow"])
def test_a_cluster_has_its_namespaces_from_the_start(name: str, cloud: dict[str, Provider]) -> None:
    kubernetes = cloud["kubernetes"]
    with pytest.raises(grpc.RpcError, match=f'namespaces "{name}" already exists'):
        kubernetes.create(NAMESPACE, name, {"metadata": {"name": name}})
    inside = {"metadata": {"name": f"in-{name}", "namespace": name}, "data": {}}
    assert kubernetes.create("kubernetes:core/v1:ConfigMap", "x", inside)[0] == f"{name}/in-{name}"


def test_a_claim_grows_and_never_shrinks(cloud: dict[str, Provider]) -> None:
    def claim(size: str) -> dict[str, Any]:
        return {"metadata": {"name": "home"}, "spec": {"resources": {"requests": {"storage": size}}}}

    kubernetes = cloud["kubernetes"]
    identity, state = kubernetes.create(CLAIM, "home", claim("10Gi"))
    state = kubernetes.update(CLAIM, "home", identity, claim("0.02Ti"), state=state)
    with pytest.raises(grpc.RpcError, match="field can not be less than previous value"):
        kubernetes.update(CLAIM, "home", identity, claim("20Gi"), state=state)


def test_every_cluster_has_its_own_system_namespaces(tmp_path: Path) -> None:
    with providers(tmp_path / "cloud.sqlite") as served:
        kubeconfig = kubeconfig_of(served["gcp"], "another")
        other = Provider(served["kubernetes"].stub, {"kubeconfig": kubeconfig})
        with pytest.raises(grpc.RpcError, match="already exists"):
            other.create(NAMESPACE, "system", {"metadata": {"name": "kube-system"}})
