"""New environments: free ranges, a project of their own, nothing that outlives an ephemeral environment, nothing written when refused."""

from __future__ import annotations

import ipaddress
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.checkout import copy
from support.mocks import Recording
from typer.testing import CliRunner, Result

from atwork.cli import app
from atwork.environments import derive
from atwork.environments.preflight import run as preflight
from atwork.environments.preflight.check import Check, right, wrong
from atwork.errors import ConfigError, UserError
from components.monitoring.settings import MonitoringSettings
from infra.config import read_all
from infra.environment_rules import check_together

PLACE = ("--folder", "123456789012", "--billing-account", "01AB23-CD45EF-678901")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ATWORK_FOLDER", raising=False)
    monkeypatch.delenv("ATWORK_BILLING_ACCOUNT", raising=False)
    return tmp_path


def atwork(*words: str) -> Result:
    return CliRunner().invoke(app, ["environment", *words])


def new(name: str, *words: str) -> Result:
    return atwork("new", name, "--owner", "team-orders", "--no-preview", *words)


def test_an_ephemeral_environment_is_two_files_that_the_program_takes(checkout: Path) -> None:
    done = new("demo", "--ttl", "24h", *PLACE)
    assert done.exit_code == 0, done.output
    environments = read_all(checkout / "stacks")
    check_together(environments)
    demo = environments["demo"]
    assert demo.environment.expires_at is not None
    assert timedelta(hours=23) < demo.environment.expires_at - datetime.now(UTC) <= timedelta(hours=24)
    assert re.fullmatch(r"acme-at-work-demo-[a-z2-9]{4}", demo.project.id)
    assert demo.project.deletable
    assert not demo.cluster.deletion_protection
    assert demo.encryption.covers == ()
    assert not demo.databases["main"].deletion_protection
    ci = environments["ci"].jenkins
    assert ci is not None
    assert ci.deploys["demo"].account == f"platform-deployer@{demo.project.id}.iam.gserviceaccount.com"


def test_the_other_lines_of_the_files_stay_as_they_are(checkout: Path) -> None:
    before = (checkout / "stacks" / "Pulumi.ci.yaml").read_text().splitlines()
    new("demo", *PLACE)
    after = (checkout / "stacks" / "Pulumi.ci.yaml").read_text().splitlines()
    assert [line for line in after if line not in before] == [
        line for line in after if line.strip().startswith("demo:")
    ]
    assert [line for line in after if not line.strip().startswith("demo:")] == before
    assert atwork("remove", "demo").exit_code == 0
    assert (checkout / "stacks" / "Pulumi.ci.yaml").read_text().splitlines() == before
    assert not (checkout / "stacks" / "Pulumi.demo.yaml").exists()


def test_many_environments_never_overlap(checkout: Path) -> None:
    for number in range(6):
        kind = "long-lived" if number % 3 == 2 else "ephemeral"
        done = new(f"env-{number}", "--kind", kind, *PLACE)
        assert done.exit_code == 0, done.output
    environments = read_all(checkout / "stacks")
    assert len(environments) == 9
    check_together(environments)
    assert len({config.project.id for config in environments.values()}) == 9


def test_a_long_lived_one_is_guarded_as_its_model(checkout: Path) -> None:
    done = new("qa", "--kind", "long-lived", "--like", "production", "--project", "acme-qa", "--number", "1234567")
    assert done.exit_code == 0, done.output
    qa, production = (read_all(checkout / "stacks")[name] for name in ("qa", "production"))
    assert (qa.environment.kind, qa.environment.expires_at) == ("long-lived", None)
    assert qa.cluster == production.cluster
    assert qa.databases == production.databases
    assert (qa.project.id, qa.project.number, qa.project.create) == ("acme-qa", "1234567", None)
    deploys = read_all(checkout / "stacks")["ci"].jenkins.deploys  # pyright: ignore[reportOptionalMemberAccess]
    assert deploys["qa"].approvers == deploys["production"].approvers != ()


