"""Guards of node pools: with the cluster, or each for itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.program import run_stack

from infra.config import STACKS, read_file

POOL = "gcp:container/nodePool:NodePool"


@pytest.mark.parametrize(
    ("stack", "guard", "policy", "others"),
    [
        ("staging", None, "PREVENT", {"PREVENT"}),
        ("staging", False, "DELETE", {"PREVENT"}),
        ("ci", None, "DELETE", {"DELETE"}),
        ("ci", True, "PREVENT", {"DELETE"}),
    ],
)
def test_one_pool_is_guarded_or_freed_alone(stack: str, guard: bool | None, policy: str, others: set[str]) -> None:  # noqa: FBT001 (a case of the table)
    pools: dict[str, Any] = json.loads(read_file(STACKS / f"Pulumi.{stack}.yaml") or "{}")["node_pools"]
    chosen = next(key for key in pools if key != "system")
    if guard is not None:
        pools[chosen]["deletion_protection"] = guard
    recorded = run_stack(stack, {"node_pools": pools}).of_type(POOL)
    policies = {name: pool.inputs["deletionPolicy"] for name, pool in recorded.items()}
    assert policies.pop(f"pools-{chosen}") == policy
    assert set(policies.values()) == others
