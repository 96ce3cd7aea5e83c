"""What Google refuses, and what is wrong in files: one sentence with the fix."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support import bootstrapping, checkout
from support.bootstrapping import RING, Account
from support.google import FakeGoogle, error

from atwork.environments.bootstrap import google
from atwork.environments.bootstrap import plan as plans
from atwork.environments.bootstrap.google_errors import GoogleError
from atwork.environments.bootstrap.journal import opened
from atwork.environments.bootstrap.stack import secrets_provider_mistakes, with_lines, with_number
from atwork.errors import BackendError, ConfigError, UsageError
from infra import company
from infra.config import read_files

ADMIN, BUCKET = "acme-at-work-admin", "acme-at-work-admin-state"


def closed(fake: FakeGoogle) -> None:
    fake.state.accounts["01AB23-CD45EF-678901"] = False


def paid_by_another(fake: FakeGoogle) -> None:
    fake.state.billing[ADMIN] = "billingAccounts/FFFFFF-000000-FFFFFF"


def bucket(**more: object) -> Callable[[FakeGoogle], None]:
    def create(fake: FakeGoogle) -> None:
        there = {"name": BUCKET, "location": "EUROPE-WEST1", "projectNumber": "100000000001"}
        fake.state.buckets[BUCKET] = {**there, **more}

    return create


def half_deleted(fake: FakeGoogle) -> None:
    fake.state.projects[ADMIN] = {"name": "projects/7", "projectId": ADMIN, "state": "DELETE_REQUESTED"}


def disabled_key(fake: FakeGoogle) -> None:
    name = f"{RING}/cryptoKeys/staging"
    fake.state.rings.add(RING)
    fake.state.keys[name] = {"name": name, "purpose": "ENCRYPT_DECRYPT", "primary": {"name": "1", "state": "DISABLED"}}


def disabled_account(fake: FakeGoogle) -> None:
    email = f"deploy-staging@{ADMIN}.iam.gserviceaccount.com"
    fake.state.identities[email] = {"email": email, "disabled": True}


def answers(
    method: str, pattern: str, status: int, message: str, reason: str = "", **more: str
) -> Callable[[FakeGoogle], None]:
    return lambda fake: fake.fail(method, pattern, error(status, message, reason=reason, **more))


REFUSALS: dict[str, tuple[Callable[[FakeGoogle], object], str]] = {
    "id taken": (lambda fake: fake.taken.add(ADMIN), "ID acme-at-work-admin is taken.*never free again"),
    "being deleted": (half_deleted, "is being deleted; `gcloud projects undelete acme-at-work-admin`"),
    "may not create": (
        answers("POST", "/v3/projects$", 403, "The caller does not have permission"),
        "not allowed.*ask for roles/resourcemanager.projectCreator on organizations/482915370164",
    ),
    "quota of projects": (
        answers("POST", "/v3/projects$", 429, "Quota exceeded for projects"),
        "a quota is used up.*ask for more",
    ),
    "billing closed": (closed, "billing account 01AB23-CD45EF-678901 is closed; reopen it"),
    "billing of another": (
        paid_by_another,
        "is billed to billingAccounts/FFFFFF-000000-FFFFFF.*gcloud billing projects link",
    ),
    "billing unseen": (lambda fake: fake.state.accounts.clear(), "ask for roles/billing.user on the billing account"),
    "api off": (
        answers(
            "GET",
            "keyRings",
            403,
            "Cloud KMS API has not been used",
            "SERVICE_DISABLED",
            service="cloudkms.googleapis.com",
            consumer="projects/123",
        ),
        "run `gcloud services enable cloudkms.googleapis.com --project 123`",
    ),
    "bucket name taken": (lambda fake: fake.taken.add(BUCKET), "bucket name .* is taken.*set state_bucket"),
    "bucket of another": (
        bucket(projectNumber="666"),
        "is in project 666, not in acme-at-work-admin.*set state_bucket",
    ),
    "bucket elsewhere": (bucket(location="US"), "is in us, not in europe-west1, and cannot move"),
    "bucket retains": (
        bucket(retentionPolicy={"retentionPeriod": "86400"}),
        "retention policy.*--clear-retention-period",
    ),
    "key disabled": (disabled_key, "primary version that is disabled; enable it: `gcloud kms keys versions enable"),
    "account disabled": (disabled_account, "deploy-staging@.* is disabled; run `gcloud iam service-accounts enable"),
    "upstream first": (
        lambda fake: fake.state.keys.clear(),
        r"rights on the state of staging: .*not found.*members and roles must exist",
    ),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_refusal_is_one_sentence_with_the_fix(account: Account, why: str) -> None:
    prepare, words = REFUSALS[why]
    prepare(account.fake)
    with pytest.raises(GoogleError, match=words) as raised:
        bootstrapping.run(account.checkout, account.endpoint)
    assert "\n" not in str(raised.value)
    assert (account.checkout / ".bootstrap" / "staging.jsonl").read_text().count('"failed"') == 1


def test_a_project_that_is_not_the_one_of_the_file_is_refused(account: Account) -> None:
    account.stack_file.write_text((checkout.ROOT / "stacks" / "Pulumi.staging.yaml").read_text())
    account.fake.state.projects["acme-at-work-staging"] = {"name": "projects/7", "projectId": "x", "state": "ACTIVE"}
    with pytest.raises(GoogleError, match="has the number 7, not 739104285516; correct the file"):
        bootstrapping.run(account.checkout, account.endpoint)


def test_a_project_that_is_not_there_is_refused_where_the_file_adopts_it(account: Account) -> None:
    account.stack_file.write_text((checkout.ROOT / "stacks" / "Pulumi.staging.yaml").read_text())
    with pytest.raises(GoogleError, match=r"write create .* instead of number"):
        bootstrapping.run(account.checkout, account.endpoint)


def test_what_takes_too_long_is_left_for_later(account: Account) -> None:
    account.fake.polls = 10_000
    with pytest.raises(GoogleError, match="not done after 0 seconds; continue later with --resume"):
        bootstrapping.bootstrap(
            account.checkout,
            "staging",
            resume=False,
            dry_run=False,
            login=lambda: bootstrapping.google(account.endpoint, patience=0.2),
        )
    account.fake.settle()
    account.fake.polls = 1
    assert bootstrapping.run(account.checkout, account.endpoint, resume=True) == 0


def test_without_a_login_the_error_says_how_to_log_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(GoogleError, match=r"no login: .*gcloud auth application-default login"):
        google.login()


@pytest.mark.parametrize(
    "address", ["http://example.com", "https://127.0.0.1:1", "127.0.0.1:1", "http://127.0.0.1.example.com"]
)
def test_a_rehearsal_reaches_this_machine_alone(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv(google.ENDPOINT, address)
    with pytest.raises(GoogleError, match=r"ATWORK_GOOGLE_ENDPOINT: .* is not on this machine; set it to http://127"):
        google.login()


def test_a_rehearsal_needs_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(google.ENDPOINT, "http://127.0.0.1:8080")
    assert (google.login().endpoint, google.login().who) == (
        "http://127.0.0.1:8080",
        "a rehearsal at http://127.0.0.1:8080",
    )


def test_two_bootstraps_of_one_environment_do_not_run_at_once(account: Account) -> None:
    with (
        opened(account.checkout, "staging"),
        pytest.raises(BackendError, match="another bootstrap of staging is running"),
    ):
        bootstrapping.run(account.checkout, account.endpoint)


PLATFORM = {
    "no parent": ('organization: "482915370164"\n', "", "say organization or folder"),
    "two parents": ("admin_project:", 'folder: "1"\nadmin_project:', "say organization or folder.*not both"),
    "number without quotes": (
        '"482915370164"',
        "482915370164",
        'organization: must be text, not the number 482915370164.*put it in quotes: "482915370164"',
    ),
    "billing": ("01AB23-CD45EF-678901", "01ab23", "billing_account: .*write the ID of a billing account"),
    "repository": ("acme/at-work,", "at-work,", "github.repository: .*write OWNER/NAME"),
    "zone": ("location: europe-west1", "location: europe-west1-b", "location: .*write a region, not a zone"),
    "typo": ("location:", "lokation:", "lokation: unknown key; did you mean location?"),
    "missing": ("location: europe-west1\n", "", "location: missing; add it"),
    "shared": ("acme-at-work-admin ", "acme-at-work-ci ", "is the project of ci; the admin project outlives"),
}


@pytest.mark.parametrize("what", PLATFORM)
def test_platform_settings_are_refused_with_file_key_and_fix(tmp_path: Path, what: str) -> None:
    old, new, words = PLATFORM[what]
    stacks = checkout.copy(tmp_path) / "stacks"
    text = (stacks / "platform.yaml").read_text()
    assert old in text
    (stacks / "platform.yaml").write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=rf"stacks/platform.yaml(:\d+)?: .*{words}"):
        plans.read("staging", stacks)


def test_the_shipped_settings_and_the_example_are_taken(tmp_path: Path) -> None:
    assert company.read(checkout.ROOT / "stacks").bucket == BUCKET
    (tmp_path / "platform.yaml").write_text(company.EXAMPLE)
    assert company.read(tmp_path).parent == "organizations/123456789012"
    (tmp_path / "platform.yaml").unlink()
    with pytest.raises(ConfigError, match="file not found; write it with your values"):
        company.read(tmp_path)


def test_an_unknown_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"stacks/Pulumi.demo.yaml: file not found.*environment new demo"):
        plans.read("demo", checkout.copy(tmp_path) / "stacks")


def test_a_name_that_leaves_no_room_for_accounts_is_refused(tmp_path: Path) -> None:
    stacks = checkout.copy(tmp_path) / "stacks"
    name = "a-name-that-is-far-too-long"
    text = (stacks / "Pulumi.staging.yaml").read_text()
    (stacks / f"Pulumi.{name}.yaml").write_text(text)
    with pytest.raises(ConfigError, match=rf"Pulumi\.{name}\.yaml: .*, 2 to 20 lower-case letters.*; rename the file"):
        plans.read(name, stacks)


FLOW = """config:
  atwork:stack:
    project: {id: acme, create: {name: A, folder_id: "1", billing_account: B}, deletable: false}  # ours
    region: europe-west1
