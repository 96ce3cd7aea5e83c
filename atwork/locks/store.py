"""Files next to a state: in a folder (`file://`) or in a bucket of Cloud Storage (`gs://`)."""

from __future__ import annotations

import os
import weakref
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from atwork.errors import BackendError
from atwork.files import replace_file

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Bucket

_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_SECONDS, _RETRY_SECONDS = 30, 30.0
_MISSING = 404
_LOGIN = "log in with `gcloud auth application-default login`"
_FIXES = {
    401: _LOGIN,
    403: "your login may not; it needs roles/storage.objectViewer to read, roles/storage.objectUser to delete",
    404: "bucket not found",
}


class StoreError(BackendError):
    """The files cannot be read or written; the message names the backend and the fix."""


class LockStore(Protocol):
    """Files by their names; a name is a path with slashes."""

    def names(self, folder: str) -> Sequence[str]:
        """Names of all files below a folder."""
        ...

    def read(self, name: str) -> bytes | None:
        """Content of a file; None if it does not exist (any more)."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Create or replace a file atomically."""
        ...

    def delete(self, name: str) -> None:
        """Delete a file; nothing if it does not exist."""
        ...


def of(backend: str) -> LockStore | None:
    """The store of a backend; None for kinds of backend whose locks are not read here."""
    if backend.startswith("file://"):
        return FolderStore(Path(urlsplit(backend).netloc + urlsplit(backend).path).expanduser())
    if backend.startswith("gs://"):
        url = urlsplit(backend)
        return BucketStore(url.netloc, url.path.strip("/"))
    return None


class FolderStore:
    """Files in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self, folder: str) -> Sequence[str]:
        """Names of all files below a folder, without the engine's attributes of files and unfinished files."""
        paths = (
            path
            for path in (self._folder / folder).rglob("*")
            if path.is_file() and path.suffix not in (".attrs", ".new")
        )
        return sorted(path.relative_to(self._folder).as_posix() for path in paths)

    def read(self, name: str) -> bytes | None:
        """Content of a file."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Create or replace a file atomically."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)

    def delete(self, name: str) -> None:
        """Delete a file, and the engine's attributes of it."""
        path = self._folder / name
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.attrs").unlink(missing_ok=True)


class BucketStore:
    """Objects of a bucket, with the login that `pulumi` itself uses.

    STORAGE_EMULATOR_HOST names another server, as for Google's own clients; `pulumi` takes it without a scheme.
    """

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self._name = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    def names(self, folder: str) -> Sequence[str]:
        """Names of all objects below a folder."""
        with self._errors():
            blobs = self._bucket.list_blobs(
                prefix=f"{self._prefix}{folder}/", fields="items(name),nextPageToken", **self._patience
            )
            return [blob.name.removeprefix(self._prefix) for blob in blobs]

    def read(self, name: str) -> bytes | None:
        """Content of an object."""
        with self._errors(ignore=_MISSING):
            return self._blob(name).download_as_bytes(**self._patience)
        return None

    def write(self, name: str, content: bytes) -> None:
        """Create or replace an object."""
        with self._errors():
            self._blob(name).upload_from_string(content, **self._patience)

    def delete(self, name: str) -> None:
        """Delete an object."""
        with self._errors(ignore=_MISSING):
            self._blob(name).delete(**self._patience)

    def _blob(self, name: str) -> Blob:
        return self._bucket.blob(f"{self._prefix}{name}")

    @cached_property
    def _bucket(self) -> Bucket:
        import google.auth
        import requests
        from google.cloud.storage import Client

        emulator = os.environ.get("STORAGE_EMULATOR_HOST", "")
        if emulator:
            address = emulator if "://" in emulator else f"http://{emulator}"
            client = Client(project=None, client_options={"api_endpoint": address}, _http=requests.Session())
        else:
            credentials, _ = google.auth.default(scopes=[_SCOPE])
            client = Client(project=None, credentials=credentials)
        weakref.finalize(self, client.close)
        return client.bucket(self._name)

    @cached_property
    def _patience(self) -> dict[str, Any]:
        """How each call is retried: every one of them may be sent twice."""
        from google.cloud.storage.retry import DEFAULT_RETRY

        return {"retry": DEFAULT_RETRY.with_timeout(_RETRY_SECONDS), "timeout": _SECONDS}

    @contextmanager
    def _errors(self, *, ignore: int = 0) -> Generator[None]:
        """Report errors as `StoreError`; leave the block silently at the status `ignore`."""
        import requests
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.auth.exceptions import GoogleAuthError

        try:
            yield
        except GoogleAuthError as error:
            raise StoreError(f"gs://{self._name}: {error}; {_LOGIN}") from None
        except (GoogleAPICallError, RetryError, requests.RequestException) as error:
            cause = error.cause if isinstance(error, RetryError) else error
            status = cause.code if isinstance(cause, GoogleAPICallError) else None
            if status is None:
                raise StoreError(f"gs://{self._name} is not reached: {type(cause).__name__}") from None
            if status != ignore:
                fix = _FIXES.get(int(status), "try again")
                raise StoreError(f"gs://{self._name}: Cloud Storage answered {int(status)}; {fix}") from None
