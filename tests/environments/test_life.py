"""Whatever is made, extended and ended in whatever order: ranges stay disjoint, and nothing is left of what is gone."""

from __future__ import annotations

import ipaddress
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.changed import changed, ephemeral
from support.checkout import copy
from support.environments import PLACE, atwork, contents, create_ephemeral, ends_in, new

from atwork.checkout import Checkout
from atwork.environments import derive, draft, lifetime
from atwork.environments.questions import EnvironmentRequest
from atwork.environments.reap import remove_files
from atwork.errors import ConfigError
from atwork.files import replace_file
from infra.catalog import read_all as services_in
from infra.config import read_all
from infra.environment_rules import check_together
from infra.environment_settings import MAX_LIFETIME

EPHEMERAL = ephemeral("staging", datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC))
NAMES = ("alpha", "beta", "gamma")
STEPS = st.tuples(st.sampled_from(["ephemeral", "long-lived", "extend", "end"]), st.sampled_from(NAMES))


@contextmanager
def inside(folder: Path) -> Generator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@settings(max_examples=12, deadline=None)
@given(st.lists(STEPS, max_size=8))
def test_any_order_leaves_ranges_disjoint_and_no_orphan(steps: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder, inside(copy(Path(folder))):
        lasting = contents(Path(folder))
        alive: set[str] = set()
        for step, name in steps:
            if step in ("ephemeral", "long-lived"):
                assert (new(name, "--kind", step, *PLACE).exit_code == 0) == (name not in alive)
                alive.add(name)
            elif step == "extend":
                atwork("extend", name, "--ttl", "5d")
            else:
                remove_files(Checkout(Path(folder)), name, "ci")
                alive.discard(name)
            there = read_all(Path("stacks"))
            assert there.keys() == {"ci", "staging", "production", *alive}
            blocks = sorted(block for config in there.values() for block in config.network.ranges().values())
            assert not any(block.overlaps(other) for block, other in pairwise(blocks))
            assert atwork("check").exit_code == 0, atwork("check").output
        for name in alive:
            remove_files(Checkout(Path(folder)), name, "ci")
        assert contents(Path(folder)) == lasting


def test_two_hundred_environments_never_overlap(checkout: Path) -> None:
    stacks = checkout / "stacks"
    environments, services = read_all(stacks), services_in(checkout / "services")
    now = datetime.now(UTC)
    for number in range(200):
        wanted = EnvironmentRequest(
            f"env-{number}",
            "long-lived" if number % 20 == 9 else "ephemeral",
            "staging",
            "me",
            folder="1",
            billing="01AB23-CD45EF-678901",
        )
        derived = draft.derived(stacks, wanted, now, environments, services)
        environments[wanted.name] = derived.config
        for path, text in derived.texts.items():
            replace_file(path, text)
    check_together(environments)
    assert len({config.project.id for config in environments.values()}) == 203
    create_ephemeral("last")
    assert atwork("check").output.strip().endswith("204 environments and 1 services: no mistakes.")


def test_no_free_block_is_an_error() -> None:
    taken: list[ipaddress.IPv4Network] = []
    for _ in range(512):
        taken.append(derive.free(taken, derive.PODS, 19))
    with pytest.raises(ConfigError, match=r"no /19 is free in 10\.64\.0\.0/10: all of it .* end an environment"):
        derive.free(taken, derive.PODS, 19)
    assert sum(block.num_addresses for block in ipaddress.collapse_addresses(taken)) == derive.PODS.num_addresses


def test_a_gap_is_taken_before_what_follows() -> None:
    blocks = [ipaddress.IPv4Network(text) for text in ("10.0.0.0/22", "10.0.8.0/22")]
    assert str(derive.free(blocks, derive.NODES, 22)) == "10.0.4.0/22"
    assert str(derive.free(blocks, derive.NODES, 21)) == "10.0.16.0/21"


def test_more_time_never_goes_beyond_the_most_from_the_making(checkout: Path) -> None:
    create_ephemeral("demo", "--ttl", "1h")
    created_at = read_all(checkout / "stacks")["demo"].environment.created_at
    assert created_at is not None
    assert atwork("extend", "demo", "--ttl", "13d").exit_code == 0
    ends_in(checkout, "demo", timedelta(days=3), life=timedelta(days=10))
    refused = str(atwork("extend", "demo", "--ttl", "8d").exception)
    assert "may last until" in refused
    assert "14 days; take less, or make a new one" in refused
    assert atwork("extend", "demo", "--ttl", "6d").exit_code == 0
    config = read_all(checkout / "stacks")["demo"].environment
    assert config.expires_at is not None
    assert config.created_at is not None
    assert timedelta(days=5) < config.expires_at - datetime.now(UTC) <= timedelta(days=6)
    assert config.expires_at <= config.created_at + MAX_LIFETIME
    text = (checkout / "stacks" / "Pulumi.demo.yaml").read_text()
    assert f"until {derive.moment(config.expires_at)};" in text, "the line above says the same"


@given(st.integers(1, 14 * 24), st.integers(-50, 14 * 24))
def test_a_warning_is_due_only_before_the_end_and_after_the_beginning(life: int, left: int) -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC)
    end = now + timedelta(hours=left)
    environment = changed(EPHEMERAL.environment, created_at=end - timedelta(hours=life), expires_at=end)
    config = changed(EPHEMERAL, environment=environment)
    due = lifetime.due_warning(config, now)
    assert lifetime.is_expired(config, now) == (left <= 0)
    expected = "2h" if 0 < left <= 2 < life else "48h" if 0 < left <= 48 < life else ""
    assert due == (f"{derive.moment(end)} {expected}" if expected else "")


def test_a_long_lived_environment_is_never_over() -> None:
    config = read_all()["production"]
    assert not lifetime.is_expired(config, datetime(2099, 1, 1, tzinfo=UTC))
    assert lifetime.due_warning(config, datetime(2099, 1, 1, tzinfo=UTC)) == ""
