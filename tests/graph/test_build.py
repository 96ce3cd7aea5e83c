"""From resources to boxes and arrows: each kind of thing, by resources made by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import CLUSTER, INSTANCE, NAMESPACE, NETWORK, POOL, cloud, made

from atwork.engine.urn import name_of
from atwork.graph import inventory as types
from atwork.graph.build import Picture, picture
from atwork.graph.model import Arrow, Box
from atwork.graph.resources import Resource, of_state


def box(whole: Picture, name: str) -> Box:
    found = {one.id: one for one in whole.walk()}
    assert name in found, sorted(found)
    return found[name]


def drawn(*resources: Resource, stack: str = "staging") -> Picture:
    return picture({stack: resources})


def test_a_network_has_its_ranges_and_holds_the_cluster() -> None:
    ranges = {
        "ipCidrRange": "10.0.16.0/20",
        "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.65.0.0/16"}],
    }
    whole = drawn(
        cloud("acme-staging"),
        made(NETWORK, "network-vpc", {"name": "atwork-staging"}),
        made(types.SUBNETWORK, "network-subnet", ranges),
        made(
            CLUSTER,
            "cluster-cluster",
            {"name": "atwork-staging", "location": "europe-west1", "deletionProtection": True},
        ),
    )
    assert box(whole, "staging.environment").facts == ("acme-staging", "europe-west1")
    network = box(whole, "staging.network.network-vpc")
    assert network.title == "VPC atwork-staging"
    assert network.facts == ("nodes 10.0.16.0/20", "pods 10.65.0.0/16")
    assert [one.kind for one in network.children] == ["cluster"]
    cluster = box(whole, "staging.cluster.cluster-cluster")
    assert (cluster.title, cluster.facts, cluster.guarded) == ("GKE atwork-staging", ("europe-west1",), True)


@pytest.mark.parametrize(
    ("inputs", "facts"),
    [
        ({"autoscaling": {"totalMinNodeCount": 1, "totalMaxNodeCount": 6}, "nodeConfig": {"machineType": "e2-standard-4"}}, ("e2-standard-4 \u00d7 1\u20136",)),
        ({"autoscaling": {"totalMaxNodeCount": 8}, "nodeConfig": {"machineType": "n2d", "spot": True}}, ("n2d \u00d7 0\u20138", "spot")),
        ({"nodeCount": 3, "nodeConfig": {"machineType": "n2d"}, "upgradeSettings": {"strategy": "BLUE_GREEN"}}, ("n2d \u00d7 3", "blue/green")),
        ({}, ()),
    ],
)  # fmt: skip
def test_a_node_pool_says_its_machine_and_how_many(inputs: dict[str, object], facts: tuple[str, ...]) -> None:
    whole = drawn(made(CLUSTER, "cluster-cluster"), made(POOL, "pools-services", inputs))
    pool = box(whole, "staging.pool.pools-services")
    assert (pool.title, pool.facts) == ("services", facts)


def test_a_cluster_that_adds_nodes_by_itself_says_how_far() -> None:
    limits = [{"resourceType": "cpu", "maximum": 64}, {"resourceType": "memory", "maximum": 256}]
    there = drawn(made(CLUSTER, "c", {"clusterAutoscaling": {"enabled": True, "resourceLimits": limits}}))
    assert box(there, "staging.pool.c-on-demand").facts == ("≤ 64 CPU", "256 GB")
    without = drawn(made(CLUSTER, "c", {"clusterAutoscaling": {"enabled": False, "resourceLimits": limits}}))
    assert not [one for one in without.walk() if one.kind == "pool"]


def test_the_control_plane_says_how_it_is_reached() -> None:
    closed = {"dnsEndpointConfig": {"allowExternalTraffic": True}, "ipEndpointsConfig": {"enabled": False}}
    whole = drawn(made(CLUSTER, "c", {"controlPlaneEndpointsConfig": closed}))
    assert box(whole, "staging.control.c").facts == ("DNS endpoint, IAM", "no IP endpoint")
    whole = drawn(made(CLUSTER, "c", {"name": "old"}))
    assert box(whole, "staging.control.c").facts == ("IP endpoint",)


def test_a_database_says_what_it_survives() -> None:
    settings = {
        "tier": "db-custom-4-16384",
        "availabilityType": "REGIONAL",
        "ipConfiguration": {"ipv4Enabled": False},
        "backupConfiguration": {
            "pointInTimeRecoveryEnabled": True,
            "transactionLogRetentionDays": 7,
            "backupRetentionSettings": {"retainedBackups": 30},
        },
    }
    whole = drawn(
        made(INSTANCE, "database-main-instance", {"databaseVersion": "POSTGRES_18", "deletionProtection": True, "settings": settings}),
        made(types.DATABASE, "database-main-orders", {"instance": "database-main-instance", "name": "orders"}),
    )  # fmt: skip
    found = box(whole, "staging.database.database-main-instance")
    assert found.title == "Cloud SQL main"
    assert found.guarded
    assert found.facts == (
        "PostgreSQL 18", "db-custom-4-16384", "standby in another zone", "PITR 7 days", "30 backups", "private",
        "databases: orders",
    )  # fmt: skip


def test_what_is_beside_the_network_has_boxes_of_its_own() -> None:
    whole = drawn(
        cloud("acme-staging"),
        made(types.SECRET, "secrets-a", {"secretId": "payment-gateway"}),
        made(types.KEY, "keys-disks", {"name": "disks"}),
        made(types.BACKUP, "backup-plan", {"location": "europe-north1", "retentionPolicy": {"backupRetainDays": 30}}),
        made(types.API, "project-service-compute", {"service": "compute.googleapis.com"}),
        made(types.REPOSITORY, "registry-services", {"repositoryId": "services", "location": "europe"}),
        made(
            types.IMAGES, "images-policy", {"defaultAdmissionRule": {"enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG"}}
        ),
        made(CLUSTER, "c"),
    )
    assert box(whole, "staging.secrets").facts == ("1 secret", "payment-gateway")
    assert box(whole, "staging.keys").facts == ("disks",)
    assert box(whole, "staging.backup.backup-plan").facts == ("of the cluster", "in europe-north1", "kept 30 days")
    assert box(whole, "staging.project").facts == ("1 API",)
    assert box(whole, "staging.registry").facts == ("europe-docker.pkg.dev/acme-staging",)
    assert box(whole, "staging.repository.registry-services").title == "services"
    assert box(whole, "staging.images.images-policy").facts == ("only our registry's",)


def test_a_secret_value_is_never_drawn() -> None:
    hidden = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "AAAA"}
    whole = drawn(made(CLUSTER, "c", {"name": hidden, "location": hidden}))
    assert box(whole, "staging.cluster.c").title == "GKE c"
    assert box(whole, "staging.cluster.c").facts == ()


def platform() -> dict[str, list[Resource]]:
    """A hub that builds and deploys, and an environment that runs: the permissions that arrows are drawn from."""
    pod = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/acme-{}.svc.id.goog/subject/ns/{}/sa/x"
    nodes = {"nodeConfig": {"serviceAccount": "nodes@acme-staging.iam.gserviceaccount.com"}}
    release = made("atwork:jenkins:Jenkins", "jenkins", stack="ci")
    account = {"iam.gke.io/gcp-service-account": "deployer@acme-staging.iam.gserviceaccount.com"}
    main = made("atwork:database:Database", "database-main")
    return {
        "ci": [
            cloud("acme-ci", "ci"),
            release,
            made(CLUSTER, "c", stack="ci"),
            made(types.RELEASE, "jenkins-release", {"chart": "jenkins"}, parent=release.urn, stack="ci"),
            made(NAMESPACE, "agents", {"metadata": {"name": "agents"}}, parent=release.urn, stack="ci"),
            made(NAMESPACE, "deploy", {"metadata": {"name": "deploy-staging"}}, parent=release.urn, stack="ci"),
            made(types.SERVICE_ACCOUNT, "deployer", {"metadata": {"namespace": "deploy-staging", "annotations": account}}, stack="ci"),
            made(types.REPOSITORY, "registry-services", {"repositoryId": "services", "location": "europe"}, stack="ci"),
            made(types.REPOSITORY_MEMBER, "push", {"role": "roles/artifactregistry.writer", "member": pod.format("ci", "agents"), "project": "acme-ci"}, stack="ci"),
        ],
        "staging": [
            cloud("acme-staging"),
            made(CLUSTER, "c"),
            made(POOL, "pools-system", nodes),
            made(types.NAT, "nat"),
            main,
            made(INSTANCE, "database-main-instance", parent=main.urn),
            made(NAMESPACE, "orders", {"metadata": {"name": "orders"}}),
            made(types.SECRET, "secret", {"secretId": "payment"}),
            made(types.REPOSITORY_MEMBER, "pull", {"role": "roles/artifactregistry.reader", "member": "serviceAccount:nodes@acme-staging.iam.gserviceaccount.com", "project": "acme-ci"}),
            made(types.ACCOUNT_MEMBER, "deploys", {"member": pod.format("ci", "deploy-staging")}),
            made(types.ACCOUNT_MEMBER, "login", {"member": "serviceAccount:acme-staging.svc.id.goog[orders/orders]"}, parent=main.urn),
            made(types.SECRET_MEMBER, "reads", {"member": pod.format("staging", "orders")}),
            made(types.PROJECT_MEMBER, "people", {"member": "group:engineers@example.com", "role": "projects/acme-staging/roles/clusterConnect"}),
        ],
    }  # fmt: skip


ARROWS = {
    Arrow("images", "ci.namespace.agents", "ci.registry"),
    Arrow("images", "ci.registry", "staging.pools.c"),
    Arrow("deploys", "ci.namespace.deploy-staging", "staging.control.c"),
    Arrow("data", "staging.namespace.orders", "staging.database.database-main-instance"),
    Arrow("secrets", "staging.namespace.orders", "staging.secrets"),
    Arrow("people", "staging.outside.people", "staging.control.c"),
    Arrow("internet", "staging.nat.nat", "staging.outside.internet"),
}


def test_arrows_are_what_permissions_say() -> None:
    whole = picture(platform())
    assert set(whole.arrows) == ARROWS
    assert [one.id for one in whole.hubs] == ["ci.cell"]
    assert box(whole, "staging.outside.people").title == "engineers"
    assert [one.title for one in box(whole, "ci.jenkins.jenkins-release").children] == ["agents", "deploy-staging"]


@pytest.mark.parametrize(
    ("left_out", "arrow"),
    [
        ("push", "images ci.namespace.agents"), ("pull", "images ci.registry"), ("deployer", "deploys"), ("login", "data"),
        ("reads", "secrets"), ("people", "people"), ("nat", "internet"),
    ],
)  # fmt: skip
def test_without_the_permission_there_is_no_arrow(left_out: str, arrow: str) -> None:
    stacks = {stack: [one for one in found if one.name != left_out] for stack, found in platform().items()}
    lost = ARROWS - set(picture(stacks).arrows)
    assert len(lost) == 1
    assert all(f"{one.kind} {one.source}".startswith(arrow) for one in lost)


def test_an_environment_alone_shows_where_its_images_and_deploys_come_from() -> None:
    whole = picture({"staging": platform()["staging"]})
    assert box(whole, "outside.acme-ci").facts == ("not in this picture",)
    assert Arrow("images", "outside.acme-ci", "staging.pools.c") in whole.arrows
    assert Arrow("deploys", "outside.acme-ci", "staging.control.c") in whole.arrows


def test_a_state_is_read_without_what_waits_for_its_deletion() -> None:
    stack, kind = "urn:pulumi:ci::atwork::pulumi:pulumi:Stack::atwork-ci", CLUSTER
    state = {
        "resources": [
            {"urn": stack, "type": "pulumi:pulumi:Stack"},
            {"urn": "urn:pulumi:ci::atwork::a::one", "type": kind, "parent": stack, "inputs": {"name": "x"}},
            {"urn": "urn:pulumi:ci::atwork::a::old", "type": kind, "parent": stack, "delete": True},
            {"urn": "urn:pulumi:ci::atwork::a::two", "type": kind, "parent": "urn:pulumi:ci::atwork::a::one"},
        ]
    }
    assert [(one.name, name_of(one.parent)) for one in of_state(state)] == [("one", ""), ("two", "one")]
    assert of_state({}) == []


TYPES = sorted(
    value for name, value in vars(types).items() if name.isupper() and str(value).startswith(("gcp:", "kubernetes:"))
)
ODD: list[object] = [
    None,
    True,
    7,
    0.5,
    "",
    "x",
    "a/b@c",
    "\x00",
    [],
    [1],
    ["x"],
    [{}],
    [{"name": 1}],
    {},
    {"name": []},
]
PLACES = [
    "name",
    "metadata",
    "settings",
    "nodeConfig",
    "autoscaling",
    "member",
    "project",
    "location",
    "spec",
    "values",
]


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(TYPES), st.sampled_from("abc")),
        st.dictionaries(st.sampled_from(PLACES), st.sampled_from(ODD), max_size=4),
        max_size=8,
    )
)
def test_no_inputs_make_it_fail_and_ids_stay_unique(found: dict[tuple[str, str], dict[str, object]]) -> None:
    whole = drawn(*(made(kind, name, inputs) for (kind, name), inputs in found.items()))
    ids = [one.id for one in whole.walk()]
    assert len(ids) == len(set(ids))
    assert {one.source for one in whole.arrows} | {one.target for one in whole.arrows} <= set(ids)
