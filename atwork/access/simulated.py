"""The access model of the simulated Google Cloud: every IAM object of the sandbox, or of any list of such objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from atwork.access.binding import Binding, Condition
from atwork.access.model import AccessModel
from atwork.errors import AccessError
from components.type_tokens import CRYPTO_KEY as KEY
from components.type_tokens import PROJECT
from components.type_tokens import SERVICE_IDENTITY as AGENT

CUSTOM_ROLE = ("gcp:projects/iAMCustomRole:IAMCustomRole", "gcp:organizations/iAMCustomRole:IAMCustomRole")
BUCKET = "gcp:storage/bucket:Bucket"
_MEMBER = re.compile(r"(IAMMember|IamMember)$")
_BINDING = re.compile(r"(IAMBinding|IamBinding)$")
_POLICY = re.compile(r"(IAMPolicy|IamPolicy)$")


class SimulatedObject(Protocol):
    """An object of the simulated cloud (`atwork.sandbox.cloud.CloudObject`)."""

    @property
    def type(self) -> str:
        """Token of the Pulumi type."""
        ...

    @property
    def id(self) -> str:
        """Id that the provider assigned."""
        ...

    @property
    def urn(self) -> str:
        """URN in its stack; empty when no stack has it anymore."""
        ...

    @property
    def inputs(self) -> dict[str, Any]:
        """Inputs from the program."""
        ...

    @property
    def outputs(self) -> dict[str, Any]:
        """Inputs and the values that the cloud computed."""
        ...


def model(objects: Iterable[SimulatedObject], projects: Mapping[str, str]) -> AccessModel:
    """The model of simulated Google objects; `projects` are the numbers, by id, of projects without an object.

    Raises `AccessError` for a resource that replaces an entire policy, which the platform never creates.
    """
    google = [item for item in objects if item.type.startswith("gcp:")]
    bindings = tuple(binding for item in google for binding in _bindings(item))
    created = {item.inputs["projectId"]: item for item in google if item.type == PROJECT}
    parents = {f"projects/{key}": f"folders/{item.inputs['folderId']}" for key, item in created.items()}
    buckets = [item for item in google if item.type == BUCKET]
    parents |= {f"buckets/{item.id}": f"projects/{item.outputs.get('project')}" for item in buckets}
    numbers = {key: str(item.outputs["number"]) for key, item in created.items()}
    return AccessModel(
        bindings=bindings,
        custom_roles={item.id: frozenset(item.inputs["permissions"]) for item in google if item.type in CUSTOM_ROLE},
        resources=frozenset({*_resources(google), *(f"projects/{key}" for key in projects)}),
        parents=parents,
        numbers={**projects, **numbers},
    )


def agents(objects: Iterable[SimulatedObject], project: str, number: str) -> dict[str, str]:
    """Service agents of Google in a project, by service; the one of Compute Engine always exists."""
    agents_by_service = {
        "compute.googleapis.com": f"serviceAccount:service-{number}@compute-system.iam.gserviceaccount.com"
    }
    for item in objects:
        if item.type == AGENT and item.id.startswith(f"projects/{project}/"):
            agents_by_service[str(item.inputs["service"])] = str(item.outputs["member"])
    return agents_by_service


def keys(objects: Iterable[SimulatedObject], project: str) -> dict[str, str]:
    """Resource names of a project's keys by `PURPOSE-LOCATION`; the program names each key after its purpose."""
    names = [item.id for item in objects if item.type == KEY and item.id.startswith(f"projects/{project}/")]
    return {f"{name.rpartition('/')[2]}-{name.split('/')[3]}": name for name in names}


def _resources(google: Iterable[SimulatedObject]) -> Iterator[str]:
    """Every object with a resource name, which bindings do not have."""
    return (item.id for item in google if item.id.startswith("projects/") and "role" not in item.inputs)


def _bindings(item: SimulatedObject) -> Iterator[Binding]:
    kind = item.type.rpartition(":")[2]
    if _POLICY.search(kind):
        raise AccessError(f"{item.urn or item.id}: {kind} replaces all bindings of a resource; use {kind[:-6]}Member")
    if not (_MEMBER.search(kind) or _BINDING.search(kind)):
        return
    role = str(item.inputs["role"])
    members = [item.inputs["member"]] if "member" in item.inputs else list(item.inputs["members"])
    condition = item.inputs.get("condition")
    for member in members:
        yield Binding(role, str(member), _resource(item, role), _condition(condition), item.urn)


def _resource(item: SimulatedObject, role: str) -> str:
    """The resource of a binding, whose id is the resource, the role and, for a member, the member."""
    resource = item.id.partition(f"/{role}")[0]
    match item.type.partition("/")[0]:
        case "gcp:projects":
            return f"projects/{resource.removeprefix('projects/')}"
        case "gcp:storage":
            return f"buckets/{resource.removeprefix('b/')}"
        case _:
            return resource


def _condition(condition: Mapping[str, Any] | None) -> Condition | None:
    return None if condition is None else Condition(str(condition["title"]), str(condition["expression"]))
