"""What a state says of other stacks."""

from __future__ import annotations

import pytest

from atwork.engine.state import read_stacks

REFERENCE = "pulumi:pulumi:StackReference"


@pytest.mark.parametrize(("name", "stack"), [("organization/atwork/ci", "ci"), ("ci", "ci")])
def test_a_reference_names_the_stack_that_is_read(name: str, stack: str) -> None:
    resources = [
        {"type": "pulumi:pulumi:Stack", "urn": "urn:pulumi:staging::atwork::pulumi:pulumi:Stack::atwork-staging"},
        {"type": REFERENCE, "inputs": {"name": name}},
        {"type": "gcp:compute/network:Network", "inputs": {"name": "organization/atwork/production"}},
    ]
    assert read_stacks({"resources": resources}) == {stack}


@pytest.mark.parametrize("deployment", [{}, {"resources": None}, {"resources": [{"type": REFERENCE}]}])
def test_a_state_without_references_reads_nothing(deployment: dict[str, object]) -> None:
    assert read_stacks(deployment) == frozenset()
