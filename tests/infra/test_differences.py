"""In what the three environments differ, in words: what is looser in ci is so on purpose, and nothing in production."""

from __future__ import annotations

from typing import Any

from support.mocks import Recorded, Recording

from components import versions
from components.type_tokens import LOG_BUCKET

STACKS = ("ci", "staging", "production")
CLUSTER = ("gcp:container/cluster:Cluster", "cluster-cluster")


def cluster(recording: Recording) -> dict[str, Any]:
    return recording.resource(*CLUSTER).inputs


def instances(recording: Recording) -> list[dict[str, Any]]:
    return [instance.inputs for instance in recording.of_type("gcp:sql/databaseInstance:DatabaseInstance").values()]


def guarded(recording: Recording) -> set[str]:
    return {resource.type for resource in recording.resources.values() if resource.protect}


REPOSITORY = "gcp:artifactregistry/repository:Repository"


def test_ci_guards_the_images_of_all_and_the_others_what_would_be_missed(recordings: dict[str, Recording]) -> None:
    keys = {"gcp:kms/cryptoKey:CryptoKey", "gcp:kms/keyRing:KeyRing"}
    way_in = {"gcp:compute/globalAddress:GlobalAddress", "gcp:dns/managedZone:ManagedZone"}
    missed = keys | {
        "gcp:container/cluster:Cluster",
        "gcp:memorystore/instance:Instance",
        "gcp:secretmanager/secret:Secret",
        "gcp:sql/databaseInstance:DatabaseInstance",
        "kubernetes:core/v1:Namespace",
    }
    assert {stack: guarded(recording) for stack, recording in recordings.items()} == {
        "ci": keys | {REPOSITORY},
        "staging": missed | way_in,
        "production": missed | way_in | {"gcp:compute/address:Address", LOG_BUCKET},
    }


def test_every_repository_has_the_guards_of_the_engine_and_of_the_provider(recordings: dict[str, Recording]) -> None:
    repositories = recordings["ci"].of_type(REPOSITORY).values()
    assert {(repository.protect, repository.inputs["deletionPolicy"]) for repository in repositories} == {
        (True, "PREVENT")
    }


def test_secrets_of_the_cluster_and_disks_rest_under_our_keys_but_in_ci(recordings: dict[str, Recording]) -> None:
    states = {stack: cluster(recording)["databaseEncryption"]["state"] for stack, recording in recordings.items()}
    assert states == {"ci": "DECRYPTED", "staging": "ENCRYPTED", "production": "ENCRYPTED"}
    for stack, recording in recordings.items():
        pools = recording.of_type("gcp:container/nodePool:NodePool").values()
        keyed = {"bootDiskKmsKey" in pool.inputs["nodeConfig"] for pool in pools}
        assert keyed == {stack != "ci"}, stack
        (storage,) = recording.of_type("kubernetes:storage.k8s.io/v1:StorageClass").values()
        assert ("disk-encryption-kms-key" in storage.inputs["parameters"]) == (stack != "ci")


def test_the_registry_rests_under_a_key_in_its_own_place(recordings: dict[str, Recording]) -> None:
    repositories = recordings["ci"].of_type(REPOSITORY).values()
    assert {repository.inputs["kmsKeyName"] for repository in repositories} == {"keys-registry-europe-id"}
    (ring,) = recordings["ci"].of_type("gcp:kms/keyRing:KeyRing").values()
    assert ring.inputs == {"location": "europe"}


def test_databases_rest_under_our_keys(recordings: dict[str, Recording]) -> None:
    keys = {stack: [instance.get("encryptionKeyName") for instance in instances(recordings[stack])] for stack in STACKS}
    key = "keys-databases-europe-west1-id"
    assert keys == {"ci": [], "staging": [key], "production": [key]}


