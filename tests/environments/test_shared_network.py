"""Rights in the host project of a Shared VPC, and whether its owner has prepared the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support import bootstrapping, networks
from support.bootstrapping import Account
from support.google import error
from support.networks import HOST, SUBNETWORK

from atwork.environments.bootstrap import plan as plans
from atwork.environments.bootstrap.google_errors import GoogleError
from atwork.environments.bootstrap.run import bootstrap
from atwork.environments.preflight import network, run
from atwork.environments.preflight.check import Check
from infra import company
from infra.config import read_all

PROJECT = "acme-at-work-staging"
NUMBER = "739104285516"
ROBOT = f"serviceAccount:service-{NUMBER}@container-engine-robot.iam.gserviceaccount.com"
MACHINES = f"serviceAccount:{NUMBER}@cloudservices.gserviceaccount.com"
DEPLOY = "serviceAccount:deploy-staging@acme-at-work-admin.iam.gserviceaccount.com"
SUBNET = f"/compute/v1/{SUBNETWORK}"


@pytest.fixture
def shared(account: Account) -> Account:
    """Staging in an existing project and the Shared VPC, which its owner has prepared."""
    networks.put(account.checkout / "stacks")
    account.fake.state.projects[PROJECT] = {"name": f"projects/{NUMBER}", "projectId": PROJECT, "state": "ACTIVE"}
    account.fake.state.billing[PROJECT] = "billingAccounts/01AB23-CD45EF-678901"
    networks.prepared(account.fake, PROJECT)
    return account


def members(account: Account, resource: str) -> dict[str, set[str]]:
    by_role: dict[str, set[str]] = {}
    for binding in account.fake.state.policies.get(resource, []):
        by_role.setdefault(binding["role"], set()).update(binding["members"])
    return by_role


def checked(account: Account) -> dict[str, Check]:
    stacks = account.checkout / "stacks"
    config, platform = read_all(stacks)["staging"], company.read(stacks)
    google = bootstrapping.google(account.endpoint)
    plan = plans.of("staging", read_all(stacks), platform)
    return {check.name: check for check in (*network.checks(google, config), *network.rights_check(google, plan))}


def test_bootstrap_grants_agents_and_updates_the_subnet_and_nothing_else(shared: Account) -> None:
    assert bootstrapping.run(shared.checkout, shared.endpoint) == 0
    assert members(shared, SUBNETWORK) == {"roles/compute.networkUser": {ROBOT, MACHINES, DEPLOY}}
    assert members(shared, f"projects/{HOST}") == {"roles/container.hostServiceAgentUser": {ROBOT}}
    assert {"compute.googleapis.com", "container.googleapis.com"} <= shared.fake.state.services[PROJECT]
    before = len(shared.fake.changes)
    assert bootstrapping.run(shared.checkout, shared.endpoint) == 0
    assert len(shared.fake.changes) == before


def test_without_rights_in_the_host_project_all_else_is_done_and_the_owner_gets_commands(
    shared: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    shared.fake.fail("GET", f"{SUBNET}/getIamPolicy", error(403, "Required 'compute.subnetworks.getIamPolicy'"))
    with pytest.raises(GoogleError, match=r"rights in the network of acme-network-host.*compute\.networkAdmin"):
        bootstrapping.run(shared.checkout, shared.endpoint)
    assert bootstrapping.calls(shared.checkout), "the stack is created before"
    capsys.readouterr()
    assert bootstrap(shared.checkout, "staging", resume=False, dry_run=True) == 0
    commands = capsys.readouterr().out
    assert "gcloud compute networks subnets add-iam-policy-binding staging --region=europe-west1" in commands
    number = f"$(gcloud projects describe {PROJECT} --format='value(projectNumber)')"
    assert f"service-{number}@container-engine-robot" in commands


def test_an_environment_with_its_own_network_has_no_step_for_it(account: Account) -> None:
    stacks = account.checkout / "stacks"
    assert network.names(read_all(stacks)["staging"]) == ()
    assert bootstrapping.run(account.checkout, account.endpoint) == 0
    assert not [name for name in account.fake.state.policies if "subnetworks" in name]


def test_all_is_prepared(shared: Account) -> None:
    assert bootstrapping.run(shared.checkout, shared.endpoint) == 0
    checks = checked(shared)
    assert list(checks) == [*network.NAMES, *network.SHARED]
    assert [str(check) for check in checks.values() if not check.ok] == []
    names = network.names(read_all(shared.checkout / "stacks")["staging"])
    assert list(checks) == list(names)


def test_the_checks_are_part_of_preflight(shared: Account) -> None:
    stacks = shared.checkout / "stacks"
    checks = run.preflight(
        "staging",
        read_all(stacks)["staging"],
        company.read(stacks),
        login=lambda: bootstrapping.google(shared.endpoint),
    )
    assert {*network.NAMES, *network.SHARED} <= {check.name for check in checks}


def test_the_proxies_of_an_internal_gateway_are_asked_for(shared: Account) -> None:
    networks.put(shared.checkout / "stacks", proxies="10.32.0.0/24")
    [path] = [key for key in shared.fake.state.networks if key.endswith("/routers")]
    link = shared.fake.state.networks[path]["items"][0]["network"]
    subnet = {"network": link, "purpose": "REGIONAL_MANAGED_PROXY", "role": "ACTIVE", "ipCidrRange": "10.32.0.0/24"}
    for changes in ({"role": "BACKUP"}, {"ipCidrRange": "10.33.0.0/24"}, {"network": "other"}, {"purpose": "PRIVATE"}):
        shared.fake.state.networks[path.replace("/routers", "/subnetworks")] = {"items": [subnet | changes]}
        check = checked(shared)["network services"]
        assert check.ok is False
        assert "an active proxy-only subnet 10.32.0.0/24 in europe-west1" in check.detail
    shared.fake.state.networks[path.replace("/routers", "/subnetworks")] = {"items": [subnet]}
    assert checked(shared)["network services"].ok


def _subnet(**changes: Any) -> Callable[[Account], None]:
    def change(account: Account) -> None:
        account.fake.state.networks[SUBNET] |= changes

    return change


def _set(path: str, value: Any) -> Callable[[Account], None]:
    def change(account: Account) -> None:
        [key] = [key for key in account.fake.state.networks if key.endswith(path)]
        account.fake.state.networks[key] = value

    return change


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        (lambda account: account.fake.state.networks.pop(SUBNET), "subnet", f"{SUBNETWORK} does not exist"),
        (_subnet(privateIpGoogleAccess=False), "subnet", "Private Google Access is off"),
        (_subnet(ipCidrRange="10.1.0.0/20"), "subnet", "its primary range is 10.1.0.0/20, and network.nodes is 10"),
        (_subnet(secondaryIpRanges=[]), "subnet", "its secondary range staging-pods does not exist (it has none)"),
        (
            _subnet(network="projects/other/global/networks/a"),
            "subnet",
            "staging is in projects/other/global/networks/a,",
        ),
        (_set("/routers", {}), "network services", "missing: Cloud NAT in europe-west1"),
        (_set("/managedZones", {}), "network services", "a private DNS zone gke.goog."),
        (_set("/serviceConnectionPolicies", {}), "network services", "a service connection policy of google-cloud-sql"),
        (_set("/getXpnHost", {}), "Shared VPC", f"{PROJECT} is not a service project"),
        (lambda _: None, "rights in the network", f"missing: roles/compute.networkUser of {ROBOT}"),
    ],
)
def test_what_is_missing_is_named(shared: Account, change: Callable[[Account], None], name: str, words: str) -> None:
    change(shared)
    check = checked(shared)[name]
    assert check.ok is False
    assert words in check.detail
    assert check.fix
