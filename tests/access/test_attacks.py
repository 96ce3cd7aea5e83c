"""What an attacker gets: with the identity of a service's pod in staging, and with the state of an environment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from support.cloud import Simulated

from atwork.access.binding import Binding
from atwork.access.conditions import ConditionRequest, holds
from atwork.access.model import AccessModel
from atwork.access.rbac import ApiRequest, Rbac
from atwork.environments.bootstrap import plan as plans
from infra.config import STACKS

SERVICE = "serviceAccount:orders-sql@acme-at-work-staging.iam.gserviceaccount.com"
STAGING = "projects/acme-at-work-staging"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"


def rights(access: AccessModel) -> set[tuple[str, str]]:
    """Everything that the pods of the service may do in Google Cloud."""
    return {(binding.role, binding.resource) for binding in access.of(SERVICE)}


OWN = {
    ("roles/cloudsql.client", STAGING),
    ("roles/cloudsql.instanceUser", STAGING),  # a login needs a database user of its name, too
    ("roles/memorystore.dbConnectionUser", STAGING),  # by its condition, for its own instance alone
    ("roles/secretmanager.secretAccessor", f"{STAGING}/secrets/orders-payment-gateway"),
}


def test_a_pod_of_a_service_has_its_database_and_its_secrets_alone(platform: AccessModel) -> None:
    """No image is written, no account is impersonated, no state is read, and production is another project."""
    assert rights(platform) == OWN
    more = Binding("roles/secretmanager.secretAccessor", SERVICE, STAGING)
    assert rights(replace(platform, bindings=(*platform.bindings, more))) != OWN


def test_a_pod_of_a_service_logs_in_to_its_own_redis_alone(platform: AccessModel) -> None:
    instances = f"{STAGING}/locations/europe-west1/instances"
    assert platform.may(SERVICE, "memorystore.instances.connect", f"{instances}/orders-redis").allowed
    [grant] = [binding for binding in platform.of(SERVICE) if binding.role == "roles/memorystore.dbConnectionUser"]
    assert grant.condition is not None
    for name in ("stock-redis", "orders-redis-2"):
        request = ConditionRequest(f"{instances}/{name}", datetime.now(UTC))
        assert not holds(grant.condition.expression, request), name


def test_a_pod_of_a_service_may_do_nothing_in_its_cluster(stacks: dict[str, Simulated]) -> None:
    objects = [
        (item.type.removeprefix(RBAC), item.inputs)
        for item in stacks["staging"].recording.resources.values()
        if item.type.startswith(RBAC)
    ]
    cluster = Rbac(objects)
    for verb, resource in (
        ("get", "secrets"),
        ("list", "pods"),
        ("create", "pods"),
        ("impersonate", "serviceaccounts"),
    ):
        for namespace in ("orders", "preview-1", "kube-system"):
            assert not cluster.may("ServiceAccount:orders/orders", ApiRequest(verb, resource, namespace))
    assert cluster.may("ServiceAccount:orders/deployer", ApiRequest("create", "pods", "orders"))  # who can be compared


def test_no_pod_reads_a_state_or_decrypts_one(platform: AccessModel) -> None:
    """The state is read, and its secrets are decrypted, by identities of this repository's own pipeline alone."""
    names = ("ci", "staging", "production")
    pipeline = {
        f"serviceAccount:{kind}-{name}@acme-at-work-admin.iam.gserviceaccount.com"
        for kind in ("preview", "drift", "deploy")
        for name in names
    }
    bucket = f"buckets/{plans.read('ci', STACKS).platform.bucket}"
    assert {binding.member for binding in platform.bindings if binding.resource == bucket} == pipeline
    for name in names:
        readers = platform.who("cloudkms.cryptoKeyVersions.useToDecrypt", plans.read(name, STACKS).key)
        assert set() < {reader.principal for reader in readers} <= pipeline
