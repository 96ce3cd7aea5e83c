"""Secret Manager, as far as pods use it: the value of a version in the simulated cloud."""

from __future__ import annotations

import re

from atwork.errors import SandboxError
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.provider.values import reveal
from components.type_tokens import SECRET_VERSION

READ = "secretmanager.versions.access"
VERSION = re.compile(r"(?P<secret>projects/[^/]+/secrets/[^/]+)/versions/(?P<number>latest|[0-9]+)")


class GoogleRefused(SandboxError):
    """A call that an API of Google refuses, with the name of its gRPC code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def secret_of(name: str) -> str:
    """The secret projects/P/secrets/S of the name of a version; `GoogleRefused` for another name."""
    return _parts(name)[0]


def access(cloud: Cloud, name: str) -> tuple[str, bytes]:
    """Name and value of projects/P/secrets/S/versions/V; `latest` is the one that was created last.

    Raises `GoogleRefused` if the version is missing or disabled.
    https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
    """
    secret, number = _parts(name)
    versions = _versions(cloud, secret)
    if number == "latest":
        if not versions:
            raise GoogleRefused("NOT_FOUND", f"Secret [{secret}] not found or has no versions.")
        number = str(max(int(each) for each in versions))
    full_name = f"{secret}/versions/{number}"
    if number not in versions:
        raise GoogleRefused("NOT_FOUND", f"Secret Version [{full_name}] not found.")
    inputs = reveal(versions[number].inputs)
    if inputs.get("enabled") is False:
        raise GoogleRefused("FAILED_PRECONDITION", f"Secret Version [{full_name}] is in DISABLED state.")
    return full_name, str(inputs["secretData"]).encode()


def _parts(name: str) -> tuple[str, str]:
    match = VERSION.fullmatch(name)
    if match is None:
        raise GoogleRefused("INVALID_ARGUMENT", f"{name} is not projects/P/secrets/S/versions/V")
    return match["secret"], match["number"]


def _versions(cloud: Cloud, secret: str) -> dict[str, CloudObject]:
    """The versions of a secret, by number."""
    prefix = f"{secret}/versions/"
    return {
        item.id.removeprefix(prefix): item for item in cloud.objects("", SECRET_VERSION) if item.id.startswith(prefix)
    }
