"""IAM bindings that bootstrap adds to the policy of a resource; it keeps all other bindings.

Every kind of resource has the same two calls for its policy. A policy is written with the etag of the read: if somebody
changed it in between, the write fails, and the policy is read again.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from atwork.environments.bootstrap.google import Google
from atwork.environments.bootstrap.google_errors import explain_errors
from atwork.environments.bootstrap.projects import find_project
from atwork.environments.bootstrap.step import UNCHANGED, Context, Step

_CONFLICTS = (409, 412)


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
        path = self.url.removeprefix("https://").split("/", 2)[2]
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

    def read(self, google: Google) -> dict[str, Any]:
        """Read the policy with its conditions; a write without them would remove them."""
        if self.bucket:
            return google.call("GET", self.url, params={"optionsRequestedPolicyVersion": "3"})
        if "cloudresourcemanager" in self.url:
            body = {"options": {"requestedPolicyVersion": 3}}
            return google.call("POST", f"{self.url}:getIamPolicy", body=body)
        params = {"options.requestedPolicyVersion": "3"}
        method = "POST" if "//iam." in self.url else "GET"
        return google.call(method, f"{self.url}:getIamPolicy", params=params)

    def write(self, google: Google, policy: Mapping[str, Any]) -> None:
        """Write the policy; fails if it changed after the read."""
        if self.bucket:
            google.call("PUT", self.url, body=policy)
        else:
            google.call("POST", f"{self.url}:setIamPolicy", body={"policy": policy})


def grants(
    key: str, title: str, admin: str, wanted: Mapping[Resource, Sequence[Grant]], *, alone: bool = False
) -> Step:
    """Add bindings to several resources; `alone` also reports other members with the same role."""

    def ensure(context: Context) -> str:
        google = context.google
        with explain_errors(f"read the project {admin}", f"ask for roles/viewer on {admin}"):
            existing = find_project(google, admin)
        number = existing[0] if existing is not None else ""
        added, others = 0, []
        for resource, wanted_grants in wanted.items():
            bindings = [grant.binding(number) for grant in wanted_grants]
            with explain_errors(title, f"ask for {resource.may}; members and roles must exist"):
                added += _add(google, resource, bindings, title)
                if alone:
                    others += _others(resource.read(google), bindings)
        outcome = f"granted {added}" if added else UNCHANGED
        return f"{outcome}, but others have the same role: {', '.join(sorted(others))}" if others else outcome

    commands = tuple(
        _command(resource, grant, admin) for resource, wanted_grants in wanted.items() for grant in wanted_grants
    )
    return Step(key, title, commands, ensure)


def _command(resource: Resource, grant: Grant, admin: str) -> str:
    number = f"$(gcloud projects describe {admin} --format='value(projectNumber)')"
    command = f'{resource.command} --role={grant.role} --member="{grant.member.replace("{number}", number)}"'
    if grant.condition is None:
        return f"{command} --condition=None" if _conditional(resource) else command
    title, expression = grant.condition
    return f"{command} --condition={shlex.quote(f'^:^title={title}:expression={expression}')}"


def _conditional(resource: Resource) -> bool:
    """Whether gcloud asks for a condition if the policy already has one."""
    return resource.bucket or "cloudresourcemanager" in resource.url


def _add(google: Google, resource: Resource, bindings: Sequence[dict[str, Any]], title: str) -> int:
    from google.api_core.exceptions import BadRequest, GoogleAPICallError

    added = 0

    def done() -> bool:
        nonlocal added
        policy = resource.read(google)
        missing = [binding for binding in bindings if not _has(policy, binding)]
        if not missing:
            return True
        changed = {**policy, "bindings": [*policy.get("bindings", []), *missing]}
        if any("condition" in binding for binding in changed["bindings"]):
            changed["version"] = 3
        try:
            resource.write(google, changed)
        except BadRequest as error:
            if "does not exist" not in str(error):
                raise
            return False  # a new account is not known everywhere yet
        except GoogleAPICallError as error:
            if error.code not in _CONFLICTS:
                raise
            return False
        added += len(missing)
        return True

    google.wait_until(done, title)
    return added


def _has(policy: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return any(
        binding["role"] == wanted["role"]
        and set(wanted["members"]) <= set(binding.get("members", []))
        and binding.get("condition", {}).get("expression") == wanted.get("condition", {}).get("expression")
        for binding in policy.get("bindings", [])
    )


def _others(policy: Mapping[str, Any], bindings: Sequence[Mapping[str, Any]]) -> list[str]:
    roles = {binding["role"] for binding in bindings}
    mine = {member for binding in bindings for member in binding["members"]}
    present = [binding for binding in policy.get("bindings", []) if binding["role"] in roles]
    return [member for binding in present for member in binding["members"] if member not in mine]
