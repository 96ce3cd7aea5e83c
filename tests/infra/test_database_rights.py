"""In which order a database gets its rights, in an environment's stack and in that of a group."""

from __future__ import annotations

import pytest
from support.groups import separate_stacks
from support.mocks import Recording

JOB = "kubernetes:batch/v1:Job"


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recording]:
    return separate_stacks(tmp_path_factory.mktemp("apart"))


def before(stack: Recording, job: str) -> set[str]:
    """Types of what a Job waits for, and what therefore is deleted after it."""
    return {stack.resources[urn].type for urn in stack.resource(JOB, job).depends_on if urn in stack.resources}


def test_the_jobs_of_a_service_run_when_its_database_is_ready(recordings: dict[str, Recording]) -> None:
    stack = recordings["staging"]
    assert before(stack, "rights-orders-roles") >= {
        "gcp:sql/database:Database",
        "gcp:sql/user:User",
        "gcp:serviceaccount/iAMMember:IAMMember",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    }
    assert JOB in before(stack, "rights-orders-login"), "the roles are there first"


def test_so_they_do_in_the_stack_of_a_group(apart: dict[str, Recording]) -> None:
    stack = apart["staging.payments"]
    assert before(stack, "rights-orders-roles") >= {"gcp:sql/database:Database", "gcp:sql/user:User"}
    assert JOB in before(stack, "rights-orders-login")
