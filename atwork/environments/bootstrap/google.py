"""Clients of Google Cloud, created on first use, and a session for the APIs that have no client.

Every client uses REST, so that tests can serve all of them from one address on loopback.
"""

from __future__ import annotations

import os
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from atwork.environments.bootstrap.google_errors import GoogleError, OperationTimeout

if TYPE_CHECKING:
    from google.api_core.client_options import ClientOptions
    from google.api_core.operation import Operation
    from google.auth.credentials import Credentials
    from google.auth.transport.requests import AuthorizedSession
    from google.cloud import billing_v1, kms_v1, resourcemanager_v3, service_usage_v1, storage

SCOPE = "https://www.googleapis.com/auth/cloud-platform"

ENDPOINT = "ATWORK_GOOGLE_ENDPOINT"
"""Variable with the address of a simulated Google on this machine for a rehearsal, such as http://127.0.0.1:8080."""


@dataclass(frozen=True)
class Google:
    """Google Cloud with the credentials of one person or account."""

    credentials: Credentials
    who: str = "you"
    endpoint: str | None = None
    """One server for all APIs, in tests."""

    patience: float = 600
    """Seconds that a long operation may take."""

    pause: float = 2
    """Seconds between two polls of an operation."""

    @cached_property
    def session(self) -> AuthorizedSession:
        """The session for IAM and Compute, whose REST APIs are called directly."""
        from google.auth.transport.requests import AuthorizedSession

        return AuthorizedSession(self.credentials)

    def call(
        self, method: str, url: str, *, body: Mapping[str, Any] | None = None, params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Call a REST API by its URL; raises the errors of Google's clients."""
        from google.api_core.exceptions import from_http_response

        if self.endpoint is not None:
            url = f"{self.endpoint}/{url.removeprefix('https://').partition('/')[2]}"
        answer = self.session.request(method, url, json=body, params=params, timeout=60)
        if not answer.ok:
            raise from_http_response(answer)
        return answer.json() if answer.content else {}

    @property
    def _options(self) -> ClientOptions | None:
        from google.api_core.client_options import ClientOptions

        return None if self.endpoint is None else ClientOptions(api_endpoint=self.endpoint)

    @cached_property
    def projects(self) -> resourcemanager_v3.ProjectsClient:
        """Client of projects."""
        from google.cloud.resourcemanager_v3 import ProjectsClient

        return ProjectsClient(credentials=self.credentials, transport="rest", client_options=self._options)

    @cached_property
    def billing(self) -> billing_v1.CloudBillingClient:
        """Client of billing accounts."""
        from google.cloud.billing_v1 import CloudBillingClient

        return CloudBillingClient(credentials=self.credentials, transport="rest", client_options=self._options)

    @cached_property
    def services(self) -> service_usage_v1.ServiceUsageClient:
        """Client of enabled APIs."""
        from google.cloud.service_usage_v1 import ServiceUsageClient

        return ServiceUsageClient(credentials=self.credentials, transport="rest", client_options=self._options)

    @cached_property
    def keys(self) -> kms_v1.KeyManagementServiceClient:
        """Client of Cloud KMS."""
        from google.cloud.kms_v1 import KeyManagementServiceClient

        return KeyManagementServiceClient(credentials=self.credentials, transport="rest", client_options=self._options)

    def storage(self, project: str) -> storage.Client:
        """Client of the buckets of a project."""
        from google.cloud.storage import Client

        options = None if self.endpoint is None else {"api_endpoint": self.endpoint}
        return Client(project=project, credentials=self.credentials, client_options=options)

    def wait(self, operation: Operation, doing: str) -> Any:
        """Return the result of a long operation of a client; raise `OperationTimeout` after the deadline."""
        from concurrent.futures import TimeoutError as TooLong

        from google.api_core.future.polling import DEFAULT_POLLING

        polling = DEFAULT_POLLING.with_delay(self.pause, self.pause, 1).with_timeout(self.patience)
        try:
            return operation.result(polling=polling)
        except TooLong:
            raise self._late(doing) from None

    def wait_until(self, done: Callable[[], bool], doing: str) -> None:
        """Poll until `done`; raise `OperationTimeout` after the deadline."""
        end = time.monotonic() + self.patience
        while not done():
            if time.monotonic() > end:
                raise self._late(doing)
            time.sleep(self.pause)

    def _late(self, doing: str) -> OperationTimeout:
        return OperationTimeout(
            f"{doing}: Google is not done after {self.patience:.0f} seconds; continue later with --resume, "
            "nothing is lost"
        )


def login() -> Google:
    """Return a client with the application default credentials; `GoogleError` says how to log in.

    If `ATWORK_GOOGLE_ENDPOINT` is set, it uses the simulated Google at that address, without credentials.
    """
    if endpoint := os.environ.get(ENDPOINT):
        return _simulated(endpoint)
    from google import auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    try:
        credentials, _ = auth.default(scopes=[SCOPE])
        credentials.refresh(Request())
    except GoogleAuthError as error:
        raise GoogleError(
            f"no login: {str(error).splitlines()[0]}; run `gcloud auth application-default login`"
        ) from None
    return Google(credentials, _who(credentials))


def _simulated(endpoint: str) -> Google:
    from google.auth.credentials import AnonymousCredentials

    address = urllib.parse.urlsplit(endpoint)
    if address.scheme != "http" or address.hostname not in ("127.0.0.1", "localhost"):
        raise GoogleError(
            f"{ENDPOINT}: {endpoint} is not on this machine; set it to http://127.0.0.1:PORT for a rehearsal, or unset "
            "it to reach Google"
        )
    return Google(AnonymousCredentials(), f"a rehearsal at {endpoint}", endpoint, pause=0.05)


def _who(credentials: Credentials) -> str:
    """The account of credentials, if they name it."""
    account = getattr(credentials, "service_account_email", None) or getattr(credentials, "account", None)
    return str(account or "an account that its credentials do not name")
