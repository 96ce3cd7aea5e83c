"""As whom pods act: the Kubernetes service accounts of the clusters, and what is wrong with their Google accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from atwork.access import principals
from atwork.access.model import ACT_AS, AccessModel


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
        """The pods' own identity, by which they get the token of the Google account."""
        return principals.pod(f"{self.project}{principals.POOL_SUFFIX}", self.namespace, self.name)

    @property
    def identity(self) -> str:
        """The identity that Google's APIs see."""
        return f"serviceAccount:{self.annotation}" if self.annotation else self.principal


def mistakes(model: AccessModel, accounts: Iterable[PodAccount], made_beside: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with annotated accounts, in sentences.

    Such a pod must be allowed to act as its Google account, and nothing else may be granted to its own identity, for
    no API ever sees that. `made_beside` are e-mail addresses of accounts that neither the program nor bootstrap makes,
    with who makes them.
    """
    for account in accounts:
        if not account.annotation:
            continue
        if account.annotation not in made_beside and not model.may_act_as(account.principal, account.annotation):
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
