"""What `environment check` says of a catalog that exceeds limits: exactly these, as notes, with exit code 0."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.environments import atwork
from support.program import cloud, run_stack

from atwork.environments.advice import advice
from infra import company, limits
from infra.catalog import read_all as services_in
from infra.config import read_all
from infra.delivery.job_sizes import job_sizes
from infra.layout import separate_groups, stack_file
from infra.service_composition import complete

GROUP_FILE = {"config": {"pulumi:disable-default-providers": ["*"]}}


def service(name: str, group: str, **more: Any) -> dict[str, Any]:
    return {
        "owner": f"team-{group}",
        "repository": f"https://github.com/acme/{name}",
        "channel": f"#{group}",
        "environments": {"staging": {}, "production": {"host": f"{name}.example.com", "public": True}},
        **more,
    }


def write_catalog(checkout: Path, groups: int, each: int, *, separate: bool = False) -> None:
    """Services in groups; all groups but the last three have databases. `separate` gives groups stacks in ci."""
    for number in range(groups):
        group = f"team{number:02d}"
        folder = checkout / "services" / group
        folder.mkdir()
        for index in range(each):
            name = f"s{number:02d}-{index:03d}"
            more = {"database": {}, "secrets": ["token"]} if number < groups - 3 else {}
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(service(name, group, **more)))
        if separate:
            stack_file(checkout / "stacks", f"ci.{group}").write_text(yaml.safe_dump(GROUP_FILE))


def notes(checkout: Path) -> list[str]:
    """The lines of advice without sources."""
    environments, services = read_all(checkout / "stacks"), services_in(checkout / "services")
    completed = {name: complete(name, config, services) for name, config in environments.items()}
    return [line.rpartition(" (")[0].partition(";")[0] for line in advice(checkout, environments, completed, services)]


def state_connections(checkout: Path, most: int) -> None:
    for environment in ("staging", "production"):
        file = stack_file(checkout / "stacks", environment)
        document = yaml.safe_load(file.read_text())
        document["config"]["atwork:stack"]["databases"]["main"]["flags"] = {"max_connections": str(most)}
        file.write_text(yaml.safe_dump(document, sort_keys=False))


def test_a_thousand_services_in_forty_groups_exceed_exactly_these_limits(checkout: Path) -> None:
    write_catalog(checkout, 40, 25)
    state_connections(checkout, 1000)
    lines = notes(checkout)
    assert lines[:-1] == [
        # 925 services with databases and orders, with the accounts of nodes, of deploys and of the databases' administrator.
        "stacks/Pulumi.production.yaml: up to 929 service accounts of the project, and the default is 100",
        "stacks/Pulumi.production.yaml: up to 1,858 principals in the project's allow policy, and the limit is 1,500",
        (
            "stacks/Pulumi.production.yaml: up to 50,200 pods by the quotas of all namespaces on 256 nodes with 110 pods "
            "each, and the limit is 28,160"
        ),
        (
            "stacks/Pulumi.production.yaml: up to 46,450 connections to databases.main, one for each pod of a service with "
            "a login, and the limit is 1,000"
        ),
        "stacks/Pulumi.staging.yaml: up to 930 service accounts of the project, and the default is 100",
        "stacks/Pulumi.staging.yaml: up to 1,860 principals in the project's allow policy, and the limit is 1,500",
        (
            "stacks/Pulumi.staging.yaml: up to 50,130 pods by the quotas of all namespaces on 256 nodes with 110 pods "
            "each, and the limit is 28,160"
        ),
        (
            "stacks/Pulumi.staging.yaml: up to 46,300 connections to databases.main, one for each pod of a service with a "
            "login, and the limit is 1,000"
        ),
    ]
    assert lines[-1].startswith("stacks/Pulumi.ci.yaml: up to ")
    assert lines[-1].endswith(" bytes of Jenkins jobs in one ConfigMap, and the limit is 1,048,576")


def test_groups_with_stacks_of_their_own_have_a_config_map_each(checkout: Path) -> None:
    write_catalog(checkout, 4, 25, separate=True)
    environments, services = read_all(checkout / "stacks"), services_in(checkout / "services")
    stacks = checkout / "stacks"
    sizes = job_sizes("ci", environments, services, company.read(stacks), separate_groups(stacks, "ci"))
    assert sizes.keys() == {"ci", "ci.team00", "ci.team01", "ci.team02", "ci.team03"}
    together = job_sizes("ci", environments, services, company.read(stacks), [])
    assert together.keys() == {"ci"}
    assert together["ci"] > sum(sizes.values()) * 0.9
    assert job_sizes("staging", environments, services, company.read(stacks), []) == {}


def test_the_size_is_that_of_the_text_that_the_stacks_declare(checkout: Path) -> None:
    write_catalog(checkout, 1, 3, separate=True)
    environments, services = read_all(checkout / "stacks"), services_in(checkout / "services")
    stacks = checkout / "stacks"
    sizes = job_sizes("ci", environments, services, company.read(stacks), separate_groups(stacks, "ci"))
    own = run_stack("ci", root=checkout)

    def outputs(token: str, name: str, inputs: dict[str, Any]) -> Mapping[str, Any]:
        return {"outputs": own.exports} if token == "pulumi:pulumi:StackReference" else cloud(token, name, inputs)

    release = own.resource("kubernetes:helm.sh/v3:Release", "jenkins-release")
    scripts = release.inputs["values"]["controller"]["JCasC"]["configScripts"]
    group = run_stack("ci.team00", root=checkout, outputs=outputs).resource(
        "kubernetes:core/v1:ConfigMap", "jenkins-team00-jobs"
    )
    assert sizes == {
        "ci": len(scripts["jobs"].encode()),
        "ci.team00": len(group.inputs["data"]["jobs-team00.yaml"].encode()),
    }


@pytest.mark.parametrize(("more", "expected"), [(0, []), (1, ["note"])])
def test_a_config_map_at_the_limit_is_no_note_and_one_byte_more_is(
    more: int, expected: list[str], checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "atwork.environments.advice.job_sizes",
        lambda name, *_: {name: limits.CONFIG_MAP_BYTES.most + more} if name == "ci" else {},
    )
    done = atwork("check")
    assert done.exit_code == 0
    *lines, last = done.output.splitlines()
    assert last == "3 environments and 1 services: no mistakes."
    assert [line.partition(":")[0] for line in lines] == expected
    assert all("1,048,577 bytes of Jenkins jobs" in line for line in lines)


def test_advice_is_a_note_and_fails_nothing(checkout: Path) -> None:
    state_connections(checkout, 49)  # orders may have 50 pods in staging, and 200 in production
    done = atwork("check")
    assert done.exit_code == 0
    *lines, last = done.output.splitlines()
    assert last == "3 environments and 1 services: no mistakes."
    assert [line.partition(" up to ")[0] for line in lines] == [
        "note: stacks/Pulumi.production.yaml:",
        "note: stacks/Pulumi.staging.yaml:",
    ]
    state_connections(checkout, 50)
    [note, _] = atwork("check").output.splitlines()
    assert note.startswith("note: stacks/Pulumi.production.yaml: up to 200 connections to databases.main, ")
    state_connections(checkout, 200)
    assert atwork("check").output == "3 environments and 1 services: no mistakes.\n"


def test_a_value_that_no_list_has_is_named_and_is_no_mistake(checkout: Path) -> None:
    file = stack_file(checkout / "stacks", "staging")
    document = yaml.safe_load(file.read_text())
    settings = document["config"]["atwork:stack"]
    settings["node_pools"]["services"]["machine_type"] = "n5-standard-8"
    settings["databases"]["main"]["flags"] = {"cloudsql.enable_future": "on"}
    file.write_text(yaml.safe_dump(document))
    done = atwork("check")
    assert done.exit_code == 0, done.output
    for value in ("node_pools.services.machine_type: n5-standard-8", "databases.main.flags.cloudsql.enable_future"):
        assert f"note: stacks/Pulumi.staging.yaml: atwork:stack.{value}" in done.output
    assert "run `python -m tools.google_values PROJECT`" in done.output


def test_an_environment_that_jenkins_cannot_update_is_named(checkout: Path) -> None:
    file = stack_file(checkout / "stacks", "ci")
    document = yaml.safe_load(file.read_text())
    changes = document["config"]["atwork:stack"]["jenkins"]["platform"]["changes"]
    del changes["production"], changes["ephemeral"]
    file.write_text(yaml.safe_dump(document))
    assert notes(checkout) == [
        (
            "stacks/Pulumi.ci.yaml: atwork:stack.jenkins.platform.changes: has no production, so that the job of a "
            "merge that reaches it fails"
        )
    ]
    del document["config"]["atwork:stack"]["jenkins"]["platform"]
    file.write_text(yaml.safe_dump(document))
    assert notes(checkout) == [], "another system updates them"
