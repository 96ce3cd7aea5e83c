"""An environment in the Shared VPC of somebody else, on the real engine: created, verified, destroyed."""

from __future__ import annotations

import json

import pytest
import yaml
from support.checkout import copy
from support.examples import smallest
from support.networks import NETWORK, SHARED, SUBNETWORK
from support.shell import atwork

from atwork.sandbox.cloud import Cloud
from atwork.sandbox.home import Home
from infra import CONFIG_KEY

pytestmark = pytest.mark.engine

_OTHERS = (SUBNETWORK, NETWORK)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A checkout with one environment, which has a database."""
    home = Home(copy(tmp_path_factory.mktemp("checkout"), "infra", "policies", "delivery"))
    for folder in ("stacks", "services"):
        for path in (home.checkout / folder).glob("*.yaml"):
            if path.name != "platform.yaml":
                path.unlink()
    settings = smallest() | {
        "network": SHARED,
        "databases": {"main": {"tier": "db-custom-2-7680", "deletion_protection": False, "replicas": {"reports": {}}}},
        "cluster": {"deletion_protection": False},
        "policies": {"mandatory": False},
    }
    file = home.checkout / "stacks" / "Pulumi.lab.yaml"
    file.write_text(yaml.safe_dump({"config": {"pulumi:disable-default-providers": ["*"], CONFIG_KEY: settings}}))
    return home


def replicas(home: Home) -> list[str]:
    """Primaries of the replicas."""
    instances = Cloud(home.cloud).objects(token="gcp:sql/databaseInstance:DatabaseInstance")
    return [str(item.inputs["masterInstanceName"]) for item in instances if "masterInstanceName" in item.inputs]


def types(home: Home) -> set[str]:
    """Types of the objects that a stack created."""
    return {item.type for item in Cloud(home.cloud).objects() if item.urn}


def names(home: Home) -> dict[str, str]:
    """The URN of the network and the subnet; empty for objects of no stack."""
    return {item.id: item.urn for item in Cloud(home.cloud).objects() if item.id in _OTHERS}


def test_it_is_created_in_the_network_that_is_there(home: Home) -> None:
    done = atwork(home, "sandbox", "up", "lab")
    assert done.returncode == 0, done.stdout + done.stderr
    created = types(home)
    assert {"gcp:container/cluster:Cluster", "gcp:sql/databaseInstance:DatabaseInstance"} <= created
    assert not {kind for kind in created if kind.startswith(("gcp:compute/", "gcp:dns/", "gcp:networkconnectivity/"))}
    assert names(home) == dict.fromkeys(_OTHERS, "")


def test_its_subnet_counts_as_the_one_of_its_nodes(home: Home) -> None:
    done = atwork(home, "sandbox", "verify", "--json")
    assert json.loads(done.stdout), done.stderr
    assert done.returncode == 0, done.stdout


def test_a_primary_is_in_use_by_its_replica(home: Home) -> None:
    [primary] = replicas(home)
    [replica] = [token for token, _ in Cloud(home.cloud).referrers(primary) if token.endswith(":DatabaseInstance")]
    assert replica


def test_a_destroy_leaves_the_network(home: Home) -> None:
    done = atwork(home, "sandbox", "down", "lab")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gcp:container/cluster:Cluster" not in types(home)
    assert names(home) == dict.fromkeys(_OTHERS, "")