def test_every_key_is_used_by_the_agent_of_its_service_alone(recordings: dict[str, Recording]) -> None:
    for recording in recordings.values():
        keys = recording.of_type("gcp:kms/cryptoKey:CryptoKey")
        grants = recording.of_type("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
        assert {grant.inputs["cryptoKeyId"].removesuffix("-id") for grant in grants.values()} == keys.keys()
        assert len(grants) == len(keys)
        assert {key.inputs["rotationPeriod"] for key in keys.values()} == {"7776000s"}
        assert {key.inputs["deletionPolicy"] for key in keys.values()} == {"ABANDON"}


def test_a_key_is_granted_to_computes_agent_once_compute_has_made_something(recordings: dict[str, Recording]) -> None:
    for stack in ("staging", "production"):
        recording = recordings[stack]
        network = recording.resource("gcp:compute/network:Network", "network-vpc").urn
        grant = recording.resource("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "keys-disks-europe-west1-agent")
        assert grant.inputs["member"].endswith("@compute-system.iam.gserviceaccount.com")
        assert network in grant.depends_on


def test_databases_and_their_users_are_left_to_the_instance(recordings: dict[str, Recording]) -> None:
    for recording in recordings.values():
        for token in ("gcp:sql/database:Database", "gcp:sql/user:User"):
            for resource in recording.of_type(token).values():
                assert (resource.retain_on_delete, resource.inputs.get("deletionPolicy")) == (True, None), resource.name


def test_a_login_is_known_before_its_account_and_waits_for_it(recordings: dict[str, Recording]) -> None:
    recording = recordings["production"]
    user = recording.resource("gcp:sql/user:User", "database-main-orders-user")
    account = recording.resource("gcp:serviceaccount/account:Account", "database-main-orders-account")
    assert user.inputs["name"] == "orders-sql@acme-at-work-production.iam"
    assert account.urn in user.depends_on


def test_foreign_images_are_refused_but_in_ci_where_they_are_logged(recordings: dict[str, Recording]) -> None:
    modes: dict[str, str] = {}
    for stack, recording in recordings.items():
        (policy,) = recording.of_type("gcp:binaryauthorization/policy:Policy").values()
        rule = policy.inputs["defaultAdmissionRule"]
        assert rule["evaluationMode"] == "ALWAYS_DENY"
        modes[stack] = rule["enforcementMode"]
        assert cluster(recording)["binaryAuthorization"] == {"evaluationMode": "PROJECT_SINGLETON_POLICY_ENFORCE"}
    enforced = "ENFORCED_BLOCK_AND_AUDIT_LOG"
    assert modes == {"ci": "DRYRUN_AUDIT_LOG_ONLY", "staging": enforced, "production": enforced}


def test_candidates_never_run_in_production_and_in_staging_in_preview_namespaces_alone(
    recordings: dict[str, Recording],
) -> None:
    registry = "europe-docker.pkg.dev/acme-at-work-ci"
    allowed = {
        stack: [pattern["namePattern"] for pattern in policy.inputs["admissionWhitelistPatterns"]]
        for stack in ("staging", "production")
        for policy in recordings[stack].of_type("gcp:binaryauthorization/policy:Policy").values()
    }
    stores = [f"{registry}/docker-hub/library/{versions.IMAGES[store]}" for store in ("postgres", "redis", "mysql")]
    jobs = [stores[0], versions.CLOUD_SQL_PROXY]  # of the Jobs that give rights in databases
    assert allowed == {
        "staging": [f"{registry}/services/**", f"{registry}/candidates/**", *stores, versions.CLOUD_SQL_PROXY],
        "production": [f"{registry}/services/**", *jobs],
    }
    token = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
    assert "preview-namespaces-candidates" not in recordings["production"].of_type(token)
    policy = recordings["staging"].resource(token, "preview-namespaces-candidates").inputs["spec"]
    assert all(
        f"startsWith('{registry}/candidates/')" in validation["expression"] for validation in policy["validations"]
    )
    pulled = {
        stack: {
            grant.inputs["repository"]
            for grant in recordings[stack]
            .of_type("gcp:artifactregistry/repositoryIamMember:RepositoryIamMember")
            .values()
            if "nodes" in grant.inputs["member"]
        }
        for stack in ("staging", "production")
    }
    assert pulled["staging"] - pulled["production"] == {"candidates"}


def test_accesses_to_data_are_logged_where_data_is(recordings: dict[str, Recording]) -> None:
    audited = {
        stack: {
            audit.inputs["service"]
            for audit in recording.of_type("gcp:projects/iAMAuditConfig:IAMAuditConfig").values()
        }
        for stack, recording in recordings.items()
    }
    assert audited["ci"] == {"secretmanager.googleapis.com"}
    assert audited["staging"] == audited["production"]
    assert {"cloudsql.googleapis.com", "container.googleapis.com"} < audited["production"]


def test_the_production_cluster_alone_is_backed_up_in_another_region(recordings: dict[str, Recording]) -> None:
    plans = {
        stack: [plan.inputs for plan in recording.of_type("gcp:gkebackup/backupPlan:BackupPlan").values()]
        for stack, recording in recordings.items()
    }
    assert plans["ci"] == plans["staging"] == []
    (plan,) = plans["production"]
    assert plan["location"] != "europe-west1"
    assert plan["backupConfig"]["encryptionKey"]["gcpKmsEncryptionKey"] == f"keys-backups-{plan['location']}-id"
    agents = {
        stack: cluster(recording)["addonsConfig"]["gkeBackupAgentConfig"] for stack, recording in recordings.items()
    }
    assert agents == {"ci": {"enabled": False}, "staging": {"enabled": False}, "production": {"enabled": True}}


def test_database_backups_grow_towards_production(recordings: dict[str, Recording]) -> None:
    kept = {
        stack: (
            instance["settings"]["backupConfiguration"]["backupRetentionSettings"]["retainedBackups"],
            instance["settings"]["backupConfiguration"]["transactionLogRetentionDays"],
            instance["settings"]["backupConfiguration"].get("location"),
        )
        for stack in ("staging", "production")
        for instance in instances(recordings[stack])
    }
    assert kept == {"staging": (7, 3, None), "production": (30, 7, "europe-north1")}


def test_only_production_upgrades_blue_green_and_keeps_two_copies_of_a_secret(recordings: dict[str, Recording]) -> None:
    strategies = {
        stack: {
            pool.inputs["upgradeSettings"]["strategy"]
            for pool in recording.of_type("gcp:container/nodePool:NodePool").values()
        }
        for stack, recording in recordings.items()
    }
    assert strategies == {"ci": {"SURGE"}, "staging": {"SURGE"}, "production": {"BLUE_GREEN"}}
    replication = {
        stack: [secret.inputs["replication"] for secret in secrets_of(recordings[stack])] for stack in STACKS
    }
    assert replication["ci"] == []
    assert list(replication["staging"][0]) == ["auto"]
    regions = [replica["location"] for replica in replication["production"][0]["userManaged"]["replicas"]]
    assert regions == ["europe-west1", "europe-north1"]


def secrets_of(recording: Recording) -> list[Recorded]:
    return list(recording.of_type("gcp:secretmanager/secret:Secret").values())


def test_people_change_things_in_staging_and_look_in_production(recordings: dict[str, Recording]) -> None:
    roles = {
        stack: {
            (subject["kind"], binding.inputs["roleRef"]["name"])
            for binding in recordings[stack].of_type("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding").values()
            for subject in binding.inputs["subjects"]
        }
        for stack in ("staging", "production")
    }
    assert roles == {
        "staging": {
            ("Group", "view"),
            ("Group", "edit"),
            # ci may only act as the account that deploys in a namespace.
            ("ServiceAccount", "edit"),
            ("User", "act-as-deployer"),
            # In preview namespaces, people and this account have a role of their own.
            ("Group", "atwork-preview"),
            ("ServiceAccount", "atwork-preview"),
            # ci itself gives builds their hosts, which no chart may.
            ("User", "atwork-preview-host"),
        },
        "production": {("Group", "view"), ("ServiceAccount", "edit"), ("User", "act-as-deployer")},
    }
