"""The simulated providers against resource types of both SDKs, driven as the engine drives them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2
from support.simulation import Provider, minimal, providers

from atwork.sandbox.provider import schema
from atwork.sandbox.provider.gcp.services import SERVICES
from atwork.sandbox.provider.values import UNKNOWN, is_secret, reveal, secret

NETWORK = "gcp:compute/network:Network"
SUBNET = "gcp:compute/subnetwork:Subnetwork"
CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
SQL = "gcp:sql/databaseInstance:DatabaseInstance"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
NAMESPACE = "kubernetes:core/v1:Namespace"
# Every n-th type of each SDK: all services are touched, and the test takes seconds.
SAMPLE = [*schema.tokens("gcp")[::12], *schema.tokens("kubernetes")[::6]]
RULES = json.loads(Path(schema.__file__).with_name("gcp").joinpath("rules.json").read_text())["resources"]
FACTS = Path(os.environ.get("ATWORK_GCP_FACTS", Path(__file__).parents[4] / "shared/reference/gcp-facts.json"))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Provider]]:
    with providers(tmp_path_factory.mktemp("cloud") / "cloud.sqlite") as served:
        yield served


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[dict[str, Provider]]:
    with providers(tmp_path / "cloud.sqlite") as served:
        yield served


def test_the_sample_is_large() -> None:
    assert len(SAMPLE) >= 200


@pytest.mark.parametrize("token", SAMPLE)
def test_any_type_takes_its_smallest_inputs_and_refuses_a_typo(token: str, cloud: dict[str, Provider]) -> None:
    provider = cloud[token.partition(":")[0]]
    inputs = minimal(token)
    if token not in RULES:  # the table knows the values of a property, and "thing" is not one of them
        assert provider.check(token, "thing", inputs)[1] == []
    _, failures = provider.check(token, "thing", {**inputs, "nonsenseProperty": 1})
    assert any(failure.startswith("nonsenseProperty: unknown property") for failure in failures)
    for key in schema.resource(token)["inputs"]["required"]:
        _, failures = provider.check(token, "thing", {item: inputs[item] for item in inputs if item != key})
        assert f"{key}: missing required property" in failures


@pytest.mark.parametrize(
    ("inputs", "failure"),
    [
        ({"nodeConfig": {"machineTyp": "e2"}}, "nodeConfig.machineTyp: unknown property; did you mean machineType?"),
        ({"node_config": {}}, "node_config: unknown property; did you mean nodeConfig?"),
        ({"initialNodeCount": "3"}, "initialNodeCount: must be a integer, not str '3'"),
        ({"deletionProtection": 1}, "deletionProtection: must be a boolean, not int 1"),
        ({"maintenancePolicy": []}, "maintenancePolicy: must be a map, not a list"),
        ({"nodeLocations": {"a": 1}}, "nodeLocations: must be a list, not a map"),
        ({"loggingConfig": {}}, "loggingConfig.enableComponents: missing required property"),
        (
            {"clusterAutoscaling": {"resourceLimits": [{"maximum": 1}]}},
            "clusterAutoscaling.resourceLimits[0].resourceType: missing required property",
        ),
        ({"inTransitEncryptionConfig": "ON"}, "inTransitEncryptionConfig: 'ON' is not one of IN_TRANSIT_"),
    ],
)
def test_the_error_for_a_wrong_input_names_its_path(
    inputs: dict[str, Any], failure: str, cloud: dict[str, Provider]
) -> None:
    failures = cloud["gcp"].check(CLUSTER, "c", inputs)[1]
    assert any(item.startswith(failure) for item in failures), failures


def test_unknown_and_secret_values_are_accepted_and_kept(cloud: dict[str, Provider]) -> None:
    inputs = {"network": UNKNOWN, "nodeConfig": secret({"machineType": "e2-standard-2"}), "name": "c"}
    checked, failures = cloud["gcp"].check(CLUSTER, "c", inputs)
    assert failures == []
    assert checked == inputs
    _, failures = cloud["gcp"].check(CLUSTER, "c", {"nodeConfig": secret({"machineTyp": "x"})})
    assert failures == ["nodeConfig.machineTyp: unknown property; did you mean machineType?"]


def test_updates_keep_automatic_names(cloud: dict[str, Provider]) -> None:
    first, _ = cloud["gcp"].check(NETWORK, "vpc", {})
    again, _ = cloud["gcp"].check(NETWORK, "vpc", {"mtu": 1460}, first)
    assert first["name"].startswith("vpc-")
    assert len(first["name"]) == len("vpc-") + 7
    assert again["name"] == first["name"]
    named, _ = cloud["kubernetes"].check(CONFIG_MAP, "cm", {"data": {}})
    assert named["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}


def test_create_read_update_and_delete(fresh: dict[str, Provider]) -> None:
    gcp = fresh["gcp"]
    inputs = {"name": "vpc", "autoCreateSubnetworks": False}
    identity, outputs = gcp.create(NETWORK, "vpc", inputs)
    assert identity == "projects/acme/global/networks/vpc"
    assert outputs["selfLink"] == "https://www.googleapis.com/compute/v1/projects/acme/global/networks/vpc"
    assert gcp.read(NETWORK, "vpc", identity) == outputs
    assert gcp.update(NETWORK, "vpc", identity, {**inputs, "mtu": 1500})["mtu"] == 1500
    with pytest.raises(grpc.RpcError, match="already exists"):
        gcp.create(NETWORK, "other", inputs)
    gcp.delete(NETWORK, "vpc", identity, inputs)
    assert gcp.read(NETWORK, "vpc", identity) is None
    gcp.delete(NETWORK, "vpc", identity, inputs)


def test_a_preview_creates_nothing_and_computed_outputs_are_unknown(fresh: dict[str, Provider]) -> None:
    identity, outputs = fresh["gcp"].create(NETWORK, "vpc", {"name": "vpc"}, preview=True)
    assert identity == ""
    assert outputs["selfLink"] == UNKNOWN
    assert outputs["name"] == "vpc"
    assert fresh["gcp"].read(NETWORK, "vpc", "projects/acme/global/networks/vpc") is None


def test_a_referenced_object_must_exist_and_cannot_be_deleted(fresh: dict[str, Provider]) -> None:
    gcp = fresh["gcp"]
    subnet = {"name": "s", "network": "vpc", "region": "europe-west1", "ipCidrRange": "10.0.0.0/20"}
    with pytest.raises(grpc.RpcError, match="projects/acme/global/networks/vpc' was not found"):
        gcp.create(SUBNET, "s", subnet)
    network, outputs = gcp.create(NETWORK, "vpc", {"name": "vpc"})
    created, _ = gcp.create(SUBNET, "s", {**subnet, "network": outputs["selfLink"]})
    with pytest.raises(grpc.RpcError, match="already being used by 'projects/acme/regions/europe-west1/subnetworks/s'"):
        gcp.delete(NETWORK, "vpc", network, {"name": "vpc"})
    gcp.delete(SUBNET, "s", created, subnet)
    gcp.delete(NETWORK, "vpc", network, {"name": "vpc"})
    assert gcp.read(NETWORK, "vpc", network) is None


@pytest.mark.parametrize(
    ("token", "inputs", "message"),
    [
        (CLUSTER, {"name": "c", "location": "europe-west1"}, "deletion_protection is set to true"),
        (CLUSTER, {"name": "c", "location": "europe-west1", "deletionProtection": True}, "deletion_protection is set"),
        (
            SQL,
            {
                "name": "i",
                "databaseVersion": "POSTGRES_17",
                "deletionProtection": False,
                "settings": {"tier": "t", "deletionProtectionEnabled": True},
            },
            "deletionProtectionEnabled is true",
        ),
        (NETWORK, {"name": "n", "deletionPolicy": "PREVENT"}, "deletion_policy is PREVENT"),
    ],
)
def test_protected_objects_cannot_be_deleted(
    token: str, inputs: dict[str, Any], message: str, fresh: dict[str, Provider]
) -> None:
    identity, _ = fresh["gcp"].create(token, "x", inputs)
    with pytest.raises(grpc.RpcError, match=message):
        fresh["gcp"].delete(token, "x", identity, inputs)
    assert fresh["gcp"].read(token, "x", identity) is not None


def test_a_key_ring_is_never_deleted_and_its_name_cannot_be_used_again(fresh: dict[str, Provider]) -> None:
    gcp, token, inputs = fresh["gcp"], "gcp:kms/keyRing:KeyRing", {"name": "ring", "location": "europe-west1"}
    ring, _ = gcp.create(token, "ring", inputs)
    key = {"name": "key", "keyRing": ring}
    created, _ = gcp.create("gcp:kms/cryptoKey:CryptoKey", "key", key)
    gcp.delete("gcp:kms/cryptoKey:CryptoKey", "key", created, key)
    gcp.delete(token, "ring", ring, inputs)
    with pytest.raises(
        grpc.RpcError, match=r"409: 'projects/acme/locations/europe-west1/keyRings/ring' already exists"
    ):
        gcp.create(token, "ring", inputs)
    # The key of a name is still there, too, and is one of the types that the command imports.
    with pytest.raises(grpc.RpcError, match=r"already exists; import it \(`atwork environment adopt \w+`\), or choose"):
        gcp.create("gcp:kms/cryptoKey:CryptoKey", "key", key)


def test_members_are_deleted_with_their_resource(fresh: dict[str, Provider]) -> None:
    gcp = fresh["gcp"]
    inputs = {"repositoryId": "r", "location": "europe", "format": "DOCKER"}
    repository, _ = gcp.create("gcp:artifactregistry/repository:Repository", "r", inputs)
    member = {"repository": "r", "location": "europe", "role": "roles/artifactregistry.reader", "member": "user:a@b.c"}
    token = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
    created, _ = gcp.create(token, "m", member)
    assert gcp.read(token, "m", created) is not None
    gcp.delete("gcp:artifactregistry/repository:Repository", "r", repository, inputs)
    assert gcp.read(token, "m", created) is None
    gcp.delete(token, "m", created, member)


def test_the_create_of_an_existing_member_succeeds(fresh: dict[str, Provider]) -> None:
    member = {"project": "acme", "role": "roles/viewer", "member": "group:all@example.com"}
    first, _ = fresh["gcp"].create("gcp:projects/iAMMember:IAMMember", "one", member)
    second, _ = fresh["gcp"].create("gcp:projects/iAMMember:IAMMember", "two", member)
    assert first == second == "acme/roles/viewer/group:all@example.com"


@pytest.mark.parametrize(
    ("service", "agent"),
    [
        ("container", "container-engine-robot"),
        ("sqladmin", "gcp-sa-cloud-sql"),
        ("secretmanager", "gcp-sa-secretmanager"),
    ],
)
def test_a_service_agent_has_its_real_domain(service: str, agent: str, fresh: dict[str, Provider]) -> None:
    inputs = {"service": f"{service}.googleapis.com"}
    _, outputs = fresh["gcp"].create("gcp:projects/serviceIdentity:ServiceIdentity", "x", inputs)
    assert outputs["email"].endswith(f"@{agent}.iam.gserviceaccount.com")
    assert outputs["member"] == f"serviceAccount:{outputs['email']}"


def _pool(**node_config: object) -> dict[str, Any]:
    return {"cluster": "c", "nodeConfig": node_config}


def _deployment(label: str) -> dict[str, Any]:
    return {"metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": {"a": label}}, "template": {}}}


@pytest.mark.parametrize(
    ("token", "old", "new", "replaces"),
    [
        (NETWORK, {"name": "a"}, {"name": "b"}, ["name"]),
        (NETWORK, {"name": "a"}, {"name": "a", "mtu": 1500}, []),
        (POOL, _pool(machineType="a"), _pool(machineType="b"), []),
        (POOL, _pool(spot=False), _pool(spot=True), ["nodeConfig"]),
        (SQL, {"databaseVersion": "P"}, {"databaseVersion": "P", "encryptionKeyName": "k"}, ["encryptionKeyName"]),
        (
            SQL,
            {"databaseVersion": "P", "settings": {"tier": "a"}},
            {"databaseVersion": "P", "settings": {"tier": "b"}},
            [],
        ),
        (NAMESPACE, {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}, ["metadata"]),
        (NAMESPACE, {"metadata": {"name": "a"}}, {"metadata": {"name": "a", "labels": {"x": "y"}}}, []),
        (
            CONFIG_MAP,
            {"metadata": {"name": "a"}, "data": {"k": "1"}},
            {"metadata": {"name": "a"}, "data": {"k": "2"}},
            [],
        ),
        (DEPLOYMENT, _deployment("1"), _deployment("2"), ["spec"]),
    ],
)
def test_what_replaces_and_what_updates(
    token: str, old: dict[str, Any], new: dict[str, Any], replaces: list[str], cloud: dict[str, Provider]
) -> None:
    provider = cloud[token.partition(":")[0]]
    result = provider.diff(token, "x", old, new)
    assert result.changes == result.DIFF_SOME
    assert list(result.replaces) == replaces
    same = provider.diff(token, "x", new, new)
    assert same.changes == same.DIFF_NONE


def test_a_cluster_looks_real_and_the_same_every_time(fresh: dict[str, Provider], tmp_path: Path) -> None:
    inputs = {"name": "c", "location": "europe-west1"}
    _, outputs = fresh["gcp"].create(CLUSTER, "c", inputs)
    with providers(tmp_path / "other" / "cloud.sqlite") as other:
        _, again = other["gcp"].create(CLUSTER, "c", inputs)
    assert outputs == again
    endpoint = outputs["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"]
    assert endpoint.startswith("gke-")
    assert endpoint.endswith(".europe-west1.gke.goog")


def test_an_object_needs_its_namespace_and_is_deleted_with_it(fresh: dict[str, Provider]) -> None:
    kubernetes = fresh["kubernetes"]
    inside = {"metadata": {"name": "cm", "namespace": "shop"}, "data": {"k": "v"}}
    with pytest.raises(grpc.RpcError, match=r"shop.* not found"):
        kubernetes.create(CONFIG_MAP, "cm", inside)
    namespace, _ = kubernetes.create(NAMESPACE, "ns", {"metadata": {"name": "shop"}})
    identity, outputs = kubernetes.create(CONFIG_MAP, "cm", inside)
    assert identity == "shop/cm"
    assert len(outputs["metadata"]["uid"]) == 36
    kubernetes.delete(NAMESPACE, "ns", namespace, {"metadata": {"name": "shop"}})
    assert kubernetes.read(CONFIG_MAP, "cm", identity) is None


def test_without_its_cluster_an_object_can_be_previewed_and_not_created(
    fresh: dict[str, Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with the official provider: objects of a cluster that is gone are not taken for deleted."""
    kubernetes, gcp = fresh["kubernetes"], fresh["gcp"]
    inputs = {"metadata": {"name": "shop"}}
    identity, _ = kubernetes.create(NAMESPACE, "ns", inputs)
    cluster = "projects/acme/locations/europe-west1/clusters/around-the-tests"
    gcp.delete(CLUSTER, "around-the-tests", cluster, {"name": "around-the-tests", "location": "europe-west1"})
    unreachable = "configured Kubernetes cluster is unreachable"
    for call in (
        lambda: kubernetes.create(NAMESPACE, "other", {"metadata": {"name": "other"}}),
        lambda: kubernetes.read(NAMESPACE, "ns", identity),
        lambda: kubernetes.update(NAMESPACE, "ns", identity, inputs),
        lambda: kubernetes.delete(NAMESPACE, "ns", identity, inputs),
    ):
        with pytest.raises(grpc.RpcError, match=unreachable):
            call()
    assert kubernetes.create(NAMESPACE, "other", {"metadata": {"name": "other"}}, preview=True)[0] == ""
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    assert kubernetes.read(NAMESPACE, "ns", identity) is None, "a refresh with this option removes it from the state"
    with pytest.raises(grpc.RpcError, match=unreachable):
        kubernetes.update(NAMESPACE, "ns", identity, inputs)


