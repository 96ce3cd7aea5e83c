"""First values of secrets: from files in a folder, otherwise from the terminal without echo."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path

from atwork.errors import ConfigError, UsageError
from components.expected_secrets import ExpectedSecret


class SecretValues:
    """Returns the value from the file of the secret's name or the terminal; None if neither has one."""

    def __init__(self, folder: Path | None) -> None:
        if folder is not None and not folder.is_dir():
            raise UsageError(f"--secrets {folder}: not a folder; name one with a file for each secret")
        self._folder = folder

    def __call__(self, secret: ExpectedSecret) -> str | None:
        """The checked value; `ConfigError` if a file has none."""
        file = self._folder / secret.name if self._folder is not None else None
        if file is not None and file.exists():
            return checked(secret, file.read_text(), str(file))
        if not sys.stdin.isatty():
            return None
        return _ask_for_key(secret) if secret.value == "private key" else _ask(secret)


def checked(secret: ExpectedSecret, text: str, source: str) -> str:
    """Return a value without surrounding white space; a private key in PKCS#8, the only format that Jenkins reads.

    https://github.com/jenkinsci/github-branch-source-plugin/blob/master/docs/github-app.adoc
    """
    value = text.strip()
    if not value:
        raise ConfigError(f"{source}: is empty; put the {secret.purpose} into it")
    if secret.value != "private key":
        return value
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_pem_private_key(value.encode(), password=None)
    except (ValueError, TypeError):  # the message would show a part of the key
        raise ConfigError(f"{source}: not a PEM private key without a passphrase; download one for the app") from None
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


def _ask(secret: ExpectedSecret) -> str | None:
    value = getpass(f"{secret.name}: {secret.purpose} (empty: later): ")
    return checked(secret, value, secret.name) if value.strip() else None


def _ask_for_key(secret: ExpectedSecret) -> str | None:
    """Ask for the file of a key, which has many lines, until it exists."""
    while name := input(f"{secret.name}: file with the {secret.purpose} (empty: later): ").strip():
        file = Path(name).expanduser()
        if file.is_file():
            return checked(secret, file.read_text(), str(file))
        print(f"{file}: file not found")
    return None
