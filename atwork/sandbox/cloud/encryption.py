"""Encryption of secret values in the simulated cloud, so that the sandbox keeps no secret in plain text on disk."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from atwork.engine.wire import SECRET
from atwork.sandbox.cloud.objects import RESET, CloudCorrupt

_SEALED = "sealed"


class SecretCipher:
    """Encrypts the content of secret envelopes with the key in a file next to the cloud."""

    def __init__(self, cloud_path: Path, *, has_objects: bool) -> None:
        self._path = cloud_path
        key = cloud_path.with_suffix(".key")
        if has_objects and not key.exists():
            raise CloudCorrupt(f"{key}: missing, and the secrets of {cloud_path.name} rest under it; {RESET}")
        try:
            self._fernet = Fernet(_read_or_create(key))
        except ValueError:
            raise CloudCorrupt(f"{key}: not a key; {RESET}") from None

    def dump(self, value: Any) -> str:
        """The value as JSON with encrypted secrets."""
        return json.dumps(_map_secrets(value, self._encrypt))

    def load(self, text: str) -> Any:
        """The value of a JSON text with encrypted secrets."""
        try:
            return _map_secrets(json.loads(text), self._decrypt)
        except InvalidToken:
            raise CloudCorrupt(
                f"{self._path}: its secrets rest under another key than {self._path.stem}.key; {RESET}"
            ) from None

    def _encrypt(self, content: Any) -> Any:
        return {_SEALED: self._fernet.encrypt(json.dumps(content).encode()).decode()}

    def _decrypt(self, content: Any) -> Any:
        return json.loads(self._fernet.decrypt(content[_SEALED].encode()))


def _map_secrets(value: Any, change: Callable[[Any], Any]) -> Any:
    """The value with the content of each secret envelope changed."""
    if isinstance(value, dict):
        if SECRET in value:
            return {SECRET: value[SECRET], "value": change(value["value"])}
        return {key: _map_secrets(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_map_secrets(item, change) for item in value]
    return value


def _read_or_create(path: Path) -> bytes:
    """The key in a file; concurrent processes end with the same key."""
    if not path.exists():
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", delete=False) as file:
            file.write(Fernet.generate_key())
        with suppress(FileExistsError):
            os.link(file.name, path)
        Path(file.name).unlink()
    return path.read_bytes()