def test_an_api_works_only_after_it_is_enabled(fresh: dict[str, Provider]) -> None:
    gcp = fresh["gcp"]
    service = "gcp:projects/service:Service"
    gcp.create(service, "sql", {"project": "acme", "service": "sqladmin.googleapis.com"})
    with pytest.raises(grpc.RpcError, match=r"compute\.googleapis\.com has not been used in project acme before"):
        gcp.create(NETWORK, "vpc", {"name": "vpc"})
    gcp.create(NETWORK, "vpc", {"name": "vpc", "project": "adopted"})  # nobody manages its APIs here
    gcp.create(service, "compute", {"project": "acme", "service": "compute.googleapis.com"})
    gcp.create(NETWORK, "vpc", {"name": "vpc"})


def test_every_module_in_the_table_of_apis_is_one_of_the_sdk() -> None:
    modules = {token.partition("/")[0].removeprefix("gcp:") for token in schema.tokens("gcp")}
    assert SERVICES.keys() <= modules


def test_an_abandoned_object_stays_in_the_cloud(fresh: dict[str, Provider]) -> None:
    gcp = fresh["gcp"]
    account = {"name": "orders@acme.iam", "instance": "main", "type": "CLOUD_IAM_USER", "deletionPolicy": "ABANDON"}
    gcp.create(SQL, "main", {"name": "main", "databaseVersion": "POSTGRES_18"})
    identity, outputs = gcp.create("gcp:sql/user:User", "orders", account)
    gcp.delete("gcp:sql/user:User", "orders", identity, account)
    kept = {key: value for key, value in outputs.items() if key != "deletionPolicy"}
    # As the provider imports it: by an id of its own form, and without what only the program states.
    assert gcp.read("gcp:sql/user:User", "orders", "acme/main/orders@acme.iam") == kept
    assert gcp.read("gcp:sql/user:User", "orders", identity) == kept
    assert gcp.read("gcp:sql/user:User", "orders", "acme/main/stock@acme.iam") is None
    with pytest.raises(grpc.RpcError, match="already exists"):
        gcp.create("gcp:sql/user:User", "orders", account)


