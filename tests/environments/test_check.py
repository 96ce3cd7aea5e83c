"""`environment check`: one line for each mistake, with file and key, and exit code 1; expiry is only a note."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.environments import PUSHES, atwork, create_ephemeral, ends_in, without_lines

from infra.yaml_files import parse_yaml


def edited(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(checkout: Path) -> None:
        file = checkout / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    return edit


def test_without_a_gateway_no_call_of_github_comes_in(checkout: Path) -> None:
    ci = checkout / "stacks" / "Pulumi.ci.yaml"
    assert atwork("check").output == "3 environments and 1 services: no mistakes.\n"
    text = ci.read_text()
    assert "      gateway: {}" in text
    ci.write_text("\n".join(line for line in text.splitlines() if "      gateway: {}" not in line))
    assert atwork("check").output == f"{PUSHES}3 environments and 1 services: no mistakes.\n"


def test_each_file_is_read_and_validated_once(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of 200 environments and 1,000 services takes at most 3 s (`make bench`)."""
    reads: Counter[str] = Counter()

    def counted(text: str, shown: str, **options: Any) -> dict[str, Any]:
        reads[shown] += 1
        return parse_yaml(text, shown, **options)

    monkeypatch.setattr("infra.yaml_files.parse_yaml", counted)
    assert atwork("check").exit_code == 0
    stacks = {name: count for name, count in reads.items() if name.startswith(("stacks/Pulumi", "services/"))}
    assert len(stacks) == 4
    assert set(stacks.values()) == {1}


def without(name: str) -> Callable[[Path], None]:
    return lambda checkout: (checkout / name).unlink()


def test_the_project_as_it_is_has_no_mistakes(checkout: Path) -> None:
    create_ephemeral("demo", "--services", "orders")
    done = atwork("check")
    assert (done.exit_code, done.output) == (0, "4 environments and 1 services: no mistakes.\n")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            edited("stacks/Pulumi.staging.yaml", "10.0.16.0/20", "10.0.0.0/20"),
            "Pulumi.staging.yaml: atwork:stack.network.nodes: 10.0.0.0/20 overlaps nodes 10.0.0.0/20 of ci; choose a free range",
        ),
        (
            edited("stacks/Pulumi.staging.yaml", "acme-at-work-staging", "acme-at-work-ci"),
            "acme-at-work-ci is the project of ci already",
        ),
        (
            edited("stacks/Pulumi.staging.yaml", "region:", "regoin:"),
            "stacks/Pulumi.staging.yaml: atwork:stack.regoin: unknown key; did you mean region?",
        ),
        (edited("stacks/Pulumi.staging.yaml", "config:", "config: ["), "not YAML: did not find expected"),
        (
            edited("stacks/Pulumi.staging.yaml", 'expires: "2027-06-30"', 'expires: "2020-06-30"'),
            "policies.exemptions.no-cluster-backup",
        ),
        (
            edited("services/orders.yaml", "owner:", "ownr:"),
            "services/orders.yaml: ownr: unknown key; did you mean owner?",
        ),
        (
            edited("services/orders.yaml", "  staging:", "  stagin:"),
            "services/orders.yaml: environments.stagin: there is no stacks/Pulumi.stagin.yaml",
        ),
        (
            edited("stacks/Pulumi.demo.yaml", "- orders", "- moon"),
            "stacks/Pulumi.demo.yaml: atwork:stack.environment.services: there is no services/moon.yaml; name one of orders",
        ),
        (
            edited("stacks/Pulumi.staging.yaml", "config:", "secretsprovider: gcpkms://k\nconfig:"),
            "stacks/Pulumi.staging.yaml: encryptedkey is missing; run `atwork environment bootstrap staging`",
        ),
        (
            without("stacks/Pulumi.demo.yaml"),
            "stacks/Pulumi.ci.yaml: atwork:stack.jenkins.deploys.demo: there is no stacks/Pulumi.demo.yaml",
        ),
        (
            edited(
                "stacks/Pulumi.ci.yaml",
                "demo: {account: platform-deployer@acme",
                "demo: {account: platform-deployer@other",
            ),
            "jenkins.deploys.demo.account: demo does not make platform-deployer@other",
        ),
        (
            edited("stacks/Pulumi.ci.yaml", "        demo:", "        staging2:"),
            "stacks/Pulumi.ci.yaml: atwork:stack.jenkins.deploys.demo: missing; add {account: platform-deployer@acme-at-work-demo",
        ),
    ],
)
def test_each_mistake_is_a_line_with_its_file(change: Callable[[Path], None], line: str, checkout: Path) -> None:
    create_ephemeral("demo", "--services", "orders")
    change(checkout)
    done = atwork("check")
    assert done.exit_code == 1
    assert line in without_lines(done.output)


def test_all_mistakes_are_reported_at_once(checkout: Path) -> None:
    edited("stacks/Pulumi.staging.yaml", "10.65.0.0/16", "10.66.0.0/16")(checkout)
    edited("stacks/Pulumi.production.yaml", "upstream: ci", "upstream: staging")(checkout)
    lines = atwork("check").output.splitlines()
    assert any("pods: 10.66.0.0/16 overlaps" in line for line in lines)
    assert any("upstream: staging has no registry" in line for line in lines)


def test_an_ephemeral_environment_that_is_over_fails_nobody_elses_change(checkout: Path) -> None:
    create_ephemeral("demo")
    ends_in(checkout, "demo", timedelta(hours=-1))
    done = atwork("check")
    assert done.exit_code == 0
    assert "note: stacks/Pulumi.demo.yaml: demo expired at" in done.output