def test_the_list_for_pipelines_has_the_order_and_who_approves(checkout: Path) -> None:
    assert new("demo", *PLACE).exit_code == 0
    done = atwork("list", "--json")
    assert done.exit_code == 0, done.output
    environments = json.loads(done.output)
    assert [(entry["name"], entry["stage"], entry["upstream"], entry["approvers"]) for entry in environments] == [
        ("ci", "build", None, []),
        ("staging", "test", "ci", []),
        ("production", "production", "ci", ["ada@example.com", "grace@example.com"]),
        ("demo", "ephemeral", "ci", []),
    ]
    assert [entry["expires_at"] is None for entry in environments] == [True, True, True, False]


def test_a_dry_run_writes_nothing(checkout: Path) -> None:
    before = {path: path.read_bytes() for path in (checkout / "stacks").iterdir()}
    done = new("demo", "--dry-run", *PLACE)
    assert done.exit_code == 0
    assert "kind: ephemeral" in done.output
    assert {path: path.read_bytes() for path in (checkout / "stacks").iterdir()} == before


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("Demo", PLACE, "Demo: a name has 2 to 20 lower-case letters"),
        ("staging", PLACE, r"stacks/Pulumi\.staging\.yaml: already exists; choose another name"),
        (
            "demo",
            (),
            r"say --folder and --billing-account of a new project, or --project and --number .* no terminal to ask on",
        ),
        ("demo", ("--owner", "", "--folder", "1"), r"say --owner; --billing-account of a new project"),
        ("demo", ("--project", "acme-demo"), r"say --number of the project acme-demo"),
        (
            "demo",
            ("--owner", "Team Orders", *PLACE),
            r"environment\.owner: .Team Orders. is not valid; write 1 to 63",
        ),
        (
            "demo",
            ("--services", "moon", *PLACE),
            r"environment\.services: there is no services/moon\.yaml; name one of orders",
        ),
        ("demo", ("--kind", "long-lived", "--services", "orders", *PLACE), r"services is for ephemeral environments"),
        (
            "demo",
            ("--project", "acme-at-work-staging", "--number", "739104285516"),
            "acme-at-work-staging is the project of",
        ),
        ("demo", ("--ttl", "72", *PLACE), "--ttl 72: write hours or days, such as 72h or 3d"),
        ("demo", ("--ttl", "15d", *PLACE), "an ephemeral environment has 14 days at most; take less"),
        ("demo", ("--ttl", "0h", *PLACE), "write hours or days"),
        (
            "demo",
            ("--like", "ci", *PLACE),
            "--like ci: name an environment that reads another one: production, staging",
        ),
        ("demo", ("--region", "europe", *PLACE), r"--region europe: Google has no region europe; write one such as"),
        (
            "demo",
            ("--region", "europe-west99", *PLACE),
            r"--region europe-west99: Google has no region europe-west99; did you mean europe-west9",
        ),
        (
            "demo",
            ("--region", "europe-west1-b", *PLACE),
            r"--region europe-west1-b: .* is a zone; write its region, europe-west1",
        ),
        (
            "demo",
            ("--folder", "folders/1", "--billing-account", "01AB23-CD45EF-678901"),
            r"project\.create\.folder_id: .folders/1. is not valid; write the number of a folder",
        ),
    ],
)
def test_a_refusal_is_reported_and_nothing_is_written(
    name: str, words: tuple[str, ...], message: str, checkout: Path
) -> None:
    before = {path: path.read_bytes() for path in (checkout / "stacks").iterdir()}
    done = new(name, *words)
    assert isinstance(done.exception, UserError)
    with pytest.raises(UserError, match=message):
        raise done.exception
    assert {path: path.read_bytes() for path in (checkout / "stacks").iterdir()} == before