def test_two_engines_see_one_cloud(tmp_path: Path) -> None:
    path = tmp_path / "cloud.sqlite"
    with providers(path) as first, providers(path) as second:
        identity, outputs = first["gcp"].create(NETWORK, "vpc", {"name": "vpc"})
        assert second["gcp"].read(NETWORK, "vpc", identity) == outputs
        with pytest.raises(grpc.RpcError, match="already exists"):
            second["gcp"].create(NETWORK, "vpc", {"name": "vpc"})
        second["gcp"].create(SUBNET, "s", {"name": "s", "network": "vpc", "ipCidrRange": "10.0.0.0/24"})
        with pytest.raises(grpc.RpcError, match="already being used by"):
            first["gcp"].delete(NETWORK, "vpc", identity, {"name": "vpc"})


def test_only_one_of_many_concurrent_creates_gets_a_name(fresh: dict[str, Provider]) -> None:
    def attempt(number: int) -> bool:
        try:
            fresh["gcp"].create(NETWORK, f"vpc-{number}", {"name": "vpc"})
        except grpc.RpcError as error:
            if "already exists" not in str(error):
                raise
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1


def test_the_content_of_a_kubernetes_secret_is_always_secret(fresh: dict[str, Provider]) -> None:
    inputs = {"metadata": {"name": "s"}, "stringData": {"password": "hunter2"}, "data": {"k": "dg=="}}
    _, outputs = fresh["kubernetes"].create("kubernetes:core/v1:Secret", "s", inputs)
    assert is_secret(outputs["stringData"])
    assert is_secret(outputs["data"])


