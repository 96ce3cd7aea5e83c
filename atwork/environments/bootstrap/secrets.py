"""Steps that create secrets with their first value before the first update; values are never printed or stored.

A secret that has an enabled latest version is unchanged, so that a second run changes nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from secrets import token_urlsafe
from typing import Any

from atwork.environments.bootstrap import projects
from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.google_errors import GoogleError, explain_errors
from atwork.environments.bootstrap.plan import BootstrapPlan
from atwork.environments.bootstrap.step import UNCHANGED, Context, Step
from components.expected_secrets import ExpectedSecret

URL = "https://secretmanager.googleapis.com/v1"
SERVICE = "secretmanager.googleapis.com"

NOT_THERE = "does not exist"
NO_VALUE = "has no value yet"
"""Start of the outcome of a step whose secret needs a value from a person."""

SecretSource = Callable[[ExpectedSecret], str | None]
"""Returns the value of a secret, or None if there is none."""


def no_values(secret: ExpectedSecret) -> None:
    """Return no value, for a run that only prints commands."""
    del secret


def steps(plan: BootstrapPlan, values: SecretSource) -> tuple[Step, ...]:
    """Steps for the API and each secret that bootstrap creates."""
    expected = [secret for secret in plan.config.expected_secrets() if secret.made_by == "bootstrap"]
    if not expected:
        return ()
    project = plan.config.project.id
    service = projects.enable("secrets-service", project, (SERVICE,))
    return service, *(_step(secret, project, plan.config.secrets.replicas, values) for secret in expected)


def add_command(secret: ExpectedSecret, project: str) -> str:
    """The command that adds a value from standard input, which keeps it out of the shell's history."""
    return f"gcloud secrets versions add {secret.name} --project={project} --data-file=-"


def unusable(google: Google, secret: ExpectedSecret, project: str) -> str | None:
    """Why a secret cannot be read: `NOT_THERE`, `NO_VALUE`, or the state of its latest version; None if it can.

    The alias `latest` is the newest version, enabled or not.
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


def _step(secret: ExpectedSecret, project: str, replicas: tuple[str, ...], values: SecretSource) -> Step:
    def ensure(context: Context) -> str:
        google, doing = context.google, f"create the secret {secret.name}"
        with explain_errors(doing, f"ask for roles/secretmanager.admin on {project}"):
            reason = unusable(google, secret, project)
            if reason is None:
                return UNCHANGED
            if reason == NOT_THERE:
                _create(google, secret, project, replicas)
            elif reason != NO_VALUE:  # somebody disabled it on purpose
                raise GoogleError(
                    f"the secret {secret.name} {reason}; enable it, or add a value: {add_command(secret, project)}"
                )
            value = token_urlsafe(24) if secret.value == "generated" else values(secret)
            if value is None:
                return f"{NO_VALUE}: {secret.purpose}"
            data = base64.b64encode(value.encode()).decode()
            google.call("POST", f"{URL}/{secret.resource(project)}:addVersion", body={"payload": {"data": data}})
            return "created, with a random value" if secret.value == "generated" else "created"

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
    except Conflict:  # another bootstrap created it
        return
