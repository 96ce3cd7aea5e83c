"""Every change is shown at the box of its resource, or at the nearest box that contains it."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.events import report, step
from support.mocks import Recording
from support.pictures import CLUSTER, INSTANCE, NAMESPACE, POOL, declared, parsed, provider, resource

from atwork.graph import inventory as types
from atwork.graph.build import picture
from atwork.graph.draw import draw, for_reports
from atwork.graph.marks import marks
from atwork.graph.resources import StackResource, parent_of, with_changes
from atwork.report.model import Change, StackReport

KINDS = ("create", "update", "replace", "delete", "guard", "rename", "import", "read", "other")

NODES = resource("atwork:node_pools:NodePools", "pools")
NETWORK = resource("atwork:network:Network", "network")
TENANT = resource("atwork:tenant:Tenant", "tenant-orders")
SPACE = resource("atwork:namespace:Namespace", "tenant-orders", parent=TENANT.urn)
MAIN = resource("atwork:database:Database", "database-main")
BASELINE = resource("atwork:baseline:Baseline", "baseline")
RESOURCES = [
    provider("acme-staging"),
    NODES,
    NETWORK,
    TENANT,
    SPACE,
    MAIN,
    BASELINE,
    resource(types.NETWORK, "network-vpc", parent=NETWORK.urn),
    resource(types.NAT, "network-nat", parent=NETWORK.urn),
    resource("gcp:dns/managedZone:ManagedZone", "network-zone", parent=NETWORK.urn),
    resource(CLUSTER, "cluster-cluster"),
    resource(POOL, "pools-system", parent=NODES.urn),
    resource(POOL, "pools-services", parent=NODES.urn),
    resource(INSTANCE, "database-main-instance", parent=MAIN.urn),
    resource("gcp:sql/user:User", "database-main-group-dba", parent=MAIN.urn),
    resource(NAMESPACE, "tenant-orders-namespace", {"metadata": {"name": "orders"}}, parent=SPACE.urn),
    resource(types.QUOTA, "tenant-orders-quota", {"metadata": {"namespace": "orders"}}, parent=SPACE.urn),
    resource("kubernetes:core/v1:ConfigMap", "service-orders-facts", {"metadata": {"namespace": "orders"}}),
    resource("kubernetes:storage.k8s.io/v1:StorageClass", "baseline-storage", parent=BASELINE.urn),
    resource(types.API, "project-service-compute"),
    resource("gcp:storage/bucket:Bucket", "somewhere"),
]
URNS = {item.name if item.type.count(":") > 1 else item.urn: item.urn for item in RESOURCES}


@pytest.mark.parametrize(
    ("name", "box"),
    [
        ("pools-system", "pool.pools-system"),
        ("pools", "pools.cluster-cluster"),
        ("network-zone", "network.network-vpc"),
        ("network", "network.network-vpc"),
        ("network-nat", "nat.network-nat"),
        ("database-main-group-dba", "database.database-main-instance"),
        ("tenant-orders-quota", "namespace.orders"),
        ("service-orders-facts", "namespace.orders"),
        ("tenant-orders", "namespace.orders"),
        ("baseline-storage", "cluster.cluster-cluster"),
        ("baseline", "cluster.cluster-cluster"),
        ("project-service-compute", "project"),
        ("somewhere", "environment"),
    ],
)
def test_the_nearest_box_shows_it(name: str, box: str) -> None:
    cell = picture({"staging": RESOURCES}).of_stack["staging"]
    for urn in (item.urn for item in RESOURCES if item.name == name):
        assert marks(cell, RESOURCES, {urn: "update"}) == {f"staging.{box}": Counter(update=1)}


def shown(svg: str) -> Counter[str]:
    """The counts of all kinds in the attributes of the picture."""
    counts: Counter[str] = Counter()
    for attribute in re.findall(r'data-changes="([^"]*)"', svg):
        for item in attribute.split():
            kind, _, count = item.partition(":")
            counts[kind] += int(count)
    return counts


@settings(max_examples=15, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*(item.urn for item in RESOURCES), "urn:pulumi:staging::atwork::a:b:C::unknown", "no urn"]),
        st.sampled_from(KINDS),
    ),
    st.sampled_from(["staging", "gone"]),
)
def test_no_change_is_lost(changes: dict[str, str], stack: str) -> None:
    svg = draw({"staging": RESOURCES}, {stack: changes})
    assert shown(svg) == Counter(changes.values())
    assert ("Nothing changes." in svg) == (not changes)


def test_a_change_without_a_box_is_shown_at_the_environment() -> None:
    svg = draw({"staging": RESOURCES}, {"staging": {URNS["somewhere"]: "delete", URNS["pools-system"]: "guard"}})
    root = parsed(svg)
    boxes = {item.get("id"): item for item in root.iter() if item.get("id")}
    assert "and \u22121 elsewhere" in [item.text for item in boxes["staging.environment"]]
    assert (boxes["staging.environment"].get("class") or "").split()[-1] == "delete"
    assert (boxes["staging.pool.pools-system"].get("class") or "").split()[-1] == "guard"
    assert "!1" in [item.text for item in boxes["staging.pool.pools-system"]]


def test_the_kind_that_needs_the_most_attention_determines_the_color() -> None:
    svg = draw(
        {"staging": RESOURCES},
        {"staging": {URNS["database-main-instance"]: "update", URNS["database-main-group-dba"]: "delete"}},
    )
    assert 'class="box database leaf delete" data-urn' in svg
    assert ">~1 \u22121<" in svg


def created(chain: str, name: str) -> Change:
    urn = f"urn:pulumi:staging::atwork::{chain}::{name}"
    return Change(kind="create", step="create", type=chain.rpartition("$")[2], name=name, urn=urn)


def test_resources_that_will_be_created_have_boxes() -> None:
    tenant = "atwork:tenant:Tenant"
    changes = (
        created(f"{NODES.type}${POOL}", "pools-gpu"),
        created(tenant, "tenant-stock"),
        created(f"{tenant}$atwork:namespace:Namespace", "tenant-stock"),
        created(f"{tenant}$atwork:namespace:Namespace${NAMESPACE}", "tenant-stock-namespace"),
        created(f"{tenant}$atwork:namespace:Namespace${types.QUOTA}", "tenant-stock-quota"),
    )
    item = report(stack="staging").model_copy(update={"changes": changes})
    svg = for_reports([item], {"staging": RESOURCES})
    boxes = {counts.get("id"): counts.get("data-changes") for counts in parsed(svg).iter() if counts.get("id")}
    assert boxes["staging.pool.pools-gpu"] == "create:1"
    assert boxes["staging.namespace.stock"] == "create:4"
    assert shown(svg) == Counter(create=5)


def test_a_new_environment_is_drawn_from_its_report_alone() -> None:
    item = report(
        step("create", CLUSTER, "cluster-cluster", None, {"name": "atwork-demo"}, stack="demo"),
        step("create", INSTANCE, "database-main-instance", None, {}, stack="demo"),
        stack="demo",
        new=True,
    )
    svg = for_reports([item], {})
    assert 'id="demo.cluster.cluster-cluster" class="box cluster create"' in svg
    assert 'id="demo.database.database-main-instance" class="box database leaf create"' in svg
    assert shown(svg) == Counter(create=2)


def test_the_stacks_of_groups_are_drawn_in_their_environment() -> None:
    tenant = "atwork:tenant:Tenant"
    changes = (
        created(tenant, "tenant-stock"),
        created(f"{tenant}$atwork:namespace:Namespace", "tenant-stock"),
        created(f"{tenant}$atwork:namespace:Namespace${NAMESPACE}", "tenant-stock-namespace"),
    )
    reports = [report(stack="staging"), report(stack="staging.shop").model_copy(update={"changes": changes})]
    svg = for_reports(reports, {"staging": RESOURCES})
    boxes = {element.get("id"): element.get("data-changes") for element in parsed(svg).iter() if element.get("id")}
    assert boxes["staging.namespace.stock"] == "create:3"
    assert svg.count('class="box environment') == 1
    assert shown(svg) == Counter(create=3)


def test_a_renamed_resource_is_drawn_once_under_its_new_name() -> None:
    old = next(item for item in RESOURCES if item.name == "pools-system")
    new = old.urn.replace("pools-system", "pools-first")
    change = Change(kind="rename", step="same", type=POOL, name="pools-first", urn=new, renamed_from=old.urn)
    counts = [item.name for item in with_changes(RESOURCES, [change]) if item.type == POOL]
    assert sorted(counts) == ["pools-first", "pools-services"]


def test_the_parent_of_a_new_resource_follows_from_types_and_name() -> None:
    chain = f"{TENANT.type}$kubernetes:core/v1:ServiceAccount"
    stock, stocks = resource(TENANT.type, "tenant-stock"), resource(TENANT.type, "tenant-stock-old")
    resources = [TENANT, stock, stocks]
    head = "urn:pulumi:staging::atwork::"
    assert parent_of(f"{head}{chain}::tenant-stock-account", resources) == stock.urn
    assert parent_of(f"{head}{chain}::tenant-stock-old-account", resources) == stocks.urn
    assert parent_of(f"{head}{chain}::elsewhere", resources) == ""
    assert parent_of(f"{head}{chain}::elsewhere", [stock]) == stock.urn
    assert parent_of(f"{head}{TENANT.type}::tenant-new", resources) == ""


def test_every_resource_of_the_real_stacks_has_a_box(recordings: dict[str, Recording]) -> None:
    for stack, recording in recordings.items():
        resources: list[StackResource] = declared(stack, recording)
        cell = picture({stack: resources}).of_stack[stack]
        counts = marks(cell, resources, {item.urn: "update" for item in resources})
        assert sum(sum(counts.values()) for counts in counts.values()) == len(resources)
        elsewhere = counts.get(f"{stack}.environment", Counter())
        assert elsewhere.total() <= 4, stack  # the reference to ci, service agents
        # With changes in every box, the picture still has enough room.
        reports: list[StackReport] = [report(stack=stack)]
        assert for_reports(reports, {stack: resources}).startswith("<svg")