def test_more_time_and_the_end(checkout: Path) -> None:
    new("demo", "--ttl", "1h", *PLACE)
    assert atwork("extend", "demo", "--ttl", "3d").exit_code == 0
    expires = read_all(checkout / "stacks")["demo"].environment.expires_at
    assert expires is not None
    assert expires - datetime.now(UTC) > timedelta(days=2)
    assert "long-lived and has no end" in str(atwork("extend", "staging", "--ttl", "3d").exception)
    assert "staging is long-lived; `atwork environment destroy staging` ends it" in str(
        atwork("remove", "staging").exception
    )
    assert "file not found" in str(atwork("remove", "moon").exception)
    assert "demo" in atwork("list").output


_BLOCKS = st.builds(
    lambda start, prefix: ipaddress.IPv4Network((start, prefix), strict=False),
    st.integers(int(derive.NODES.network_address), int(derive.NODES.broadcast_address)),
    st.integers(12, 26),
)


@given(st.lists(_BLOCKS, max_size=12), st.integers(20, 24))
def test_a_free_block_overlaps_nothing(taken: list[ipaddress.IPv4Network], prefix: int) -> None:
    try:
        free = derive.free(taken, derive.NODES, prefix)
    except ConfigError:
        room = sum(block.num_addresses for block in ipaddress.collapse_addresses(taken))
        assert room >= derive.NODES.num_addresses // 2
        return
    assert not any(free.overlaps(block) for block in taken)
    assert free.subnet_of(derive.NODES)


def test_a_full_range_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no /20 is free in 10\.0\.0\.0/10"):
        derive.free([derive.NODES], derive.NODES, 20)


def test_what_it_is_made_of_holds_for_the_real_program(recordings: dict[str, Recording]) -> None:
    """The account that deploys is called in each environment as `environment new` says beforehand."""
    names = {
        recordings[stack].resource("gcp:serviceaccount/account:Account", "access-deployer").inputs["accountId"]
        for stack in ("staging", "production")
    }
    assert names == {"platform-deployer"}


def test_where_real_stacks_are_meant_google_is_asked_first(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "gs://acme-state")
    answers = [right("billing", "open"), wrong("CPU quota", "24 of 16", "ask for more")]
    asked: list[tuple[str, str]] = []

    def answered(name: str, *_: object, sibling: str) -> list[Check]:
        asked.append((name, sibling))
        return answers

    monkeypatch.setattr(preflight, "preflight", answered)
    before = {path: path.read_bytes() for path in (checkout / "stacks").iterdir()}
    done = new("demo", *PLACE)
    assert done.exit_code == 1
    assert "24 of 16; ask for more" in done.output
    assert "Nothing is written: CPU quota must be fixed first." in done.output
    assert {path: path.read_bytes() for path in (checkout / "stacks").iterdir()} == before
    answers[1] = Check("CPU quota", None, "not asked: no login")
    assert new("demo", *PLACE).exit_code == 0
    assert asked == [("demo", "acme-at-work-staging")] * 2


def test_a_new_environment_keeps_the_routes_of_teams_to_the_channels_that_remain() -> None:
    pager = {"existing": "projects/acme-production/notificationChannels/1"}
    like = {
        "environment": {"kind": "long-lived"},
        "monitoring": {
            "channels": {
                "on-call": pager,
                "team": {"email": "team@example.com"},
                "shop": {"email": "shop@example.com"},
            },
            "routes": {
                "page": ["on-call"],
                "ticket": ["team"],
                "teams": {"team-shop": {"page": ["on-call", "shop"], "ticket": ["on-call"]}},
            },
        },
    }
    monitoring = derive.long_lived(like)["monitoring"]
    assert monitoring["routes"] == {
        "page": ["team"],
        "ticket": ["team"],
        "teams": {"team-shop": {"page": ["shop"], "ticket": ["team"]}},
    }
    MonitoringSettings.model_validate_json(json.dumps(monitoring))
