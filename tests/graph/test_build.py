"""From resources to boxes and arrows, for each kind of resource."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import CLUSTER, INSTANCE, NAMESPACE, NETWORK, POOL, provider, resource

from atwork.engine.urn import name_of
from atwork.graph import inventory as types
from atwork.graph.build import Picture, picture
from atwork.graph.model import Arrow, Box
from atwork.graph.resources import StackResource, of_state


def box(content: Picture, name: str) -> Box:
    boxes = {item.id: item for item in content.walk()}
    assert name in boxes, sorted(boxes)
    return boxes[name]


def drawn(*resources: StackResource, stack: str = "staging") -> Picture:
    return picture({stack: resources})


def test_a_network_has_its_ranges_and_holds_the_cluster() -> None:
    ranges = {
        "ipCidrRange": "10.0.16.0/20",
        "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.65.0.0/16"}],
    }
    content = drawn(
        provider("acme-staging"),
        resource(NETWORK, "network-vpc", {"name": "atwork-staging"}),
        resource(types.SUBNETWORK, "network-subnet", ranges),
        resource(
            CLUSTER,
            "cluster-cluster",
            {"name": "atwork-staging", "location": "europe-west1", "deletionProtection": True},
        ),
    )
    assert box(content, "staging.environment").facts == ("acme-staging", "europe-west1")
    network = box(content, "staging.network.network-vpc")
    assert network.title == "VPC atwork-staging"
    assert network.facts == ("nodes 10.0.16.0/20", "pods 10.65.0.0/16")
    assert [item.kind for item in network.children] == ["cluster"]
    cluster = box(content, "staging.cluster.cluster-cluster")
    assert (cluster.title, cluster.facts, cluster.guarded) == ("GKE atwork-staging", ("europe-west1",), True)


def test_an_internal_load_balancer_has_its_proxies_and_its_address() -> None:
    proxies = {"ipCidrRange": "10.32.0.0/24", "purpose": "REGIONAL_MANAGED_PROXY"}
    content = drawn(
        provider("acme-staging"),
        resource(NETWORK, "network-vpc", {"name": "atwork-staging"}),
        resource(types.SUBNETWORK, "network-proxies", proxies),
        resource(types.NAT, "network-nat", {"name": "nat"}),
        resource(types.ADDRESS, "gateway-address", {"addressType": "INTERNAL", "name": "gateway"}),
        resource("gcp:compute/regionSslPolicy:RegionSslPolicy", "gateway-tls", {"name": "gateway"}),
        resource(types.CERTIFICATE, "gateway-certificate", {"managed": {"domains": ["a.dev"]}}),
        resource(types.RECORD, "service-orders-record", {"name": "orders.a.dev.", "type": "A"}),
        resource(CLUSTER, "cluster-cluster", {"name": "atwork-staging"}),
    )
    assert box(content, "staging.network.network-vpc").facts == ("proxies 10.32.0.0/24",)
    assert box(content, "staging.nat.network-nat").facts == ("addresses of Google's choice",)
    gateway = box(content, "staging.gateway")
    assert gateway.title == "Internal load balancer"
    assert gateway.facts == ("hosts: orders.a.dev", "certificate of a.dev")


def test_a_cluster_in_a_network_of_somebody_else_is_drawn_in_it() -> None:
    inputs = {"name": "atwork-staging", "network": "projects/acme-host/global/networks/shared-vpc"}
    content = drawn(provider("acme-staging"), resource(CLUSTER, "cluster-cluster", inputs))
    network = box(content, "staging.network.existing")
    assert (network.title, network.facts) == ("VPC shared-vpc", ("existing, in acme-host",))
    assert [item.kind for item in network.children] == ["cluster"]


@pytest.mark.parametrize(
    ("inputs", "facts"),
    [
        (
            {
                "autoscaling": {"totalMinNodeCount": 1, "totalMaxNodeCount": 6},
                "nodeConfig": {"machineType": "e2-standard-4"},
            },
            ("e2-standard-4 \u00d7 1\u20136",),
        ),
        (
            {"autoscaling": {"totalMaxNodeCount": 8}, "nodeConfig": {"machineType": "n2d", "spot": True}},
            ("n2d \u00d7 0\u20138", "spot"),
        ),
        (
            {"nodeCount": 3, "nodeConfig": {"machineType": "n2d"}, "upgradeSettings": {"strategy": "BLUE_GREEN"}},
            ("n2d \u00d7 3", "blue/green"),
        ),
        ({}, ()),
    ],
)
def test_a_node_pool_says_its_machine_and_how_many(inputs: dict[str, object], facts: tuple[str, ...]) -> None:
    content = drawn(resource(CLUSTER, "cluster-cluster"), resource(POOL, "pools-services", inputs))
    pool = box(content, "staging.pool.pools-services")
    assert (pool.title, pool.facts) == ("services", facts)


def test_a_cluster_that_adds_nodes_by_itself_says_how_far() -> None:
    limits = [{"resourceType": "cpu", "maximum": 64}, {"resourceType": "memory", "maximum": 256}]
    content = drawn(resource(CLUSTER, "c", {"clusterAutoscaling": {"enabled": True, "resourceLimits": limits}}))
    assert box(content, "staging.pool.c-on-demand").facts == ("≤ 64 CPU", "256 GB")
    without = drawn(resource(CLUSTER, "c", {"clusterAutoscaling": {"enabled": False, "resourceLimits": limits}}))
    assert not [item for item in without.walk() if item.kind == "pool"]


def test_the_control_plane_says_how_it_is_reached() -> None:
    closed = {"dnsEndpointConfig": {"allowExternalTraffic": True}, "ipEndpointsConfig": {"enabled": False}}
    content = drawn(resource(CLUSTER, "c", {"controlPlaneEndpointsConfig": closed}))
    assert box(content, "staging.control.c").facts == ("DNS endpoint, IAM", "no IP endpoint")
    content = drawn(resource(CLUSTER, "c", {"name": "old"}))
    assert box(content, "staging.control.c").facts == ("IP endpoint",)


@pytest.mark.parametrize(
    ("version", "logs", "shown"),
    [
        ("POSTGRES_18", "pointInTimeRecoveryEnabled", "PostgreSQL 18"),
        ("MYSQL_8_4", "binaryLogEnabled", "MySQL 8.4"),
    ],
)
def test_a_database_says_what_it_survives(version: str, logs: str, shown: str) -> None:
    settings = {
        "tier": "db-custom-4-16384",
        "availabilityType": "REGIONAL",
        "ipConfiguration": {"ipv4Enabled": False},
        "backupConfiguration": {
            logs: True,
            "transactionLogRetentionDays": 7,
            "backupRetentionSettings": {"retainedBackups": 30},
        },
    }
    content = drawn(
        resource(
            INSTANCE,
            "database-main-instance",
            {"databaseVersion": version, "deletionProtection": True, "settings": settings},
        ),
        resource(types.DATABASE, "database-main-orders", {"instance": "database-main-instance", "name": "orders"}),
    )
    boxes = box(content, "staging.database.database-main-instance")
    assert boxes.title == "Cloud SQL main"
    assert boxes.guarded
    assert boxes.facts == (
        shown,
        "db-custom-4-16384",
        "standby in another zone",
        "PITR 7 days",
        "30 backups",
        "private",
        "databases: orders",
    )


def test_everything_outside_the_network_has_its_own_boxes() -> None:
    content = drawn(
        provider("acme-staging"),
        resource(types.SECRET, "secrets-a", {"secretId": "payment-gateway"}),
        resource(types.KEY, "keys-disks", {"name": "disks"}),
        resource(
            types.BACKUP, "backup-plan", {"location": "europe-north1", "retentionPolicy": {"backupRetainDays": 30}}
        ),
        resource(types.API, "project-service-compute", {"service": "compute.googleapis.com"}),
        resource(types.REPOSITORY, "registry-services", {"repositoryId": "services", "location": "europe"}),
        resource(
            types.IMAGES, "images-policy", {"defaultAdmissionRule": {"enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG"}}
        ),
        resource(CLUSTER, "c"),
    )
    assert box(content, "staging.secrets").facts == ("1 secret", "payment-gateway")
    assert box(content, "staging.keys").facts == ("disks",)
    assert box(content, "staging.backup.backup-plan").facts == ("of the cluster", "in europe-north1", "kept 30 days")
    assert box(content, "staging.project").facts == ("1 API",)
    assert box(content, "staging.registry").facts == ("europe-docker.pkg.dev/acme-staging",)
    assert box(content, "staging.repository.registry-services").title == "services"
    assert box(content, "staging.images.images-policy").facts == ("only our registry's",)


def test_a_secret_value_is_never_drawn() -> None:
    hidden = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "AAAA"}
    content = drawn(resource(CLUSTER, "c", {"name": hidden, "location": hidden}))
    assert box(content, "staging.cluster.c").title == "GKE c"
    assert box(content, "staging.cluster.c").facts == ()


def platform() -> dict[str, list[StackResource]]:
    """A hub that builds and deploys, and an environment: with the permissions that arrows are drawn from."""
    pod = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/acme-{}.svc.id.goog/subject/ns/{}/sa/x"
    nodes = {"nodeConfig": {"serviceAccount": "nodes@acme-staging.iam.gserviceaccount.com"}}
    release = resource("atwork:jenkins:Jenkins", "jenkins", stack="ci")
    account = {"iam.gke.io/gcp-service-account": "deployer@acme-staging.iam.gserviceaccount.com"}
    main = resource("atwork:database:Database", "database-main")
    return {
        "ci": [
            provider("acme-ci", "ci"),
            release,
            resource(CLUSTER, "c", stack="ci"),
            resource(types.RELEASE, "jenkins-release", {"chart": "jenkins"}, parent=release.urn, stack="ci"),
            resource(NAMESPACE, "agents", {"metadata": {"name": "agents"}}, parent=release.urn, stack="ci"),
            resource(NAMESPACE, "deploy", {"metadata": {"name": "deploy-staging"}}, parent=release.urn, stack="ci"),
            resource(
                types.SERVICE_ACCOUNT,
                "deployer",
                {"metadata": {"namespace": "deploy-staging", "annotations": account}},
                stack="ci",
            ),
            resource(
                types.REPOSITORY, "registry-services", {"repositoryId": "services", "location": "europe"}, stack="ci"
            ),
            resource(
                types.REPOSITORY_MEMBER,
                "push",
                {"role": "roles/artifactregistry.writer", "member": pod.format("ci", "agents"), "project": "acme-ci"},
                stack="ci",
            ),
        ],
        "staging": [
            provider("acme-staging"),
            resource(CLUSTER, "c"),
            resource(POOL, "pools-system", nodes),
            resource(types.NAT, "nat"),
            main,
            resource(INSTANCE, "database-main-instance", parent=main.urn),
            resource(NAMESPACE, "orders", {"metadata": {"name": "orders"}}),
            resource(types.SECRET, "secret", {"secretId": "payment"}),
            resource(
                types.REPOSITORY_MEMBER,
                "pull",
                {
                    "role": "roles/artifactregistry.reader",
                    "member": "serviceAccount:nodes@acme-staging.iam.gserviceaccount.com",
                    "project": "acme-ci",
                },
            ),
            resource(types.ACCOUNT_MEMBER, "deploys", {"member": pod.format("ci", "deploy-staging")}),
            resource(
                types.ACCOUNT_MEMBER,
                "login",
                {"member": "serviceAccount:acme-staging.svc.id.goog[orders/orders]"},
                parent=main.urn,
            ),
            resource(types.SECRET_MEMBER, "reads", {"member": pod.format("staging", "orders")}),
            resource(
                types.PROJECT_MEMBER,
                "people",
                {"member": "group:engineers@example.com", "role": "projects/acme-staging/roles/clusterConnect"},
            ),
        ],
    }


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
    content = picture(platform())
    assert set(content.arrows) == ARROWS
    assert [item.id for item in content.hubs] == ["ci.cell"]
    assert box(content, "staging.outside.people").title == "engineers"
    assert [item.title for item in box(content, "ci.jenkins.jenkins-release").children] == ["agents", "deploy-staging"]


@pytest.mark.parametrize(
    ("left_out", "arrow"),
    [
        ("push", "images ci.namespace.agents"),
        ("pull", "images ci.registry"),
        ("deployer", "deploys"),
        ("login", "data"),
        ("reads", "secrets"),
        ("people", "people"),
        ("nat", "internet"),
    ],
)
def test_without_the_permission_there_is_no_arrow(left_out: str, arrow: str) -> None:
    stacks = {stack: [item for item in boxes if item.name != left_out] for stack, boxes in platform().items()}
    lost = ARROWS - set(picture(stacks).arrows)
    assert len(lost) == 1
    assert all(f"{item.kind} {item.source}".startswith(arrow) for item in lost)


def test_an_environment_alone_shows_where_its_images_and_deploys_come_from() -> None:
    content = picture({"staging": platform()["staging"]})
    assert box(content, "outside.acme-ci").facts == ("not in this picture",)
    assert Arrow("images", "outside.acme-ci", "staging.pools.c") in content.arrows
    assert Arrow("deploys", "outside.acme-ci", "staging.control.c") in content.arrows


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
    assert [(item.name, name_of(item.parent)) for item in of_state(state)] == [("one", ""), ("two", "one")]
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
def test_no_inputs_make_it_fail_and_ids_stay_unique(boxes: dict[tuple[str, str], dict[str, object]]) -> None:
    content = drawn(*(resource(kind, name, inputs) for (kind, name), inputs in boxes.items()))
    ids = [item.id for item in content.walk()]
    assert len(ids) == len(set(ids))
    assert {item.source for item in content.arrows} | {item.target for item in content.arrows} <= set(ids)