"""
BLOCK = """config:
  atwork:stack:
    project:
      id: acme
      create:
        name: A
        folder_id: "1"
      deletable: false
    # next
    region: europe-west1
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FLOW, FLOW.replace('create: {name: A, folder_id: "1", billing_account: B}', 'number: "42"')),
        (BLOCK, BLOCK.replace('create:\n        name: A\n        folder_id: "1"', 'number: "42"')),
        (BLOCK.replace('create:\n        name: A\n        folder_id: "1"', 'number: "7"'),) * 2,
    ],
)
def test_only_the_project_changes_in_a_file_that_adopts_it(text: str, expected: str) -> None:
    assert with_number(text, "42", "file") == expected


def test_the_engines_lines_are_put_in_place_of_older_ones() -> None:
    text = "# staging\nencryptionsalt: v1:abc\nconfig:\n  a: 1\nencryptedkey: old\n"
    result = with_lines(text, {"secretsprovider": "gcpkms://k", "encryptedkey": "new"}, "f")
    assert result == "# staging\nsecretsprovider: gcpkms://k\nencryptedkey: new\nconfig:\n  a: 1\n"


def _mistakes(stacks: Path) -> list[str]:
    return secrets_provider_mistakes(stacks, read_files(stacks))


def test_a_project_that_was_never_bootstrapped_needs_no_lines() -> None:
    assert _mistakes(checkout.ROOT / "stacks") == []


