"""Files beside a state: in a folder (`file://`) or in a bucket of Cloud Storage (`gs://`)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import quote, urlsplit

from atwork.errors import BackendError
from atwork.files import replace_file

_API = "https://storage.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_SECONDS = 30
_MISSING = 404


class StoreError(BackendError):
    """The files are not reached; the message says which backend and the fix."""


class Store(Protocol):
    """Files by their names; a name is a path with slashes."""

    def names(self, folder: str) -> Sequence[str]:
        """Names of all files below a folder."""
        ...

    def read(self, name: str) -> bytes | None:
        """Content of a file; None where there is none (any more)."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Make a file whole."""
        ...

    def delete(self, name: str) -> None:
        """Delete a file; it is no error if it is gone already."""
        ...


def of(backend: str) -> Store | None:
    """Where a backend keeps its files; None for kinds of backend whose locks are not read here."""
    if backend.startswith("file://"):
        return FolderStore(Path(urlsplit(backend).netloc + urlsplit(backend).path).expanduser())
    if backend.startswith("gs://"):
        found = urlsplit(backend)
        return BucketStore(found.netloc, found.path.strip("/"))
    return None


class FolderStore:
    """Files in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self, folder: str) -> Sequence[str]:
        """Names of all files below a folder, without the engine's attributes of files and unfinished files."""
        found = (
            path
            for path in (self._folder / folder).rglob("*")
            if path.is_file() and path.suffix not in (".attrs", ".new")
        )
        return sorted(path.relative_to(self._folder).as_posix() for path in found)

    def read(self, name: str) -> bytes | None:
        """Content of a file."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Make a file whole."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)

    def delete(self, name: str) -> None:
        """Delete a file, and the engine's notes on it."""
        path = self._folder / name
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.attrs").unlink(missing_ok=True)


class BucketStore:
    """Objects of a bucket, by Cloud Storage's JSON API and the login that `pulumi` itself uses.

    STORAGE_EMULATOR_HOST names another server, as for Google's own clients.
    """

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        emulator = os.environ.get("STORAGE_EMULATOR_HOST", "")
        if emulator and "://" not in emulator:
            emulator = f"http://{emulator}"
        self._api = emulator or _API

    @cached_property
    def _session(self) -> Any:
        return _authorized() if self._api == _API else _anonymous()

    def names(self, folder: str) -> Sequence[str]:
        """Names of all objects below a folder."""
        found: list[str] = []
        asked = {"prefix": f"{self._prefix}{folder}/", "fields": "items(name),nextPageToken"}
        while True:
            answer = self._call("GET", f"/storage/v1/b/{self._bucket}/o", params=asked).json()
            found += [str(one["name"]).removeprefix(self._prefix) for one in answer.get("items", ())]
            if "nextPageToken" not in answer:
                return found
            asked = {**asked, "pageToken": str(answer["nextPageToken"])}

    def read(self, name: str) -> bytes | None:
        """Content of an object."""
        answer = self._call("GET", self._object(name), params={"alt": "media"}, missing=True)
        return None if answer.status_code == _MISSING else cast("bytes", answer.content)

    def write(self, name: str, content: bytes) -> None:
        """Make an object."""
        where = {"uploadType": "media", "name": f"{self._prefix}{name}"}
        self._call("POST", f"/upload/storage/v1/b/{self._bucket}/o", params=where, data=content)

    def delete(self, name: str) -> None:
        """Delete an object."""
        self._call("DELETE", self._object(name), missing=True)

    def _object(self, name: str) -> str:
        return f"/storage/v1/b/{self._bucket}/o/{quote(f'{self._prefix}{name}', safe='')}"

    def _call(self, method: str, path: str, *, missing: bool = False, **given: Any) -> Any:
        import google.auth.exceptions
        import requests

        try:
            answer = self._session.request(method, f"{self._api}{path}", timeout=_SECONDS, **given)
        except google.auth.exceptions.GoogleAuthError as error:
            fix = "log in with `gcloud auth application-default login`"
            raise StoreError(f"gs://{self._bucket}: {error}; {fix}") from None
        except requests.RequestException as error:
            raise StoreError(f"gs://{self._bucket} is not reached: {type(error).__name__}") from None
        if answer.ok or (missing and answer.status_code == _MISSING):
            return answer
        fix = {
            401: "log in with `gcloud auth application-default login`",
            403: "your login may not; it needs roles/storage.objectViewer to read, roles/storage.objectUser to delete",
            404: "there is no such bucket",
        }.get(answer.status_code, "try again")
        raise StoreError(f"gs://{self._bucket}: Cloud Storage answered {answer.status_code}; {fix}")


def _authorized() -> Any:
    """A session with the login of the shell, of a workload or of a machine."""
    import google.auth
    import google.auth.exceptions
    from google.auth.transport.requests import AuthorizedSession

    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    except google.auth.exceptions.GoogleAuthError as error:
        raise StoreError(f"{error}; log in with `gcloud auth application-default login`") from None
    return _patient(AuthorizedSession(credentials))


def _anonymous() -> Any:
    import requests

    return _patient(requests.Session())


def _patient(session: Any) -> Any:
    """Tries again what the service asks to try again; all that is asked here may be asked twice."""
    import requests.adapters
    import urllib3

    again = urllib3.Retry(
        total=4, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=None,
        raise_on_status=False,
    )  # fmt: skip
    for scheme in ("https://", "http://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=again))
    return session
