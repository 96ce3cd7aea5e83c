"""Bootstrap, through Google's own clients, against a Google of our own."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import bootstrapping
from support.bootstrapping import RING, Account

from atwork.environments.bootstrap import plan as plans
from atwork.environments.bootstrap.run import bootstrap
from atwork.environments.bootstrap.steps import ADMIN_SERVICES, all_of
from atwork.errors import UsageError
from infra.config import read_all

ADMIN, BUCKET = "acme-at-work-admin", "acme-at-work-admin-state"
PREVIEW, DRIFT, DEPLOY = (
    f"serviceAccount:{role}-staging@{ADMIN}.iam.gserviceaccount.com" for role in ("preview", "drift", "deploy")
)
POOL = f"projects/{ADMIN}/locations/global/workloadIdentityPools/atwork-github"


def members(account: Account, resource: str) -> dict[str, set[str]]:
    """Members of a resource's policy by role."""
    members_by_role: dict[str, set[str]] = {}
    for binding in account.fake.state.policies[resource]:
        members_by_role.setdefault(binding["role"], set()).update(binding["members"])
    return members_by_role


def final(account: Account) -> tuple[Any, Any]:
    """The state to compare: everything in Google Cloud except the times of the next rotation, and the stack file."""
    state = dataclasses.asdict(account.fake.state)
    for key in state["keys"].values():
        key.pop("nextRotationTime", None)
    return state, yaml.safe_load(account.stack_file.read_text())


def test_everything_is_created(account: Account) -> None:
    assert bootstrapping.run(account.checkout, account.endpoint) == 0
    state = account.fake.state
    assert state.projects[ADMIN]["parent"] == "organizations/482915370164"
    assert state.projects["acme-at-work-staging"]["parent"] == "folders/571903264418"
    assert state.billing == dict.fromkeys((ADMIN, "acme-at-work-staging"), "billingAccounts/01AB23-CD45EF-678901")
    assert state.services[ADMIN] == set(ADMIN_SERVICES)
    bucket = state.buckets[BUCKET]
    assert bucket["versioning"] == {"enabled": True}
    assert bucket["location"] == "EUROPE-WEST1"
    assert bucket["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"] is True
    assert bucket["iamConfiguration"]["publicAccessPrevention"] == "enforced"
    assert int(bucket["softDeletePolicy"]["retentionDurationSeconds"]) == 7 * 24 * 3600
    assert "retentionPolicy" not in bucket
    key = state.keys[f"{RING}/cryptoKeys/staging"]
    assert (key["purpose"], key["rotationPeriod"]) == (1, "7776000s")  # 1 is ENCRYPT_DECRYPT on the wire
    provider = state.pools[f"{POOL}/providers/actions"]
    assert provider["oidc"] == {"issuerUri": "https://token.actions.githubusercontent.com"}
    assert provider["attributeCondition"] == 'assertion.repository_id == "731904558"'


