"""Errors of Google Cloud, each as one sentence with its fix."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from atwork.errors import BackendError


class GoogleError(BackendError):
    """An error of Google Cloud in one sentence, with its fix."""


class OperationTimeout(GoogleError):
    """An operation did not end before the deadline; Google may still complete it."""


@contextmanager
def explain_errors(what: str, fix: str) -> Generator[None]:
    """Turn errors of Google's clients into `GoogleError`; `fix` is the advice for a missing permission."""
    from google.api_core import exceptions as google
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except google.GoogleAPICallError as error:
        raise GoogleError(f"{what}: {_sentence(error, fix)}") from None
    except google.RetryError as error:
        raise GoogleError(
            f"{what}: Google does not answer ({error.cause or error}); continue later with --resume"
        ) from None
    except GoogleAuthError as error:
        raise GoogleError(
            f"{what}: {str(error).splitlines()[0]}; run `gcloud auth application-default login`"
        ) from None
    except RequestException as error:
        raise GoogleError(f"{what}: Google cannot be reached ({type(error).__name__}); check the network") from None


def _sentence(error: Any, fix: str) -> str:
    message = re.sub(r"^[A-Z]+ https?://\S+: ", "", str(error.message)).strip().rstrip(".")
    # Over REST the details are plain maps, which the exception's own `reason` does not read.
    info = next((detail for detail in error.details if isinstance(detail, dict) and "reason" in detail), {})
    reason, metadata = info.get("reason"), info.get("metadata", {})
    if reason == "SERVICE_DISABLED" or "has not been used in project" in message:
        service = metadata.get("service", "an API")
        project = str(metadata.get("consumer", "projects/PROJECT")).removeprefix("projects/")
        enable = f"gcloud services enable {service} --project {project}"
        return f"{service} is off in the quota project; run `{enable}`"
    if reason == "BILLING_DISABLED" or "billing to be enabled" in message:
        return (
            f"{message}; link an open billing account: `gcloud billing projects link PROJECT --billing-account ACCOUNT`"
        )
    if error.code == 429 or "quota" in message.lower():
        quotas = "https://console.cloud.google.com/iam-admin/quotas"
        return f"a quota is used up ({message}); wait, or ask for more at {quotas}"
    if error.code == 403:
        return f"not allowed ({message}); {fix}"
    return f"{message} ({error.code}); {fix}"
