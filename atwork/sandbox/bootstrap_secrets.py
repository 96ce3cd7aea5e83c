"""The secrets that bootstrap creates in Google Cloud before the first update, simulated with a random first version.

They belong to no stack: `down` leaves them, as it does in the real cloud.
"""

from __future__ import annotations

from secrets import token_urlsafe

from atwork.errors import ConfigError
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.home import Home
from atwork.sandbox.provider.values import secret as as_secret
from components.expected_secrets import ExpectedSecret
from components.type_tokens import SECRET, SECRET_VERSION
from infra.config import read_all


def create_all(home: Home) -> None:
    """Create the missing secrets of all environments."""
    try:
        environments = read_all(home.project.stacks)
    except ConfigError:
        return  # the program reports the error and creates nothing
    cloud = Cloud(home.cloud)
    for config in environments.values():
        for secret in config.expected_secrets():
            if secret.made_by == "bootstrap":
                create(cloud, secret, config.project.id, token_urlsafe(24))


def create(cloud: Cloud, secret: ExpectedSecret, project: str, value: str | None) -> None:
    """Create a secret, with a version if there is a value; an existing secret is not changed."""
    name = secret.resource(project)
    with cloud.transaction():
        if cloud.exists("", name):
            return
        inputs = {"secretId": secret.name, "project": project, "replication": {"auto": {}}}
        cloud.create(CloudObject("", SECRET, name, "", inputs, {**inputs, "id": name, "name": name}), set())
        if value is not None:
            add_version(cloud, name, 1, value)


def add_version(cloud: Cloud, secret: str, number: int, value: str, *, enabled: bool = True) -> None:
    """Add a version to a secret, as a person or a job does."""
    version = {"secret": secret, "enabled": enabled, "secretData": as_secret(value)}
    cloud.create(CloudObject("", SECRET_VERSION, f"{secret}/versions/{number}", "", version, version), {secret})
