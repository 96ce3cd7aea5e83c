"""Identities of CI: three accounts for each environment, and the workflows that may use them. No account has a key."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.google_errors import GoogleError, explain_errors
from atwork.environments.bootstrap.plan import MAIN, POOL, PROVIDER, BootstrapPlan
from atwork.environments.bootstrap.policies import Grant, Resource
from atwork.environments.bootstrap.rights import grants
from atwork.environments.bootstrap.step import UNCHANGED, Context, Step

IAM = "https://iam.googleapis.com/v1"
ISSUER = "https://token.actions.githubusercontent.com"

MAPPING = {
    "google.subject": "assertion.sub",
    "attribute.environment": "assertion.environment",
    "attribute.environment_at": 'assertion.environment + "@" + assertion.ref',
}
"""A token of a job without an environment has no such claim: the mapping fails, and with it the login."""


def account(plan: BootstrapPlan, short: str, title: str) -> Step:
    """A service account of the admin project."""
    parent, email = f"projects/{plan.admin}", plan.email(short)

    def ensure(context: Context) -> str:
        from google.api_core.exceptions import Conflict

        google = context.google
        with explain_errors(f"create the account {short}", f"ask for roles/iam.serviceAccountAdmin on {plan.admin}"):
            there = _get(google, f"{parent}/serviceAccounts/{email}")
            if there is not None:
                if there.get("disabled"):
                    raise GoogleError(
                        f"the account {email} is disabled; run `gcloud iam service-accounts enable {email} "
                        f"--project {plan.admin}`, if that is safe"
                    )
                return UNCHANGED
            body = {"accountId": short, "serviceAccount": {"displayName": title}}
            with suppress(Conflict):  # created by an earlier run, and not visible everywhere yet
                google.call("POST", f"{IAM}/{parent}/serviceAccounts", body=body)
            google.wait_until(lambda: _get(google, f"{parent}/serviceAccounts/{email}") is not None, f"create {short}")
            return "created"

    command = f'gcloud iam service-accounts create {short} --project={plan.admin} --display-name="{title}"'
    return Step(f"account-{short}", f"account {short}", (command,), ensure)


def pool(plan: BootstrapPlan) -> Step:
    """The pool of GitHub's identities."""
    parent = f"projects/{plan.admin}/locations/global"
    wanted = {"displayName": "GitHub Actions", "description": "Workflows that preview and deploy the platform"}

    def ensure(context: Context) -> str:
        with explain_errors(f"create the pool {POOL}", f"ask for roles/iam.workloadIdentityPoolAdmin on {plan.admin}"):
            return _ensure(
                context.google, f"{parent}/workloadIdentityPools", "workloadIdentityPoolId", POOL, wanted, ()
            )

    command = (
        f"gcloud iam workload-identity-pools create {POOL} --location=global --project={plan.admin} "
        f'--display-name="{wanted["displayName"]}" --description="{wanted["description"]}"'
    )
    return Step("pool", f"workload identity pool {POOL}", (command,), ensure)


def provider(plan: BootstrapPlan) -> Step:
    """The provider for GitHub's tokens, limited to this repository."""
    parent = f"projects/{plan.admin}/locations/global/workloadIdentityPools/{POOL}/providers"
    condition = f'assertion.repository_id == "{plan.platform.github.repository_id}"'
    wanted: dict[str, Any] = {
        "displayName": "GitHub Actions",
        "oidc": {"issuerUri": ISSUER},
        "attributeMapping": MAPPING,
        "attributeCondition": condition,
    }
    compared = ("oidc", "attributeMapping", "attributeCondition")

    def ensure(context: Context) -> str:
        with explain_errors(
            f"create the provider {PROVIDER}", f"ask for roles/iam.workloadIdentityPoolAdmin on {plan.admin}"
        ):
            key = "workloadIdentityPoolProviderId"
            return _ensure(context.google, parent, key, PROVIDER, wanted, compared)

    mapping = ",".join(f"{key}={value}" for key, value in MAPPING.items())
    command = (
        f"gcloud iam workload-identity-pools providers create-oidc {PROVIDER} --workload-identity-pool={POOL} "
        f'--location=global --project={plan.admin} --display-name="GitHub Actions" --issuer-uri={ISSUER} '
        f"--attribute-mapping='{mapping}' --attribute-condition='{condition}'"
    )
    return Step("provider", f"provider of {plan.platform.github.repository}", (command,), ensure)


def federation(plan: BootstrapPlan, short: str) -> Step:
    """Let workflows use an account: previews in any branch, drift and updates only from main."""
    wanted = federated(plan, short)
    return grants(f"federation-{short}", f"workflows that may be {short}", plan.admin, wanted, alone=True)


def federated(plan: BootstrapPlan, short: str) -> dict[Resource, list[Grant]]:
    """The binding of `federation`."""
    environment = plan.accounts[short]
    attribute = (
        f"attribute.environment/{environment}"
        if short == plan.preview_account
        else f"attribute.environment_at/{environment}@{MAIN}"
    )
    where = f"projects/{{number}}/locations/global/workloadIdentityPools/{POOL}"
    grant = Grant("roles/iam.workloadIdentityUser", f"principalSet://iam.googleapis.com/{where}/{attribute}")
    return {Resource.account(plan.admin, plan.email(short)): [grant]}


def _ensure(
    google: Google, parent: str, key: str, short: str, wanted: dict[str, Any], compared: tuple[str, ...]
) -> str:
    """Create, correct or undelete a pool or a provider; the name of a deleted one is not free for 30 days."""
    url, name = f"{IAM}/{parent}", f"{parent}/{short}"
    there = _get(google, name)
    if there is None:
        _wait(google, google.call("POST", url, params={key: short}, body=wanted), f"create {short}")
        google.wait_until(lambda: _get(google, name) is not None, f"create {short}")
        return "created"
    if there.get("disabled"):
        raise GoogleError(f"{name} is disabled; enable it in the console, if that is safe")
    outcome = []
    if there.get("state") == "DELETED":
        _wait(google, google.call("POST", f"{IAM}/{name}:undelete", body={}), f"undelete {short}")
        outcome.append("undeleted")
    different = [field for field in compared if not _holds(there.get(field), wanted[field])]
    if different:
        body = {field: wanted[field] for field in different}
        params = {"updateMask": ",".join(different)}
        _wait(google, google.call("PATCH", f"{IAM}/{name}", params=params, body=body), f"correct {short}")
        outcome.append(f"corrected: {', '.join(different)}")
    return ", ".join(outcome) or UNCHANGED


def _holds(there: Any, wanted: Any) -> bool:
    """Whether an object has at least the wanted fields; Google adds others."""
    if isinstance(wanted, dict) and isinstance(there, dict) and wanted is not MAPPING:
        return all(_holds(there.get(key), value) for key, value in wanted.items())
    return there == wanted


def _get(google: Google, name: str) -> dict[str, Any] | None:
    from google.api_core.exceptions import NotFound

    try:
        return google.call("GET", f"{IAM}/{name}")
    except NotFound:
        return None


def _wait(google: Google, operation: dict[str, Any], doing: str) -> None:
    """Wait for a long operation of IAM."""
    last = operation

    def done() -> bool:
        nonlocal last
        if not last.get("done"):
            last = google.call("GET", f"{IAM}/{operation['name']}")
        return bool(last.get("done"))

    google.wait_until(done, doing)
    if "error" in last:
        raise GoogleError(f"{doing}: {last['error'].get('message', last['error'])}; continue with --resume")