def test_a_secret_input_is_a_secret_output(fresh: dict[str, Provider]) -> None:
    inputs = {"instance": "i", "name": "u", "password": secret("hunter2"), "project": "acme"}
    fresh["gcp"].create(SQL, "i", {"name": "i", "databaseVersion": "POSTGRES_17"})
    _, outputs = fresh["gcp"].create("gcp:sql/user:User", "u", inputs)
    assert is_secret(outputs["password"])
    assert reveal(outputs["password"]) == "hunter2"


def test_a_secret_in_a_value_that_the_cloud_completes_stays_secret(fresh: dict[str, Provider]) -> None:
    auth = {"clientCertificateConfig": secret({"issueClientCertificate": True})}
    _, cluster = fresh["gcp"].create(CLUSTER, "c", {"name": "c", "location": "europe-west1", "masterAuth": auth})
    assert is_secret(cluster["masterAuth"]["clientCertificateConfig"])
    service = {"metadata": {"name": "s"}, "spec": {"externalName": secret("db.internal")}}
    _, created = fresh["kubernetes"].create("kubernetes:core/v1:Service", "s", service)
    assert is_secret(created["spec"]["externalName"])
    assert created["spec"]["clusterIP"]


def test_data_sources_are_refused(cloud: dict[str, Provider]) -> None:
    with pytest.raises(grpc.RpcError, match="the sandbox has no data sources"):
        cloud["gcp"].stub.Invoke(provider_pb2.InvokeRequest(tok="gcp:organizations/getProject:getProject"))


def test_a_type_that_the_sdk_lacks_is_refused(cloud: dict[str, Provider]) -> None:
    with pytest.raises(grpc.RpcError, match="the installed SDK has no resource type gcp:nope/nope:Nope"):
        cloud["gcp"].check("gcp:nope/nope:Nope", "x", {})


@pytest.mark.skipif(not FACTS.exists(), reason="the facts of the official provider are not at hand (ATWORK_GCP_FACTS)")
def test_the_rules_match_the_official_provider() -> None:
    facts = json.loads(FACTS.read_text())["resources"]
    assert RULES.keys() - {"gcp:memorystore/instance:Instance"} == facts.keys()  # from the definition of the provider
    for token, item in facts.items():
        immutable = {key for key, fact in item["inputs"].items() if fact.get("immutable")}
        assert {key for key, rule in RULES[token].items() if rule.get("immutable")} == immutable, token
