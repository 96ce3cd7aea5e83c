"""What a stack reads of its upstream: an update wants all of it, a preview may come before the upstream's own update."""

from __future__ import annotations

import re

import pulumi
import pytest
from support.mocks import record

from infra import SHARED, contract
from infra.contract import Platform


def read(*, preview: bool) -> list[str]:
    """What the deployers of two environments are, as an output of a stack."""
    seen: list[str] = []

    def program() -> None:
        platform = Platform("project", "europe", "url", {"deploy-staging": "principal://staging"}, [])
        for name in ("staging", "demo"):
            platform.deployer(name).apply(lambda value, name=name: seen.append(f"{name}: {value}"))

    record(program, stack="demo", preview=preview)
    return seen


def test_a_preview_goes_on_with_what_the_upstream_does_not_have_yet() -> None:
    assert read(preview=True) == ["staging: principal://staging"]


def test_an_update_of_a_group_says_that_its_environment_comes_first() -> None:
    with pytest.raises(pulumi.RunError, match="the stack staging has no output `shared`: run `pulumi up -s staging`"):
        record(
            lambda: contract.output_of("staging", SHARED),
            stack="staging.payments",
            outputs=lambda _token, _name, _inputs: {"outputs": {}},
        )


def test_an_update_says_what_to_do_first() -> None:
    with pytest.raises(
        pulumi.RunError, match=re.escape("the upstream stack has no deploy-demo: add jenkins.deploys.demo")
    ):
        read(preview=False)
