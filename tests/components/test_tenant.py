"""The resources that a team's namespace and secrets declare."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
import pytest
from pydantic import ValidationError
from support.mocks import Recording, record

from components.secrets import Secrets, SecretSettings, SecretStoreSettings
from components.tenant import Tenant, TenantSettings, TenantTrafficSettings, policies

TEAM: dict[str, Any] = {"owner": "team-a", "accounts": ("api", "worker")}


def _tenant(deployer: str | None = None, logins: dict[str, str] | None = None, **settings: Any) -> Recording:
    def program() -> None:
        provider = kubernetes.Provider("inside", kubeconfig="{}")
        Tenant(
            "tenant-a",
            TenantSettings(**{**TEAM, **settings}),
            physical_name="a",
            logins=logins or {},
            deployer=deployer,
            database_range="10.0.0.0/20",
            protect=False,
            opts=pulumi.ResourceOptions(providers=[provider]),
        )

    return record(program)


def test_accounts_have_no_token_and_only_those_with_a_login_act_as_a_google_account() -> None:
    recording = _tenant(logins={"api": "api-sql@p.iam.gserviceaccount.com"})
    accounts = recording.of_type("kubernetes:core/v1:ServiceAccount")
    assert {account.inputs["metadata"]["name"] for account in accounts.values()} == {"api", "worker"}
    assert {account.inputs["automountServiceAccountToken"] for account in accounts.values()} == {False}
    metadata = [account.inputs["metadata"] for account in accounts.values()]
    annotations = {item["name"]: item.get("annotations") for item in metadata}
    assert annotations["api"] == {"iam.gke.io/gcp-service-account": "api-sql@p.iam.gserviceaccount.com"}
    assert not annotations["worker"]


def test_without_groups_and_deployer_there_are_no_rights() -> None:
    assert _tenant().of_type("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding") == {}


def test_rights_end_at_the_namespace() -> None:
    recording = _tenant(deployer="d@p.iam.gserviceaccount.com", viewers=("all@x.dev",), editors=("a@x.dev",))
    bindings = recording.of_type("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding").values()
    assert {
        (
            binding.inputs["subjects"][0]["name"],
            binding.inputs["roleRef"]["name"],
            binding.inputs["metadata"]["namespace"],
        )
        for binding in bindings
    } == {
        ("all@x.dev", "view", "a"),
        ("a@x.dev", "edit", "a"),
        ("deployer", "edit", "a"),
        ("d@p.iam.gserviceaccount.com", "act-as-deployer", "a"),
    }


def test_the_google_account_that_deploys_may_only_act_as_the_deployer_of_the_namespace() -> None:
    recording = _tenant(deployer="d@p.iam.gserviceaccount.com")
    (role,) = recording.of_type("kubernetes:rbac.authorization.k8s.io/v1:Role").values()
    assert role.inputs["rules"] == [
        {"apiGroups": [""], "resources": ["serviceaccounts"], "resourceNames": ["deployer"], "verbs": ["impersonate"]}
    ]
    inside = recording.resource("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", "tenant-a-deployer").inputs
    assert inside["subjects"] == [{"kind": "ServiceAccount", "name": "deployer", "namespace": "a"}]


def test_an_account_may_not_have_the_name_of_the_deployer() -> None:
    TenantSettings(owner="a", accounts=("deployers",))
    with pytest.raises(ValidationError, match="accounts: deployer is the account that installs charts"):
        TenantSettings(owner="a", accounts=("deployer",))


@pytest.mark.parametrize(
    ("settings", "peer", "there"),
    [
        (TenantTrafficSettings(), "35.191.0.0/16", True),
        (TenantTrafficSettings(gateway=False), "35.191.0.0/16", False),
        (TenantTrafficSettings(), "10.0.0.0/20", True),
        (TenantTrafficSettings(databases=False), "10.0.0.0/20", False),
        (TenantTrafficSettings(), "'0.0.0.0/0'", False),
        (TenantTrafficSettings(internet_ports=(443,)), "'0.0.0.0/0'", True),
        (TenantTrafficSettings(from_namespaces=("web",)), "'web'", True),
        (TenantTrafficSettings(), "'web'", False),
    ],
)
def test_traffic_follows_the_settings(settings: TenantTrafficSettings, peer: str, *, there: bool) -> None:
    assert (peer in str(policies(settings, "10.0.0.0/20"))) is there


def test_an_unknown_reader_is_refused() -> None:
    TenantSettings(**TEAM, secrets={"key": SecretSettings(readers=("api",))})
    with pytest.raises(ValidationError, match=r"secrets\.key\.readers: stranger is not among accounts \(api, worker\)"):
        TenantSettings(**TEAM, secrets={"key": SecretSettings(readers=("api", "stranger"))})


def _secrets(store: SecretStoreSettings, keys: dict[str, str], *, rotated: bool = False) -> Recording:
    rotation = {"every_days": 30, "first": "2027-01-01T00:00:00Z"} if rotated else None

    def program() -> None:
        provider = gcp.Provider("google")
        Secrets(
            "secrets-a",
            {"key": SecretSettings.model_validate_json(f'{{"readers": ["api"], "rotation": {_json(rotation)}}}')},
            store=store,
            namespace="a",
            project_number="12",
            workload_pool="p.svc.id.goog",
            logins={},
            key_in=keys.get,
            agent="serviceAccount:agent" if rotated else None,
            protect=True,
            labels={"owner": "a"},
            opts=pulumi.ResourceOptions(providers=[provider]),
        )

    return record(program)


def _json(value: object) -> str:
    import json

    return json.dumps(value)


def test_an_account_reads_its_secret_and_the_program_contains_no_value() -> None:
    recording = _secrets(SecretStoreSettings(), {"global": "k"})
    (grant,) = recording.of_type("gcp:secretmanager/secretIamMember:SecretIamMember").values()
    assert grant.inputs == {
        "secretId": "a-key",
        "role": "roles/secretmanager.secretAccessor",
        "member": "principal://iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/p.svc.id.goog"
        "/subject/ns/a/sa/api",
    }
    (secret,) = recording.of_type("gcp:secretmanager/secret:Secret").values()
    assert secret.inputs["replication"] == {"auto": {"customerManagedEncryption": {"kmsKeyName": "k"}}}
    assert recording.of_type("gcp:secretmanager/secretVersion:SecretVersion") == {}
    assert recording.of_type("gcp:pubsub/topic:Topic") == {}


def test_each_replica_has_the_key_of_its_location_and_reminders_have_a_topic() -> None:
    recording = _secrets(
        SecretStoreSettings(replicas=("europe-west1", "europe-north1")),
        {"europe-west1": "ka", "europe-north1": "kb"},
        rotated=True,
    )
    (secret,) = recording.of_type("gcp:secretmanager/secret:Secret").values()
    replicas = secret.inputs["replication"]["userManaged"]["replicas"]
    assert [(replica["location"], replica["customerManagedEncryption"]["kmsKeyName"]) for replica in replicas] == [
        ("europe-west1", "ka"),
        ("europe-north1", "kb"),
    ]
    assert secret.inputs["rotation"] == {"nextRotationTime": "2027-01-01T00:00:00Z", "rotationPeriod": "2592000s"}
    assert secret.ignore_changes == ("rotation.nextRotationTime",)
    assert secret.inputs["topics"] == [{"name": "secrets-a-reminders-id"}]
    (grant,) = recording.of_type("gcp:pubsub/topicIAMMember:TopicIAMMember").values()
    assert (grant.inputs["role"], grant.inputs["member"]) == ("roles/pubsub.publisher", "serviceAccount:agent")
