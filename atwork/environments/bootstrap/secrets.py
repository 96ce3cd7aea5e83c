"""Secrets that stand before the first update: made with their first value, which is never printed nor kept here.

A secret that has an enabled latest version is left alone, so that a second run changes nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from secrets import token_urlsafe
from typing import Any

from atwork.environments.bootstrap import projects
from atwork.environments.bootstrap.google import Google, GoogleError, explain_errors
from atwork.environments.bootstrap.plan import Plan
from atwork.environments.bootstrap.step import IS_RIGHT, Context, Step
from components.expected_secrets import ExpectedSecret

URL = "https://secretmanager.googleapis.com/v1"
SERVICE = "secretmanager.googleapis.com"

NOT_THERE = "is not there"
NO_VALUE = "has no value yet"
"""How the outcome of a step begins whose secret waits for a person."""

Values = Callable[[ExpectedSecret], str | None]
"""The value of a secret, or None where nobody has one."""


def no_values(secret: ExpectedSecret) -> None:
    """For a run that prints commands alone."""
    del secret


def steps(plan: Plan, values: Values) -> tuple[Step, ...]:
    """The API and one step for each secret that bootstrap makes."""
    expected = [secret for secret in plan.config.expected_secrets() if secret.made_by == "bootstrap"]
    if not expected:
        return ()
    project = plan.config.project.id
    service = projects.enable("secrets-service", project, (SERVICE,))
    return service, *(_step(secret, project, plan.config.secrets.replicas, values) for secret in expected)


def add_command(secret: ExpectedSecret, project: str) -> str:
    """The command by which a person adds a value, from standard input, so that no shell remembers it."""
    return f"gcloud secrets versions add {secret.name} --project={project} --data-file=-"


def unusable(google: Google, secret: ExpectedSecret, project: str) -> str | None:
    """Why a secret cannot be read: `NOT_THERE`, `NO_VALUE`, or the state of its latest version; None where it can.

    The alias `latest` is the version that was added last, enabled or not.
    https://cloud.google.com/secret-manager/docs/access-secret-version
    """
    from google.api_core.exceptions import NotFound

    url = f"{URL}/{secret.resource(project)}"
    try:
        latest = google.call("GET", f"{url}/versions/latest")
    except NotFound:
        try:
            google.call("GET", url)
        except NotFound:
            return NOT_THERE
        return NO_VALUE
    if latest["state"] == "ENABLED":
        return None
    version = str(latest["name"]).rpartition("/")[2]
    return f"has version {version} as its latest, which is {str(latest['state']).lower()}"


def _step(secret: ExpectedSecret, project: str, replicas: tuple[str, ...], values: Values) -> Step:
    def ensure(context: Context) -> str:
        google, doing = context.google, f"make the secret {secret.name}"
        with explain_errors(doing, f"ask for roles/secretmanager.admin on {project}"):
            reason = unusable(google, secret, project)
            if reason is None:
                return IS_RIGHT
            if reason == NOT_THERE:
                _create(google, secret, project, replicas)
            elif reason != NO_VALUE:  # somebody disabled it, and knows why
                raise GoogleError(
                    f"the secret {secret.name} {reason}; enable it, or add a value: {add_command(secret, project)}"
                )
            value = token_urlsafe(24) if secret.value == "generated" else values(secret)
            if value is None:
                return f"{NO_VALUE}: {secret.purpose}"
            data = base64.b64encode(value.encode()).decode()
            google.call("POST", f"{URL}/{secret.resource(project)}:addVersion", body={"payload": {"data": data}})
            return "made, with a random value" if secret.value == "generated" else "made"

    where = f"user-managed --locations={','.join(replicas)}" if replicas else "automatic"
    source = "openssl rand -base64 24 | tr -d '\\n' | " if secret.value == "generated" else ""
    commands = (
        f"gcloud secrets create {secret.name} --project={project} --replication-policy={where}",
        f"{source}{add_command(secret, project)}  # {secret.purpose}",
    )
    asks = secret.value != "generated"
    return Step(f"secret-{secret.name}", f"secret {secret.name}", commands, ensure, asks=asks)


def _create(google: Google, secret: ExpectedSecret, project: str, replicas: tuple[str, ...]) -> None:
    from google.api_core.exceptions import Conflict

    replication: dict[str, Any] = {"automatic": {}}
    if replicas:
        replication = {"userManaged": {"replicas": [{"location": region} for region in replicas]}}
    try:
        google.call(
            "POST",
            f"{URL}/projects/{project}/secrets",
            params={"secretId": secret.name},
            body={"replication": replication, "labels": {"managed-by": "atwork-bootstrap"}},
        )
    except Conflict:  # another bootstrap was quicker
        return