def test_workflows_get_the_identity_of_their_environment_and_no_other(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    where = (
        "principalSet://iam.googleapis.com/projects/100000000001/locations/global/workloadIdentityPools/atwork-github"
    )
    accounts = f"projects/{ADMIN}/serviceAccounts"
    assert members(account, f"{accounts}/{PREVIEW.partition(':')[2]}") == {
        "roles/iam.workloadIdentityUser": {f"{where}/attribute.environment/preview-staging"}
    }
    assert members(account, f"{accounts}/{DRIFT.partition(':')[2]}") == {
        "roles/iam.workloadIdentityUser": {f"{where}/attribute.environment_at/drift-staging@refs/heads/main"}
    }
    assert members(account, f"{accounts}/{DEPLOY.partition(':')[2]}") == {
        "roles/iam.workloadIdentityUser": {f"{where}/attribute.environment_at/staging@refs/heads/main"}
    }


def test_the_preview_identity_may_change_nothing(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    held = {
        role
        for policy in account.fake.state.policies.values()
        for binding in policy
        for role in [binding["role"]]
        if PREVIEW in binding["members"]
    }
    assert held == {
        "projects/acme-at-work-staging/roles/atworkReader",
        "projects/acme-at-work-ci/roles/atworkGrantReader",
        "roles/storage.objectViewer",
        "roles/cloudkms.cryptoKeyDecrypter",
    }
    assert members(account, f"{RING}/cryptoKeys/ci") == {"roles/cloudkms.cryptoKeyDecrypter": {PREVIEW, DRIFT, DEPLOY}}


def test_custom_roles_are_created_corrected_and_undeleted(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    roles = account.fake.state.roles
    assert set(roles) == {
        "projects/acme-at-work-ci/roles/atworkGrantReader",
        "projects/acme-at-work-ci/roles/atworkRegistryGranter",
        "projects/acme-at-work-staging/roles/atworkBudgetAdmin",
        "projects/acme-at-work-staging/roles/atworkCertificateAdmin",
        "projects/acme-at-work-staging/roles/atworkReader",
        "projects/acme-at-work-staging/roles/atworkSecretAdmin",
        "projects/acme-at-work-staging/roles/atworkSigningAdmin",
    }
    before = copy.deepcopy(roles)
    reader = roles["projects/acme-at-work-staging/roles/atworkReader"]
    reader["includedPermissions"] = ["storage.buckets.delete"]
    roles["projects/acme-at-work-ci/roles/atworkGrantReader"]["deleted"] = True
    bootstrapping.run(account.checkout, account.endpoint)
    assert roles == before


def test_the_deploy_identity_writes_the_state_of_its_own_stack_alone(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    writes = [
        binding
        for binding in account.fake.state.policies[f"b/{BUCKET}"]
        if binding["role"] == "roles/storage.objectUser"
    ]
    assert [binding["members"] for binding in writes] == [[DEPLOY]]
    parts = writes[0]["condition"]["expression"].split(" || ")
    start = f"projects/_/buckets/{BUCKET}/objects/.pulumi"
    assert parts == [
        f'resource.name.startsWith("{start}/{prefix}")'
        for prefix in (
            "stacks/atwork/staging.",
            "locks/organization/atwork/staging/",
            "locks/organization/atwork/staging.",
            "history/atwork/staging/",
            "history/atwork/staging.",
            "backups/atwork/staging/",
            "backups/atwork/staging.",
        )
    ]
    basic = {binding["role"] for policy in account.fake.state.policies.values() for binding in policy} & {
        "roles/owner",
        "roles/editor",
        "roles/viewer",
    }
    assert basic == set()


def test_the_stack_is_made_with_its_key_and_its_file_names_the_project(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    provider = f"gcpkms://{RING}/cryptoKeys/staging"
    words = ["stack", "init", "staging", "--secrets-provider", provider, "--no-select", "--non-interactive"]
    assert bootstrapping.calls(account.checkout) == [[f"gs://{BUCKET}", words]]
    project = read_all(account.checkout / "stacks")["staging"].project
    number = account.fake.state.projects["acme-at-work-staging"]["name"].removeprefix("projects/")
    assert (project.number, project.create) == (number, None)
    assert yaml.safe_load(account.stack_file.read_text())["secretsprovider"] == provider


def test_a_second_run_changes_nothing(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    before, changes = copy.deepcopy(final(account)), len(account.fake.changes)
    assert bootstrapping.run(account.checkout, account.endpoint) == 0
    assert account.fake.changes[changes:] == []
    assert final(account) == before
    assert len(bootstrapping.calls(account.checkout)) == 1


def _keys() -> list[str]:
    """The steps of a long-lived environment whose project is to be made."""
    from support import checkout

    stacks = checkout.ROOT / "stacks"
    plan = plans.read("staging", stacks)
    keys = [step.key for step in all_of(plan, stacks / "Pulumi.staging.yaml", Path("pulumi"))]
    keys.insert(keys.index("services") + 1, "adopt")
    return keys


FAULTS = ("before it begins", "after its first change", "before it is noted")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", _keys())
def test_killed_at_any_step_it_resumes_to_the_same_end(
    account: Account, tmp_path_factory: pytest.TempPathFactory, step: str, fault: str, undisturbed: tuple[Any, Any]
) -> None:
    code = bootstrapping.killed(account.checkout, account.endpoint, step, fault)
    if step == "adopt" and fault == "after its first change":
        assert code == 0, "the step only replaces a file atomically"
        assert final(account) == undisturbed
        return
    assert code == -9
    account.fake.settle()
    with pytest.raises(UsageError, match=r"stopped at .*--resume"):
        bootstrapping.run(account.checkout, account.endpoint)
    assert bootstrapping.run(account.checkout, account.endpoint, resume=True) == 0
    assert final(account) == undisturbed


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """The state after a run without an interruption."""
    from support import checkout
    from support.google import FakeGoogle, served

    folder = checkout.copy(tmp_path_factory.mktemp("undisturbed"))
    bootstrapping.created(folder / "stacks" / "Pulumi.staging.yaml")
    fake = bootstrapping.opened_account(FakeGoogle())
    with pytest.MonkeyPatch.context() as patch, served(fake) as endpoint:
        patch.setenv("ATWORK_PULUMI", "")
        assert bootstrapping.run(folder, endpoint) == 0
        return final(Account(folder, fake, endpoint))


def test_a_line_of_the_journal_that_was_cut_off_is_no_obstacle(account: Account) -> None:
    bootstrapping.killed(account.checkout, account.endpoint, "key", "before it begins")
    journal = account.checkout / ".bootstrap" / "staging.jsonl"
    journal.write_text(journal.read_text()[:-10])
    assert bootstrapping.run(account.checkout, account.endpoint, resume=True) == 0


def test_an_ephemeral_environment_gets_rights_where_its_project_will_be_and_shares_a_key(account: Account) -> None:
    document = yaml.safe_load(account.stack_file.read_text())
    settings = document["config"]["atwork:stack"]
    settings["environment"] = {
        "owner": "team-platform",
        "kind": "ephemeral",
        "created_at": "2027-01-28T18:00:00Z",
        "expires_at": "2027-01-31T18:00:00Z",
    }
    settings["cluster"]["deletion_protection"] = False
    settings["databases"]["main"]["deletion_protection"] = False
    settings["encryption"] = {"covers": []}
    del settings["gateway"], settings["monitoring"]
    settings["project"]["deletable"] = True
    settings["network"] |= {"nodes": "10.0.64.0/22", "pods": "10.70.0.0/19"}
    settings["project"]["id"] = "acme-at-work-demo-x4k2"
    (account.checkout / "stacks" / "Pulumi.demo.yaml").write_text(yaml.safe_dump(document))
    assert bootstrapping.run(account.checkout, account.endpoint, name="demo") == 0
    deploy = f"serviceAccount:deploy-demo@{ADMIN}.iam.gserviceaccount.com"
    assert members(account, "folders/571903264418")["roles/resourcemanager.projectCreator"] == {deploy}
    assert members(account, "billingAccounts/01AB23-CD45EF-678901") == {"roles/billing.user": {deploy}}
    assert "acme-at-work-demo-x4k2" not in account.fake.state.projects
    assert set(account.fake.state.keys) == {f"{RING}/cryptoKeys/ci", f"{RING}/cryptoKeys/ephemeral"}


def test_dry_run_asks_nobody(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap(account.checkout, "staging", resume=False, dry_run=True, login=_no_login) == 0
    printed = capsys.readouterr().out
    assert account.fake.requests == []
    assert not (account.checkout / ".bootstrap").exists()
    for step in _steps(account):
        assert step.commands
        for command in step.commands:
            assert command in printed


def _no_login() -> Any:
    raise AssertionError("a dry run needs no login")


def _steps(account: Account) -> Any:
    return all_of(plans.read("staging", account.checkout / "stacks"), account.stack_file, Path("pulumi"))


IN_ADMIN = f"--project={ADMIN}"
COMMANDS = {
    "admin-project": f"gcloud projects create {ADMIN} --name='Platform admin' --organization=482915370164",
    "admin-billing": f"gcloud billing projects link {ADMIN} --billing-account=01AB23-CD45EF-678901",
    "admin-services": f"gcloud services enable {' '.join(ADMIN_SERVICES)} {IN_ADMIN}",
    "key-ring": f"gcloud kms keyrings create atwork-state --location=europe-west1 {IN_ADMIN}",
    "key": (
        f"gcloud kms keys create staging --keyring=atwork-state --location=europe-west1 {IN_ADMIN} --purpose=encryption "
        "--rotation-period=90d --next-rotation-time=$(date -u -d '+90 days' +%Y-%m-%dT%H:%M:%SZ)"
    ),
    "account-preview-staging": (
        f'gcloud iam service-accounts create preview-staging {IN_ADMIN} --display-name="Previews changes of staging"'
    ),
    "account-deploy-staging": (
        f'gcloud iam service-accounts create deploy-staging {IN_ADMIN} --display-name="Updates staging from main"'
    ),
    "project": "gcloud projects create acme-at-work-staging --name=Staging --folder=571903264418",
    "billing": "gcloud billing projects link acme-at-work-staging --billing-account=01AB23-CD45EF-678901",
    "services": (
        "gcloud services enable cloudresourcemanager.googleapis.com serviceusage.googleapis.com "
        "--project=acme-at-work-staging"
    ),
    "stack": (
        f"PULUMI_BACKEND_URL=gs://{BUCKET} pulumi stack init staging --secrets-provider "
        f"gcpkms://{RING}/cryptoKeys/staging --no-select"
    ),
}


@pytest.mark.parametrize("step", COMMANDS)
def test_the_command_of_a_step_is_valid_for_gcloud(account: Account, step: str) -> None:
    commands = {step.key: step.commands for step in _steps(account)}
    assert commands[step] == (COMMANDS[step],)


def test_the_commands_of_bucket_provider_and_rights(account: Account) -> None:
    commands = {step.key: "\n".join(step.commands) for step in _steps(account)}
    for words in (
        "--uniform-bucket-level-access",
        "--public-access-prevention",
        "--soft-delete-duration=7d",
        "--versioning",
    ):
        assert words in commands["state-bucket"]
    assert """--attribute-condition='assertion.repository_id == "731904558"'""" in commands["provider"]
    assert "--issuer-uri=https://token.actions.githubusercontent.com" in commands["provider"]
    assert "attribute.environment_at/staging@refs/heads/main" in commands["federation-deploy-staging"]
    assert "attribute.environment/preview-staging" in commands["federation-preview-staging"]
    assert f'--role=roles/container.admin --member="{DEPLOY}" --condition=None' in commands["rights"]
    assert (
        "gcloud iam roles create atworkReader --project=acme-at-work-staging" in commands["roles-acme-at-work-staging"]
    )
    assert "--condition='^:^title=state of staging:expression=resource.name.startsWith(" in commands["state-rights"]
    assert commands.keys() == set(_keys())


MENDS = {
    "versioning": ("buckets", {"versioning": {"enabled": False}}, "versioning was off"),
    "public": ("buckets", {"iamConfiguration": {"publicAccessPrevention": "inherited"}}, "public access was possible"),
    "rotation": ("keys", {"rotationPeriod": "31536000s"}, "rotates every 90 days now"),
    "condition": ("pools", {"attributeCondition": "true"}, "corrected: attributeCondition"),
}


@pytest.mark.parametrize("what", MENDS)
def test_manual_changes_are_corrected(account: Account, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    before = copy.deepcopy(final(account))
    kind, change, words = MENDS[what]
    name = {"buckets": BUCKET, "keys": f"{RING}/cryptoKeys/staging", "pools": f"{POOL}/providers/actions"}[kind]
    thing = getattr(account.fake.state, kind)[name]
    for key, value in change.items():
        thing[key] = {**thing[key], **value} if isinstance(value, dict) else value
    assert bootstrapping.run(account.checkout, account.endpoint) == 0
    assert words in capsys.readouterr().out
    assert final(account) == before


def test_a_deleted_pool_is_taken_back(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    account.fake.state.pools[POOL]["state"] = "DELETED"
    bootstrapping.run(account.checkout, account.endpoint)
    assert account.fake.state.pools[POOL]["state"] == "ACTIVE"


def test_lost_lines_of_the_stack_file_come_back_from_the_state(account: Account) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    before = yaml.safe_load(account.stack_file.read_text())
    text = account.stack_file.read_text()
    account.stack_file.write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith(("secretsprovider", "encryptedkey"))) + "\n"
    )
    bootstrapping.run(account.checkout, account.endpoint)
    assert yaml.safe_load(account.stack_file.read_text()) == before
    assert len(bootstrapping.calls(account.checkout)) == 1


def test_policies_that_others_change_at_the_same_time_are_read_again(account: Account) -> None:
    conflict = (409, {"error": {"code": 409, "message": "There were concurrent policy changes.", "status": "ABORTED"}})
    account.fake.fail("POST", ":setIamPolicy$", conflict, times=2)
    account.fake.state.policies["projects/acme-at-work-ci"] = [{"role": "roles/owner", "members": ["user:jo@acme.com"]}]
    assert bootstrapping.run(account.checkout, account.endpoint) == 0
    assert "user:jo@acme.com" in members(account, "projects/acme-at-work-ci")["roles/owner"]


def test_other_members_of_an_account_are_reported(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    bootstrapping.run(account.checkout, account.endpoint)
    policy = account.fake.state.policies[f"projects/{ADMIN}/serviceAccounts/{DEPLOY.partition(':')[2]}"]
    policy.append({"role": "roles/iam.workloadIdentityUser", "members": ["principal://elsewhere"]})
    bootstrapping.run(account.checkout, account.endpoint)
    assert "unchanged, but others have the same role: principal://elsewhere" in capsys.readouterr().out
