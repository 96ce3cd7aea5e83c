"""Resources with an IAM policy, and the grants that bootstrap adds to their policies.

Every kind of resource has the same two calls for its policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from atwork.environments.bootstrap.google import Google


@dataclass(frozen=True)
class Grant:
    """One role for one member; `{number}` in the member is the admin project's."""

    role: str
    member: str
    condition: tuple[str, str] | None = None
    """Title and expression."""

    def binding(self, number: str) -> dict[str, Any]:
        """The binding in a policy."""
        binding: dict[str, Any] = {"role": self.role, "members": [self.member.replace("{number}", number)]}
        if self.condition is not None:
            binding["condition"] = {"title": self.condition[0], "expression": self.condition[1]}
        return binding


@dataclass(frozen=True)
class Resource:
    """A resource with an IAM policy: its URL, and the gcloud command that adds a binding."""

    url: str
    command: str
    bucket: bool = False
    may: str = "roles/resourcemanager.projectIamAdmin"

    @property
    def name(self) -> str:
        """The resource name without the service, such as `projects/P` or `buckets/B`."""
        path = self.url.removeprefix("https://").split("/", 3 if self._is_compute else 2)[-1]
        return f"buckets/{path.split('/')[2]}" if self.bucket else path

    @classmethod
    def account(cls, project: str, email: str) -> Self:
        """A service account."""
        url = f"https://iam.googleapis.com/v1/projects/{project}/serviceAccounts/{email}"
        command = f"gcloud iam service-accounts add-iam-policy-binding {email} --project={project}"
        return cls(url, command, may="roles/iam.serviceAccountAdmin")

    @classmethod
    def project(cls, project: str) -> Self:
        """A project."""
        url = f"https://cloudresourcemanager.googleapis.com/v3/projects/{project}"
        return cls(url, f"gcloud projects add-iam-policy-binding {project}")

    @classmethod
    def subnetwork(cls, project: str, region: str, name: str) -> Self:
        """A subnet."""
        url = f"https://compute.googleapis.com/compute/v1/projects/{project}/regions/{region}/subnetworks/{name}"
        command = f"gcloud compute networks subnets add-iam-policy-binding {name} --region={region} --project={project}"
        return cls(url, command, may="roles/compute.networkAdmin")

    @classmethod
    def folder(cls, folder: str) -> Self:
        """A folder."""
        url = f"https://cloudresourcemanager.googleapis.com/v3/folders/{folder}"
        command = f"gcloud resource-manager folders add-iam-policy-binding {folder}"
        return cls(url, command, may="roles/resourcemanager.folderIamAdmin")

    @classmethod
    def billing(cls, account: str) -> Self:
        """A billing account."""
        url = f"https://cloudbilling.googleapis.com/v1/billingAccounts/{account}"
        command = f"gcloud billing accounts add-iam-policy-binding {account}"
        return cls(url, command, may="roles/billing.admin")

    @classmethod
    def key(cls, name: str) -> Self:
        """A key by its resource name."""
        parts = name.split("/")
        command = (
            f"gcloud kms keys add-iam-policy-binding {parts[7]} --keyring={parts[5]} --location={parts[3]} "
            f"--project={parts[1]}"
        )
        return cls(f"https://cloudkms.googleapis.com/v1/{name}", command, may="roles/cloudkms.admin")

    @classmethod
    def state(cls, bucket: str) -> Self:
        """A bucket."""
        url = f"https://storage.googleapis.com/storage/v1/b/{bucket}/iam"
        return cls(
            url, f"gcloud storage buckets add-iam-policy-binding gs://{bucket}", bucket=True, may="roles/storage.admin"
        )

    @property
    def conditional(self) -> bool:
        """Whether gcloud asks for a condition if the policy already has one."""
        return self.bucket or "cloudresourcemanager" in self.url

    @property
    def _is_compute(self) -> bool:
        """Whether the methods of the policy follow a slash instead of a colon."""
        return "//compute." in self.url

    def read(self, google: Google) -> dict[str, Any]:
        """Read the policy with its conditions; a write without them would remove them."""
        if self.bucket:
            return google.call("GET", self.url, params={"optionsRequestedPolicyVersion": "3"})
        if "cloudresourcemanager" in self.url:
            body = {"options": {"requestedPolicyVersion": 3}}
            return google.call("POST", f"{self.url}:getIamPolicy", body=body)
        if self._is_compute:
            return google.call("GET", f"{self.url}/getIamPolicy", params={"optionsRequestedPolicyVersion": "3"})
        params = {"options.requestedPolicyVersion": "3"}
        method = "POST" if "//iam." in self.url else "GET"
        return google.call(method, f"{self.url}:getIamPolicy", params=params)

    def write(self, google: Google, policy: Mapping[str, Any]) -> None:
        """Write the policy; fails if it changed after the read."""
        if self.bucket:
            google.call("PUT", self.url, body=policy)
        else:
            method = "/setIamPolicy" if self._is_compute else ":setIamPolicy"
            google.call("POST", f"{self.url}{method}", body={"policy": policy})
