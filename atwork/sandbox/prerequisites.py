"""What bootstrap makes in Google Cloud before the first update, played: the secrets, each with a random first version.

They belong to no stack: `down` leaves them, as it does in the real cloud.
"""

from __future__ import annotations

from secrets import token_urlsafe

from atwork.errors import ConfigError
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.home import Home
from atwork.sandbox.provider.values import secret as sealed
from components.expected_secrets import ExpectedSecret
from components.type_tokens import SECRET, SECRET_VERSION
from infra.config import read_all


def play(home: Home) -> None:
    """Make the secrets of all environments that are not there yet."""
    try:
        environments = read_all(home.project.stacks)
    except ConfigError:
        return  # the program says what is wrong with them, and makes nothing either
    cloud = Cloud(home.cloud)
    for config in environments.values():
        for secret in config.expected_secrets():
            if secret.made_by == "bootstrap":
                make(cloud, secret, config.project.id, token_urlsafe(24))


def make(cloud: Cloud, secret: ExpectedSecret, project: str, value: str | None) -> None:
    """One secret, with a version where there is a value; one that is there is left as it is."""
    name = secret.resource(project)
    with cloud.transaction():
        if cloud.exists("", name):
            return
        inputs = {"secretId": secret.name, "project": project, "replication": {"auto": {}}}
        cloud.create(CloudObject("", SECRET, name, "", inputs, {**inputs, "id": name, "name": name}), set())
        if value is not None:
            add_version(cloud, name, 1, value)


def add_version(cloud: Cloud, secret: str, number: int, value: str, *, enabled: bool = True) -> None:
    """A further version of a secret, as a person or a job adds it."""
    version = {"secret": secret, "enabled": enabled, "secretData": sealed(value)}
    cloud.create(CloudObject("", SECRET_VERSION, f"{secret}/versions/{number}", "", version, version), {secret})
