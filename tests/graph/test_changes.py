"""What changes is coloured at its box or at the nearest that owns it, and no change is lost."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.events import report, step
from support.mocks import Recording
from support.pictures import CLUSTER, INSTANCE, NAMESPACE, POOL, cloud, declared, made, parsed

from atwork.graph import inventory as types
from atwork.graph.build import picture
from atwork.graph.draw import draw, for_reports
from atwork.graph.marks import marks
from atwork.graph.resources import Resource, parent_of, with_changes
from atwork.report.model import Change, StackReport

KINDS = ("create", "update", "replace", "delete", "guard", "rename", "import", "read", "other")

NODES = made("atwork:node_pools:NodePools", "pools")
NETWORK = made("atwork:network:Network", "network")
TENANT = made("atwork:tenant:Tenant", "tenant-orders")
SPACE = made("atwork:namespace:Namespace", "tenant-orders", parent=TENANT.urn)
MAIN = made("atwork:database:Database", "database-main")
BASELINE = made("atwork:baseline:Baseline", "baseline")
RESOURCES = [
    cloud("acme-staging"), NODES, NETWORK, TENANT, SPACE, MAIN, BASELINE,
    made(types.NETWORK, "network-vpc", parent=NETWORK.urn),
    made(types.NAT, "network-nat", parent=NETWORK.urn),
    made("gcp:dns/managedZone:ManagedZone", "network-zone", parent=NETWORK.urn),
    made(CLUSTER, "cluster-cluster"),
    made(POOL, "pools-system", parent=NODES.urn),
    made(POOL, "pools-services", parent=NODES.urn),
    made(INSTANCE, "database-main-instance", parent=MAIN.urn),
    made("gcp:sql/user:User", "database-main-group-dba", parent=MAIN.urn),
    made(NAMESPACE, "tenant-orders-namespace", {"metadata": {"name": "orders"}}, parent=SPACE.urn),
    made(types.QUOTA, "tenant-orders-quota", {"metadata": {"namespace": "orders"}}, parent=SPACE.urn),
    made("kubernetes:core/v1:ConfigMap", "service-orders-facts", {"metadata": {"namespace": "orders"}}),
    made("kubernetes:storage.k8s.io/v1:StorageClass", "baseline-storage", parent=BASELINE.urn),
    made(types.API, "project-service-compute"),
    made("gcp:storage/bucket:Bucket", "somewhere"),
]  # fmt: skip
URNS = {one.name if one.type.count(":") > 1 else one.urn: one.urn for one in RESOURCES}


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
    for urn in (one.urn for one in RESOURCES if one.name == name):
        assert marks(cell, RESOURCES, {urn: "update"}) == {f"staging.{box}": Counter(update=1)}


def shown(svg: str) -> Counter[str]:
    """Counts of all kinds that the picture says, by its attributes."""
    found: Counter[str] = Counter()
    for said in re.findall(r'data-changes="([^"]*)"', svg):
        for one in said.split():
            kind, _, count = one.partition(":")
            found[kind] += int(count)
    return found


@settings(max_examples=15, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*(one.urn for one in RESOURCES), "urn:pulumi:staging::atwork::a:b:C::unknown", "no urn"]),
        st.sampled_from(KINDS),
    ),
    st.sampled_from(["staging", "gone"]),
)
def test_no_change_is_lost(changes: dict[str, str], stack: str) -> None:
    svg = draw({"staging": RESOURCES}, {stack: changes})
    assert shown(svg) == Counter(changes.values())
    assert ("Nothing changes." in svg) == (not changes)


def test_what_fits_nowhere_is_told_with_the_environment() -> None:
    svg = draw({"staging": RESOURCES}, {"staging": {URNS["somewhere"]: "delete", URNS["pools-system"]: "guard"}})
    root = parsed(svg)
    boxes = {one.get("id"): one for one in root.iter() if one.get("id")}
    assert "and \u22121 elsewhere" in [one.text for one in boxes["staging.environment"]]
    assert (boxes["staging.environment"].get("class") or "").split()[-1] == "delete"
    assert (boxes["staging.pool.pools-system"].get("class") or "").split()[-1] == "guard"
    assert "!1" in [one.text for one in boxes["staging.pool.pools-system"]]


def test_the_kind_that_needs_the_most_attention_gives_the_colour() -> None:
    svg = draw(
        {"staging": RESOURCES},
        {"staging": {URNS["database-main-instance"]: "update", URNS["database-main-group-dba"]: "delete"}},
    )
    assert 'class="box database leaf delete" data-urn' in svg
    assert ">~1 \u22121<" in svg


def created(chain: str, name: str) -> Change:
    urn = f"urn:pulumi:staging::atwork::{chain}::{name}"
    return Change(kind="create", step="create", type=chain.rpartition("$")[2], name=name, urn=urn)


def test_what_is_to_be_created_has_boxes_before_it_is_there() -> None:
    tenant = "atwork:tenant:Tenant"
    changes = (
        created(f"{NODES.type}${POOL}", "pools-gpu"),
        created(tenant, "tenant-stock"),
        created(f"{tenant}$atwork:namespace:Namespace", "tenant-stock"),
        created(f"{tenant}$atwork:namespace:Namespace${NAMESPACE}", "tenant-stock-namespace"),
        created(f"{tenant}$atwork:namespace:Namespace${types.QUOTA}", "tenant-stock-quota"),
    )
    one = report(stack="staging").model_copy(update={"changes": changes})
    svg = for_reports([one], {"staging": RESOURCES})
    boxes = {found.get("id"): found.get("data-changes") for found in parsed(svg).iter() if found.get("id")}
    assert boxes["staging.pool.pools-gpu"] == "create:1"
    assert boxes["staging.namespace.stock"] == "create:4"
    assert shown(svg) == Counter(create=5)


def test_a_new_environment_is_drawn_from_its_report_alone() -> None:
    one = report(
        step("create", CLUSTER, "cluster-cluster", None, {"name": "atwork-demo"}, stack="demo"),
        step("create", INSTANCE, "database-main-instance", None, {}, stack="demo"), stack="demo", new=True,
    )  # fmt: skip
    svg = for_reports([one], {})
    assert 'id="demo.cluster.cluster-cluster" class="box cluster create"' in svg
    assert 'id="demo.database.database-main-instance" class="box database leaf create"' in svg
    assert shown(svg) == Counter(create=2)


def test_what_is_renamed_is_drawn_once_under_its_new_name() -> None:
    old = next(one for one in RESOURCES if one.name == "pools-system")
    new = old.urn.replace("pools-system", "pools-first")
    change = Change(kind="rename", step="same", type=POOL, name="pools-first", urn=new, renamed_from=old.urn)
    found = [one.name for one in with_changes(RESOURCES, [change]) if one.type == POOL]
    assert sorted(found) == ["pools-first", "pools-services"]


def test_the_parent_of_what_is_new_is_found_by_types_and_name() -> None:
    chain = f"{TENANT.type}$kubernetes:core/v1:ServiceAccount"
    stock, stocks = made(TENANT.type, "tenant-stock"), made(TENANT.type, "tenant-stock-old")
    every = [TENANT, stock, stocks]
    head = "urn:pulumi:staging::atwork::"
    assert parent_of(f"{head}{chain}::tenant-stock-account", every) == stock.urn
    assert parent_of(f"{head}{chain}::tenant-stock-old-account", every) == stocks.urn
    assert parent_of(f"{head}{chain}::elsewhere", every) == ""
    assert parent_of(f"{head}{chain}::elsewhere", [stock]) == stock.urn
    assert parent_of(f"{head}{TENANT.type}::tenant-new", every) == ""


def test_every_resource_of_the_real_stacks_has_a_box_of_its_own_or_of_its_kin(recordings: dict[str, Recording]) -> None:
    for stack, recording in recordings.items():
        resources: list[Resource] = declared(stack, recording)
        cell = picture({stack: resources}).of_stack[stack]
        found = marks(cell, resources, {one.urn: "update" for one in resources})
        assert sum(sum(counts.values()) for counts in found.values()) == len(resources)
        elsewhere = found.get(f"{stack}.environment", Counter())
        assert elsewhere.total() <= 4, stack  # the reference to ci, service agents
        # All at once, in every box: the picture still has room for it.
        reports: list[StackReport] = [report(stack=stack)]
        assert for_reports(reports, {stack: resources}).startswith("<svg")
