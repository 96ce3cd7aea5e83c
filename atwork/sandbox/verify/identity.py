"""The identity of a pod in Google Cloud."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atwork.access.model import AccessModel
from atwork.sandbox.verify.environments import EnvironmentObjects
from atwork.sandbox.verify.model import Pod, PodFinding
from atwork.sandbox.verify.prerequisites import marked
from components.type_tokens import SERVICE_ACCOUNT

ANNOTATION = "iam.gke.io/gcp-service-account"


def annotation(pod: Pod, here: EnvironmentObjects) -> str | None:
    """The Google account in the annotation of a pod's Kubernetes account; None without one."""
    account = here.kubernetes.get(("ServiceAccount", pod.namespace, pod.account)) or {}
    email = ((account.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION)
    return str(email) if email else None


def identity(pod: Pod, here: EnvironmentObjects, access: AccessModel) -> str:
    """The IAM principal of a pod: the annotated Google account, else its Kubernetes account."""
    return access.pod(here.project, pod.namespace, pod.account, annotation(pod, here))


def check(
    pod: Pod, here: EnvironmentObjects, everywhere: Sequence[EnvironmentObjects], access: AccessModel
) -> Iterator[PodFinding]:
    """Findings about the pod's Kubernetes account and its Google account."""
    if pod.account != "default" and not here.has("ServiceAccount", pod.namespace, pod.account):
        yield pod.finding(
            "identity",
            f"ServiceAccount {pod.namespace}/{pod.account} is missing",
            "the pod is refused",
            "create the account, or use another",
            "FailedCreate",
        )
        return
    email = annotation(pod, here)
    if email is None:
        return
    if not any(account.get("email") == email for other in everywhere for account in other.all(SERVICE_ACCOUNT)):
        missing = pod.finding(
            "identity",
            f"Google account {email} is missing",
            "every call of the pod to Google ends with 404",
            f"create the account, or correct {ANNOTATION} of {pod.namespace}/{pod.account}",
            "Unhealthy",
        )
        yield marked(missing, f"account {email}")
        return
    own = access.pod(here.project, pod.namespace, pod.account, None)
    if not access.may_act_as(own, email):
        yield pod.finding(
            "identity",
            f"{own} may not act as {email}",
            "the metadata server gives the pod no token",
            "grant roles/iam.workloadIdentityUser on the account",
            "Unhealthy",
        )
