"""`environment jobs`: every stack that a change reaches is in exactly one job of each kind, and jobs are not too many."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.changes import commit, git, init
from support.environments import atwork

from atwork.bench.catalogs import add_groups, add_service
from atwork.checkout import Checkout
from atwork.environments.jobs import divide
from atwork.errors import UsageError
from infra.layout import stack_file
from infra.promotion import Stage
from infra.stack_name import StackName

MOST = 6
ENVIRONMENTS = ("ci", "staging", "production")


def listed(*words: str) -> dict[str, Any]:
    done = atwork("jobs", *words)
    assert done.exit_code == 0, done.output + str(done.exception)
    return json.loads(done.stdout)


def names(*batches: str) -> list[str]:
    return [name for batch in batches for name in batch.split(" ")]


@given(
    reached=st.sets(
        st.builds(StackName, st.sampled_from(ENVIRONMENTS), st.none() | st.integers(0, 60).map(lambda n: f"g{n:02}"))
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_every_stack_is_in_one_job_of_each_kind(reached: set[StackName], checkout: Path) -> None:
    stacks = [
        str(name) for name in sorted(reached, key=lambda name: (ENVIRONMENTS.index(name.environment), name.group or ""))
    ]
    divided = divide(Checkout(checkout), stacks, most=MOST)
    assert names(*divided["batches"]) == stacks
    jobs = divided["jobs"]
    assert sorted(names(*(job["stacks"] for job in jobs))) == sorted(stacks)
    assert all(StackName.parse(name).environment == job["environment"] for job in jobs for name in names(job["stacks"]))
    assert max(Counter(job["name"] for job in jobs).values(), default=0) <= 1
    updates = [update for stage in Stage for update in divided[stage.value]]
    updated = [name for update in updates for name in names(*update["groups"])]
    assert sorted(updated + [update["environment"] for update in updates if update["own"]]) == sorted(stacks)
    assert len(divided["batches"]) <= MOST
    assert len(jobs) <= MOST + len(ENVIRONMENTS)
    assert sum(len(update["groups"]) for update in updates) <= MOST + len(ENVIRONMENTS)


def test_each_group_is_updated_by_a_job_of_its_own(checkout: Path) -> None:
    add_groups(checkout, 3, 1)
    divided = listed()
    assert divided["test"] == [
        {"environment": "staging", "own": True, "groups": ["staging.g00", "staging.g01", "staging.g02"]}
    ]
    assert divided["jobs"][0] == {"name": "ci", "environment": "ci", "stacks": "ci ci.g00 ci.g01 ci.g02"}
    assert len(divided["batches"]) == 1


def test_two_thousand_stacks_fit_in_a_run_of_a_workflow(checkout: Path) -> None:
    stacks = [name for key in ENVIRONMENTS for name in (key, *(f"{key}.g{number}" for number in range(700)))]
    divided = divide(Checkout(checkout), stacks)
    assert len(divided["jobs"]) + len(divided["batches"]) < 256
    assert sum(len(update["groups"]) for stage in Stage for update in divided[stage.value]) + 3 < 256


def test_a_service_of_a_group_reaches_the_jobs_of_its_stacks(checkout: Path) -> None:
    add_groups(checkout, 2, 1)
    init(checkout)
    git(checkout, "checkout", "-q", "-b", "change")
    add_service(checkout, "g01", "another", ["staging", "production"])
    commit(checkout)
    divided = listed("--base", "main")
    assert divided["batches"] == ["ci.g01 staging.g01 production.g01"]
    assert divided["build"] == [{"environment": "ci", "own": False, "groups": ["ci.g01"]}]
    git(checkout, "checkout", "-q", "main")
    assert listed("--base", "main")["jobs"] == []


def test_a_stack_with_a_file_that_cannot_be_read_has_a_job_that_reports_it(checkout: Path) -> None:
    stack_file(checkout / "stacks", "staging").write_text("config: [\n")
    assert {job["name"] for job in listed()["jobs"]} == set(ENVIRONMENTS)


def test_outputs_of_a_step_are_one_line_each(checkout: Path) -> None:
    done = atwork("jobs", "--github")
    assert {line.partition("=")[0] for line in done.stdout.splitlines()} == {"jobs", "batches", *Stage}
    assert json.loads(done.stdout.splitlines()[0].partition("=")[2]) == listed()["jobs"]


@pytest.mark.parametrize(
    ("words", "message"),
    [(("--base", "main", "--merged"), "name one of them"), (("--since", "main"), "--since: add --merged")],
)
def test_only_one_change_is_looked_at(words: tuple[str, ...], message: str, checkout: Path) -> None:
    with pytest.raises(UsageError, match=message):
        raise atwork("jobs", *words).exception or AssertionError
