"""Who may do what: bindings that are added to the IAM policy of a resource, whoever else is in it.

Every kind of resource has the same two calls on its policy, so that they are called as they are. A policy is written
with the etag it was read with: whoever changed it in between makes the write fail, and it is read again.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from atwork.environments.bootstrap.google import Google, explain_errors
from atwork.environments.bootstrap.projects import found
from atwork.environments.bootstrap.step import IS_RIGHT, Context, Step

_CONFLICTS = (409, 412)


@dataclass(frozen=True)
class Grant:
    """One role for one member; `{number}` in the member is the admin project's."""

    role: str
    member: str
    condition: tuple[str, str] | None = None
    """Title and expression."""

    def binding(self, number: str) -> dict[str, Any]:
        """As it stands in a policy."""
        made: dict[str, Any] = {"role": self.role, "members": [self.member.replace("{number}", number)]}
        if self.condition is not None:
            made["condition"] = {"title": self.condition[0], "expression": self.condition[1]}
        return made


@dataclass(frozen=True)
class Resource:
    """What has a policy: where it is read and written, and how gcloud names it."""

    url: str
    command: str
    bucket: bool = False
    may: str = "roles/resourcemanager.projectIamAdmin"

    @property
    def name(self) -> str:
        """Its resource name without the service, such as `projects/P` or `buckets/B`."""
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
        """The policy; with conditions, for a write without them would drop them."""
        if self.bucket:
            return google.call("GET", self.url, params={"optionsRequestedPolicyVersion": "3"})
        if "cloudresourcemanager" in self.url:
            body = {"options": {"requestedPolicyVersion": 3}}
            return google.call("POST", f"{self.url}:getIamPolicy", body=body)
        params = {"options.requestedPolicyVersion": "3"}
        method = "POST" if "//iam." in self.url else "GET"
        return google.call(method, f"{self.url}:getIamPolicy", params=params)

    def write(self, google: Google, policy: Mapping[str, Any]) -> None:
        """Set the policy, if it is still the one that was read."""
        if self.bucket:
            google.call("PUT", self.url, body=policy)
        else:
            google.call("POST", f"{self.url}:setIamPolicy", body={"policy": policy})


def grants(
    key: str, title: str, admin: str, wanted: Mapping[Resource, Sequence[Grant]], *, alone: bool = False
) -> Step:
    """Bindings of several resources; `alone` also says who else has the same role there."""

    def ensure(context: Context) -> str:
        google = context.google
        with explain_errors(f"look at the project {admin}", f"ask for roles/viewer on {admin}"):
            seen = found(google, admin)
        number = seen[0] if seen is not None else ""
        added, others = 0, []
        for resource, some in wanted.items():
            bindings = [grant.binding(number) for grant in some]
            with explain_errors(title, f"ask for {resource.may}; what was named must exist"):
                added += _add(google, resource, bindings, title)
                if alone:
                    others += _others(resource.read(google), bindings)
        outcome = f"granted {added}" if added else IS_RIGHT
        return f"{outcome}, but others may too: {', '.join(sorted(others))}" if others else outcome

    commands = tuple(_command(resource, grant, admin) for resource, some in wanted.items() for grant in some)
    return Step(key, title, commands, ensure)


def _command(resource: Resource, grant: Grant, admin: str) -> str:
    number = f"$(gcloud projects describe {admin} --format='value(projectNumber)')"
    command = f'{resource.command} --role={grant.role} --member="{grant.member.replace("{number}", number)}"'
    if grant.condition is None:
        return f"{command} --condition=None" if _conditional(resource) else command
    title, expression = grant.condition
    return f"{command} --condition={shlex.quote(f'^:^title={title}:expression={expression}')}"


def _conditional(resource: Resource) -> bool:
    """Whether gcloud asks for a condition where one is in the policy already."""
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
            return False  # an account that was just made is not known everywhere yet
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
        one["role"] == wanted["role"]
        and set(wanted["members"]) <= set(one.get("members", []))
        and one.get("condition", {}).get("expression") == wanted.get("condition", {}).get("expression")
        for one in policy.get("bindings", [])
    )


def _others(policy: Mapping[str, Any], bindings: Sequence[Mapping[str, Any]]) -> list[str]:
    roles = {one["role"] for one in bindings}
    mine = {member for one in bindings for member in one["members"]}
    return [m for one in policy.get("bindings", []) if one["role"] in roles for m in one["members"] if m not in mine]
