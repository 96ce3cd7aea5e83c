"""Kubernetes service accounts of the clusters, the identity of their pods, and mistakes in their annotations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from atwork.access import principals
from atwork.access.model import ACT_AS, AccessModel

_GOOGLE_ACCOUNTS = ".iam.gserviceaccount.com"


@dataclass(frozen=True)
class PodAccount:
    """A Kubernetes service account of an environment's cluster."""

    project: str
    namespace: str
    name: str
    annotation: str | None = None
    """The Google account that its pods act as."""

    @property
    def principal(self) -> str:
        """The identity of the pods themselves, with which they request the token of the Google account."""
        return principals.pod(f"{self.project}{principals.POOL_SUFFIX}", self.namespace, self.name)

    @property
    def identity(self) -> str:
        """The identity that Google's APIs see."""
        return f"serviceAccount:{self.annotation}" if self.annotation else self.principal


def without_projects(accounts: Iterable[PodAccount], projects: Collection[str]) -> Iterator[PodAccount]:
    """The accounts whose pods act as no Google account of these projects.

    Jenkins' pods act as accounts of other environments, which do not exist before these are up.
    """
    for account in accounts:
        project = (account.annotation or "").partition("@")[2].removesuffix(_GOOGLE_ACCOUNTS)
        if project not in projects:
            yield account


def mistakes(model: AccessModel, accounts: Iterable[PodAccount], external_accounts: Mapping[str, str]) -> Iterator[str]:
    """Mistakes in annotated accounts, as sentences.

    Such a pod must be allowed to act as its Google account, and nothing else may be granted to its own identity,
    because no API sees that identity. `external_accounts` are the e-mail addresses of accounts that neither the program
    nor bootstrap creates.
    """
    for account in accounts:
        if not account.annotation:
            continue
        if account.annotation not in external_accounts and not model.may_act_as(account.principal, account.annotation):
            yield (
                f"{account.namespace}/{account.name} of {account.project}: may not act as {account.annotation}; grant "
                "roles/iam.workloadIdentityUser on that account"
            )
        for binding in model.of(account.principal):
            if ACT_AS not in model.permissions(binding.role):
                yield (
                    f"{account.namespace}/{account.name} of {account.project}: {binding.role} on {binding.resource} is "
                    f"granted to the pods' own identity, but they act as {account.annotation}; grant it to that account"
                )
