"""The way to Google: its own clients, made when they are first needed, and a session for the APIs that have none.

Every client speaks REST, so that all of them can be led to one server on loopback.
"""

from __future__ import annotations

import os
import re
import time
import urllib.parse
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from atwork.errors import BackendError

if TYPE_CHECKING:
    from google.api_core.client_options import ClientOptions
    from google.api_core.operation import Operation
    from google.auth.credentials import Credentials
    from google.auth.transport.requests import AuthorizedSession
    from google.cloud import billing_v1, kms_v1, resourcemanager_v3, service_usage_v1, storage

SCOPE = "https://www.googleapis.com/auth/cloud-platform"

ENDPOINT = "ATWORK_GOOGLE_ENDPOINT"
"""Variable with the address of a simulated Google on this machine, such as http://127.0.0.1:8080: a rehearsal."""


class GoogleError(BackendError):
    """What Google said or could not do, in one sentence with the fix."""


class Late(GoogleError):
    """Google had not done by the deadline what it may still do."""


@dataclass(frozen=True)
class Google:
    """Google Cloud, as one person or account sees it."""

    credentials: Credentials
    who: str = "you"
    endpoint: str | None = None
    """One server for all APIs, in tests."""

    patience: float = 600
    """Seconds that a long operation may take."""

    pause: float = 2
    """Seconds between two looks at it."""

    @cached_property
    def session(self) -> AuthorizedSession:
        """For IAM and Compute, whose REST APIs are called as they are."""
        from google.auth.transport.requests import AuthorizedSession

        return AuthorizedSession(self.credentials)

    def call(
        self, method: str, url: str, *, body: Mapping[str, Any] | None = None, params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Call a REST API by its whole address; errors are those of Google's clients."""
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
        """Projects."""
        from google.cloud.resourcemanager_v3 import ProjectsClient

        return ProjectsClient(credentials=self.credentials, transport="rest", client_options=self._options)

    @cached_property
    def billing(self) -> billing_v1.CloudBillingClient:
        """Who pays."""
        from google.cloud.billing_v1 import CloudBillingClient

        return CloudBillingClient(credentials=self.credentials, transport="rest", client_options=self._options)

    @cached_property
    def services(self) -> service_usage_v1.ServiceUsageClient:
        """Which APIs are on."""
        from google.cloud.service_usage_v1 import ServiceUsageClient

        return ServiceUsageClient(credentials=self.credentials, transport="rest", client_options=self._options)

    @cached_property
    def keys(self) -> kms_v1.KeyManagementServiceClient:
        """Keys."""
        from google.cloud.kms_v1 import KeyManagementServiceClient

        return KeyManagementServiceClient(credentials=self.credentials, transport="rest", client_options=self._options)

    def storage(self, project: str) -> storage.Client:
        """Buckets of a project."""
        from google.cloud.storage import Client

        options = None if self.endpoint is None else {"api_endpoint": self.endpoint}
        return Client(project=project, credentials=self.credentials, client_options=options)

    def wait(self, operation: Operation, doing: str) -> Any:
        """The result of a long operation of a client; `GoogleError` where it takes too long."""
        from concurrent.futures import TimeoutError as TooLong

        from google.api_core.future.polling import DEFAULT_POLLING

        polling = DEFAULT_POLLING.with_delay(self.pause, self.pause, 1).with_timeout(self.patience)
        try:
            return operation.result(polling=polling)
        except TooLong:
            raise self._late(doing) from None

    def wait_until(self, done: Callable[[], bool], doing: str) -> None:
        """Ask again and again; `GoogleError` where it takes too long."""
        end = time.monotonic() + self.patience
        while not done():
            if time.monotonic() > end:
                raise self._late(doing)
            time.sleep(self.pause)

    def _late(self, doing: str) -> Late:
        return Late(
            f"{doing}: Google is not done after {self.patience:.0f} seconds; go on later with --resume, nothing is lost"
        )


def login() -> Google:
    """Google as the application default credentials see it; `GoogleError` says how to log in.

    Where `ATWORK_GOOGLE_ENDPOINT` is set, the simulated Google at that address, without credentials.
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
    """Whose credentials they are, as far as they say."""
    account = getattr(credentials, "service_account_email", None) or getattr(credentials, "account", None)
    return str(account or "an account that its credentials do not name")


@contextmanager
def explain_errors(what: str, fix: str) -> Generator[None]:
    """Turn what Google's clients raise into one sentence; `fix` is what a person does who may not do this."""
    from google.api_core import exceptions as google
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except google.GoogleAPICallError as error:
        raise GoogleError(f"{what}: {_sentence(error, fix)}") from None
    except google.RetryError as error:
        raise GoogleError(
            f"{what}: Google does not answer ({error.cause or error}); go on later with --resume"
        ) from None
    except GoogleAuthError as error:
        raise GoogleError(
            f"{what}: {str(error).splitlines()[0]}; run `gcloud auth application-default login`"
        ) from None
    except RequestException as error:
        raise GoogleError(f"{what}: Google cannot be reached ({type(error).__name__}); look at the network") from None


def _sentence(error: Any, fix: str) -> str:
    said = re.sub(r"^[A-Z]+ https?://\S+: ", "", str(error.message)).strip().rstrip(".")
    # Over REST the details are plain maps, of which the exception's own `reason` makes nothing.
    info = next((one for one in error.details if isinstance(one, dict) and "reason" in one), {})
    reason, metadata = info.get("reason"), info.get("metadata", {})
    if reason == "SERVICE_DISABLED" or "has not been used in project" in said:
        service = metadata.get("service", "an API")
        project = str(metadata.get("consumer", "projects/PROJECT")).removeprefix("projects/")
        enable = f"gcloud services enable {service} --project {project}"
        return f"{service} is off in the project that calls are counted in; run `{enable}`"
    if reason == "BILLING_DISABLED" or "billing to be enabled" in said:
        return f"{said}; link an open billing account: `gcloud billing projects link PROJECT --billing-account ACCOUNT`"
    if error.code == 429 or "quota" in said.lower():
        return (
            f"a quota is used up ({said}); wait, or ask for more at https://console.cloud.google.com/iam-admin/quotas"
        )
    if error.code == 403:
        return f"not allowed ({said}); {fix}"
    return f"{said} ({error.code}); {fix}"
