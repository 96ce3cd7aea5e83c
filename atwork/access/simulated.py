"""The access model of the simulated Google Cloud: every IAM object of the sandbox, or of any list of such objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from atwork.access.errors import AccessError
from atwork.access.model import AccessModel, Binding, Condition

AGENT = "gcp:projects/serviceIdentity:ServiceIdentity"
KEY = "gcp:kms/cryptoKey:CryptoKey"
CUSTOM_ROLE = ("gcp:projects/iAMCustomRole:IAMCustomRole", "gcp:organizations/iAMCustomRole:IAMCustomRole")
PROJECT = "gcp:organizations/project:Project"
BUCKET = "gcp:storage/bucket:Bucket"
_MEMBER = re.compile(r"(IAMMember|IamMember)$")
_BINDING = re.compile(r"(IAMBinding|IamBinding)$")
_POLICY = re.compile(r"(IAMPolicy|IamPolicy)$")


class CloudObject(Protocol):
    """An object of the simulated cloud (`atwork.sandbox.cloud.CloudObject`)."""

    @property
    def type(self) -> str:
        """Token of the Pulumi type."""
        ...

    @property
    def id(self) -> str:
        """Id as the provider gives it."""
        ...

    @property
    def urn(self) -> str:
        """URN in its stack; empty where no stack has it any more."""
        ...

    @property
    def inputs(self) -> dict[str, Any]:
        """Inputs as the program gave them."""
        ...

    @property
    def outputs(self) -> dict[str, Any]:
        """Inputs and what the cloud computed."""
        ...


def model(objects: Iterable[CloudObject], projects: Mapping[str, str]) -> AccessModel:
    """The model of simulated Google objects; `projects` are numbers by id of projects that no object is.

    Raises `AccessError` for a binding that is a whole policy, which the platform never writes.
    """
    google = [one for one in objects if one.type.startswith("gcp:")]
    bindings = tuple(binding for one in google for binding in _bindings(one))
    created = {one.inputs["projectId"]: one for one in google if one.type == PROJECT}
    parents = {f"projects/{key}": f"folders/{one.inputs['folderId']}" for key, one in created.items()}
    buckets = [one for one in google if one.type == BUCKET]
    parents |= {f"buckets/{one.id}": f"projects/{one.outputs.get('project')}" for one in buckets}
    numbers = {key: str(one.outputs["number"]) for key, one in created.items()}
    return AccessModel(
        bindings=bindings,
        custom_roles={one.id: frozenset(one.inputs["permissions"]) for one in google if one.type in CUSTOM_ROLE},
        resources=frozenset({*_resources(google), *(f"projects/{key}" for key in projects)}),
        parents=parents,
        numbers={**projects, **numbers},
    )


def agents(objects: Iterable[CloudObject], project: str, number: str) -> dict[str, str]:
    """Google's own accounts in a project by service; Compute Engine's is there without being asked for."""
    found = {"compute.googleapis.com": f"serviceAccount:service-{number}@compute-system.iam.gserviceaccount.com"}
    for one in objects:
        if one.type == AGENT and one.id.startswith(f"projects/{project}/"):
            found[str(one.inputs["service"])] = str(one.outputs["member"])
    return found


def keys(objects: Iterable[CloudObject], project: str) -> dict[str, str]:
    """Resource names of a project's keys by `PURPOSE-LOCATION`; the program names a key for its purpose."""
    names = [one.id for one in objects if one.type == KEY and one.id.startswith(f"projects/{project}/")]
    return {f"{name.rpartition('/')[2]}-{name.split('/')[3]}": name for name in names}


def _resources(google: Iterable[CloudObject]) -> Iterator[str]:
    """Everything that has a name of its own; bindings have not."""
    return (one.id for one in google if one.id.startswith("projects/") and "role" not in one.inputs)


def _bindings(one: CloudObject) -> Iterator[Binding]:
    kind = one.type.rpartition(":")[2]
    if _POLICY.search(kind):
        raise AccessError(f"{one.urn or one.id}: {kind} replaces all bindings of a resource; use {kind[:-6]}Member")
    if not (_MEMBER.search(kind) or _BINDING.search(kind)):
        return
    role = str(one.inputs["role"])
    members = [one.inputs["member"]] if "member" in one.inputs else list(one.inputs["members"])
    condition = one.inputs.get("condition")
    for member in members:
        yield Binding(role, str(member), _resource(one, role), _condition(condition), one.urn)


def _resource(one: CloudObject, role: str) -> str:
    """What a binding is on: its id is the resource, the role and, of a member, that."""
    resource = one.id.partition(f"/{role}")[0]
    match one.type.partition("/")[0]:
        case "gcp:projects":
            return f"projects/{resource.removeprefix('projects/')}"
        case "gcp:storage":
            return f"buckets/{resource.removeprefix('b/')}"
        case _:
            return resource


def _condition(condition: Mapping[str, Any] | None) -> Condition | None:
    return None if condition is None else Condition(str(condition["title"]), str(condition["expression"]))
