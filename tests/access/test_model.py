"""Decisions from bindings: inheritance, conditions, forms of principals, and impersonation as a step of its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from atwork.access import conditions
from atwork.access.binding import Binding, Condition
from atwork.access.model import AccessModel
from atwork.errors import AccessError

ACCOUNT = "serviceAccount:app@acme.iam.gserviceaccount.com"
POD = "serviceAccount:acme.svc.id.goog[orders/orders]"
PRINCIPAL = (
    "principal://iam.googleapis.com/projects/{}/locations/global/workloadIdentityPools/{}/subject/ns/orders/sa/orders"
)
SAME_POD = PRINCIPAL.format("42", "acme.svc.id.goog")
SECRET = "projects/acme/secrets/token"
READ = "secretmanager.versions.access"


def model(*bindings: Binding) -> AccessModel:
    return AccessModel(
        bindings,
        custom_roles={"projects/acme/roles/connect": frozenset({"container.clusters.connect"})},
        resources=frozenset(
            {SECRET, "projects/acme/serviceAccounts/app@acme.iam.gserviceaccount.com", "buckets/state"}
        ),
        parents={"projects/acme": "folders/7", "folders/7": "organizations/1", "buckets/state": "projects/acme"},
        numbers={"acme": "42"},
    )


def reader(member: str, resource: str = SECRET, condition: str | None = None) -> Binding:
    titled = None if condition is None else Condition("when", condition)
    return Binding("roles/secretmanager.secretAccessor", member, resource, titled, "test")


def test_a_binding_on_the_resource_allows_what_its_role_holds() -> None:
    binding = reader(ACCOUNT)
    decision = model(binding).may(ACCOUNT, READ, SECRET)
    assert decision
    assert (decision.binding, decision.inherited_from) == (binding, None)
    assert not model(binding).may("user:ada@example.com", READ, SECRET)


@pytest.mark.parametrize("ancestor", ["projects/acme", "folders/7", "organizations/1"])
def test_bindings_are_inherited_from_project_folder_and_organization(ancestor: str) -> None:
    decision = model(reader(ACCOUNT, ancestor)).may(ACCOUNT, READ, f"{SECRET}/versions/3")
    assert decision
    assert decision.inherited_from == ancestor
    assert ancestor in decision.reason


def test_a_binding_on_one_resource_does_not_reach_its_project_or_its_neighbor() -> None:
    access = model(reader(ACCOUNT), reader("user:ada@example.com", "projects/acme/secrets/other"))
    assert not access.may(ACCOUNT, READ, "projects/acme")
    assert not access.may(ACCOUNT, READ, "projects/acme/secrets/other")


def test_both_forms_of_a_pod_are_one_identity() -> None:
    assert model(reader(SAME_POD)).may(POD, READ, SECRET)
    assert model(reader(POD)).may(SAME_POD, READ, SECRET)


@pytest.mark.parametrize(
    "other", [PRINCIPAL.format("43", "acme.svc.id.goog"), PRINCIPAL.format("42", "other.svc.id.goog")]
)
def test_a_principal_with_another_number_or_pool_is_another_identity(other: str) -> None:
    assert not model(reader(other)).may(POD, READ, SECRET)


def test_sets_of_pods_cover_their_namespace_or_pool_alone() -> None:
    start = "principalSet://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/acme.svc.id.goog"
    assert model(reader(f"{start}/namespace/orders")).may(POD, READ, SECRET)
    assert model(reader(f"{start}/*")).may(SAME_POD, READ, SECRET)
    assert not model(reader(f"{start}/namespace/billing")).may(POD, READ, SECRET)
    assert not model(reader(f"{start}/*")).may(ACCOUNT, READ, SECRET)


def test_impersonation_is_never_followed() -> None:
    email = ACCOUNT.removeprefix("serviceAccount:")
    acting = Binding("roles/iam.workloadIdentityUser", SAME_POD, f"projects/acme/serviceAccounts/{email}")
    access = model(reader(ACCOUNT), acting)
    assert access.may_act_as(POD, email)
    assert not access.may(POD, READ, SECRET)
    assert access.pod("acme", "orders", "orders", None) == POD
    assert access.may(access.pod("acme", "orders", "orders", email), READ, SECRET)


def test_custom_roles_are_read_and_an_undefined_one_is_an_error() -> None:
    access = model(Binding("projects/acme/roles/connect", ACCOUNT, "projects/acme"))
    assert access.may(ACCOUNT, "container.clusters.connect", "projects/acme")
    with pytest.raises(AccessError, match="roles/gone: a binding names this custom role"):
        model(Binding("projects/acme/roles/gone", ACCOUNT, "projects/acme")).may(ACCOUNT, READ, "projects/acme")


def test_a_false_condition_denies_and_is_named() -> None:
    access = model(
        Binding(
            "roles/storage.objectUser",
            ACCOUNT,
            "buckets/state",
            Condition("own state", 'resource.name.startsWith("projects/_/buckets/state/objects/staging/")'),
        )
    )
    assert access.may(ACCOUNT, "storage.objects.create", "buckets/state/objects/staging/x.json")
    denied = access.may(ACCOUNT, "storage.objects.create", "buckets/state/objects/ci/x.json")
    assert not denied
    assert "condition is false for roles/storage.objectUser (own state)" in denied.reason


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('resource.name == "projects/acme/secrets/token"', True),
        ('resource.type == "secretmanager.googleapis.com/Secret"', True),
        ('resource.service != "secretmanager.googleapis.com"', False),
        ('resource.name.endsWith("/other") || resource.name.startsWith("projects/acme/")', True),
        ('resource.name.endsWith("/other") && resource.name.startsWith("projects/acme/")', False),
        ('!(resource.name.endsWith("/other")) && resource.name.contains("secrets")', True),
        ('request.time < timestamp("2026-12-01T00:00:00Z")', True),
        ('request.time >= timestamp("2026-12-01T00:00:00Z")', False),
        ('resource.name == "x" || resource.name == "y" && resource.name == "projects/acme/secrets/token"', False),
    ],
)
def test_conditions(expression: str, *, expected: bool) -> None:
    request = conditions.ConditionRequest(SECRET, datetime(2026, 11, 26, tzinfo=UTC))
    assert conditions.holds(expression, request) is expected


@pytest.mark.parametrize(
    "expression",
    [
        "true",
        "",
        'resource.name.matches("a.*")',
        'resource.name == "a" ||',
        '(resource.name == "a"',
        "request.auth.claims.x",
    ],
)
def test_other_conditions_are_refused_by_name(expression: str) -> None:
    with pytest.raises(AccessError, match="not in the supported part of CEL"):
        conditions.holds(expression, conditions.ConditionRequest(SECRET, datetime.now(UTC)))


def test_an_unknown_name_is_an_error_with_similar_names() -> None:
    access = model(reader(ACCOUNT))
    with pytest.raises(AccessError, match=r"did you mean .*secretmanager\.versions\.access"):
        access.may(ACCOUNT, "secretmanager.version.access", SECRET)
    with pytest.raises(AccessError, match="unknown resource; did you mean projects/acme/secrets/token"):
        access.may(ACCOUNT, READ, "projects/acme/secrets/tokem")
    with pytest.raises(AccessError, match="unknown resource"):
        access.may(ACCOUNT, READ, "projects/other")
    with pytest.raises(AccessError, match="not an IAM principal"):
        access.may("ada@example.com", READ, SECRET)
    with pytest.raises(AccessError, match=r"roles/unknown: not in roles\.json"):
        model(Binding("roles/unknown", ACCOUNT, SECRET)).may(ACCOUNT, READ, SECRET)


def test_who_lists_each_member_with_its_binding() -> None:
    access = model(
        reader(ACCOUNT), reader("group:ops@example.com", "projects/acme"), reader("user:x@example.com", "buckets/state")
    )
    inherited = {decision.principal: decision.inherited_from for decision in access.who(READ, SECRET)}
    assert inherited == {ACCOUNT: None, "group:ops@example.com": "projects/acme"}
