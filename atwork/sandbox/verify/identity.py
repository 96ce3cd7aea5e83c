"""As whom a pod acts in Google Cloud, and whether it may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atwork.access.model import AccessModel
from atwork.sandbox.verify.model import Finding, Pod
from atwork.sandbox.verify.prerequisites import marked
from atwork.sandbox.verify.world import ACCOUNT, Environment

ANNOTATION = "iam.gke.io/gcp-service-account"


def annotation(pod: Pod, here: Environment) -> str | None:
    """The Google account that a pod's Kubernetes account names, if any."""
    account = here.kubernetes.get(("ServiceAccount", pod.namespace, pod.account)) or {}
    found = ((account.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION)
    return str(found) if found else None


def identity(pod: Pod, here: Environment, access: AccessModel) -> str:
    """The IAM principal of a pod: the annotated Google account, else the Kubernetes account itself."""
    return access.pod(here.project, pod.namespace, pod.account, annotation(pod, here))


def check(pod: Pod, here: Environment, everywhere: Sequence[Environment], access: AccessModel) -> Iterator[Finding]:
    """Findings about the pod's Kubernetes account and the Google account behind it."""
    if pod.account != "default" and not here.has("ServiceAccount", pod.namespace, pod.account):
        yield pod.finding(
            "identity", f"ServiceAccount {pod.namespace}/{pod.account} is missing", "the pod is refused",
            "make the account, or name another", "FailedCreate",
        )  # fmt: skip
        return
    email = annotation(pod, here)
    if email is None:
        return
    there = next((one for other in everywhere for one in other.all(ACCOUNT) if one.get("email") == email), None)
    if there is None:
        missing = pod.finding(
            "identity", f"Google account {email} is missing", "every call of the pod to Google ends with 404",
            f"make the account, or correct {ANNOTATION} of {pod.namespace}/{pod.account}", "Unhealthy",
        )  # fmt: skip
        yield marked(missing, f"account {email}")
        return
    own = access.pod(here.project, pod.namespace, pod.account, None)
    if not access.may_act_as(own, email):
        yield pod.finding(
            "identity", f"{own} may not act as {email}", "the metadata server gives the pod no token",
            "grant roles/iam.workloadIdentityUser on the account", "Unhealthy",
        )  # fmt: skip