def test_once_one_stack_has_its_lines_all_must(tmp_path: Path) -> None:
    stacks = checkout.copy(tmp_path) / "stacks"
    for name in ("ci", "staging", "production"):
        file = stacks / f"Pulumi.{name}.yaml"
        lines = {"secretsprovider": f"gcpkms://{RING}/cryptoKeys/{name}", "encryptedkey": "c2VjcmV0"}
        file.write_text(with_lines(file.read_text(), lines, file.name))
    assert _mistakes(stacks) == []
    staging, production = stacks / "Pulumi.staging.yaml", stacks / "Pulumi.production.yaml"
    staging.write_text(re.sub("(?m)^encryptedkey:.*\n", "encryptionsalt: v1:abc\n", staging.read_text()))
    production.write_text(production.read_text().replace("cryptoKeys/production", "cryptoKeys/ci"))
    mistakes = _mistakes(stacks)
    assert len(mistakes) == 3
    assert mistakes[0].startswith("stacks/Pulumi.production.yaml: secretsprovider is gcpkms://projects/")
    assert "encryptedkey is missing; run `atwork environment bootstrap staging`" in mistakes[1]
    assert "encryptionsalt belongs to a passphrase" in mistakes[2]
    assert secrets_provider_mistakes(stacks, replace(read_files(stacks), environments={})) == mistakes[1:], (
        "the key of an invalid file is not checked"
    )
    (stacks / "platform.yaml").unlink()
    production.write_text(re.sub("(?m)^secretsprovider:.*$", "secretsprovider: passphrase", production.read_text()))
    assert any("which is not a Cloud KMS key" in mistake for mistake in _mistakes(stacks))
