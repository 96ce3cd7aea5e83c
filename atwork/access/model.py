"""The access model: all bindings of the platform, and whether a principal has a permission on a resource.

Impersonation is never followed: whether a principal may act as a service account is a question of its own
(`AccessModel.may_act_as`). A pod whose Kubernetes account names a Google account in the annotation
`iam.gke.io/gcp-service-account` is that Google account to every API, and is not the bare principal any more
(`AccessModel.pod`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

from atwork.access import conditions, principals, roles
from atwork.access.errors import AccessError, near
from atwork.access.resources import inside_of

ACT_AS = "iam.serviceAccounts.getAccessToken"
"""What the metadata server needs to give a pod the token of a Google account."""


@dataclass(frozen=True)
class Condition:
    """A condition of a binding, in the Common Expression Language."""

    title: str
    expression: str


@dataclass(frozen=True)
class Binding:
    """One role for one member on one resource."""

    role: str
    member: str
    resource: str
    condition: Condition | None = None
    origin: str = ""
    """Who made it: a URN of the program, or a step of bootstrap."""


@dataclass(frozen=True)
class Decision:
    """The answer to one question. `binding` is what allows it; `rejected` are bindings whose condition is false."""

    principal: str
    permission: str
    resource: str
    binding: Binding | None = None
    rejected: tuple[Binding, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the principal has the permission there."""
        return self.binding is not None

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def inherited_from(self) -> str | None:
        """The project, folder or organization whose binding allows it; nothing for one on the resource itself."""
        if self.binding is None or self.binding.resource == self.resource:
            return None
        return self.binding.resource

    @property
    def reason(self) -> str:
        """The answer in one sentence."""
        what = f"{self.principal} has {self.permission} on {self.resource}"
        if self.binding is not None:
            where = f", inherited from {self.inherited_from}" if self.inherited_from else ""
            return f"{what} by {self.binding.role} of {self.binding.member}{where}"
        denied = f"{self.principal} does not have {self.permission} on {self.resource}"
        if not self.rejected:
            return f"{denied}: no binding grants it"
        listed = ", ".join(f"{one.role} ({one.condition.title})" for one in self.rejected if one.condition)
        return f"{denied}: the condition is false of {listed}"


@dataclass(frozen=True)
class AccessModel:
    """All bindings, with what is needed to read them."""

    bindings: tuple[Binding, ...]
    custom_roles: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Permissions of custom roles, by name `projects/P/roles/R`."""
    resources: frozenset[str] = frozenset()
    """Resources that exist, beside those that bindings name."""
    parents: Mapping[str, str] = field(default_factory=dict[str, str])
    """What projects, folders and buckets are below."""
    numbers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Project numbers by project id."""

    def join(self, *others: AccessModel) -> AccessModel:
        """One model of several sources; the same binding of two sources is kept once."""
        models = (self, *others)
        return replace(
            self,
            bindings=tuple(dict.fromkeys(binding for model in models for binding in model.bindings)),
            custom_roles={name: held for model in models for name, held in model.custom_roles.items()},
            resources=frozenset().union(*(model.resources for model in models)),
            parents={name: above for model in models for name, above in model.parents.items()},
            numbers={project: number for model in models for project, number in model.numbers.items()},
        )

    def may(
        self,
        principal: str,
        permission: str,
        resource: str,
        *,
        at: datetime | None = None,
        granted: frozenset[str] = frozenset(),
    ) -> Decision:
        """Whether a principal has a permission on a resource, and by which binding.

        `granted` are the roles that a request to set a policy grants or revokes.

        Raises `AccessError` for a text that is no principal, for a permission or a resource that nothing names, and
        for a role or a condition that the model cannot read. A well-formed principal without bindings is denied.
        """
        principals.check(principal)
        self.check_permission(permission)
        resource = self.resolve(resource)
        request = conditions.Request(resource, at or datetime.now(UTC), granted)
        rejected: list[Binding] = []
        for place in inside_of(resource, self.parents):
            for binding in self._by_resource.get(place, ()):
                if not principals.covers(binding.member, principal, self.numbers):
                    continue
                if permission not in self.permissions(binding.role):
                    continue
                if self._holds(binding, request):
                    return Decision(principal, permission, resource, binding)
                rejected.append(binding)
        return Decision(principal, permission, resource, rejected=tuple(rejected))

    def may_act_as(self, principal: str, email: str) -> Decision:
        """Whether a principal may get tokens of a Google service account: the one step of impersonation."""
        return self.may(principal, ACT_AS, f"projects/-/serviceAccounts/{email}")

    def pod(self, project: str, namespace: str, account: str, annotation: str | None) -> str:
        """As whom Google's APIs see a pod: `annotation` is the Google account of its Kubernetes account, if any."""
        if annotation:
            return f"serviceAccount:{annotation}"
        return principals.pod(f"{project}{principals.POOL_SUFFIX}", namespace, account)

    def of(self, principal: str, resource: str | None = None) -> list[Binding]:
        """The bindings that cover a principal, those that reach one resource where it is named."""
        principals.check(principal)
        reach = None if resource is None else set(inside_of(self.resolve(resource), self.parents))
        return [
            binding
            for binding in self.bindings
            if principals.covers(binding.member, principal, self.numbers)
            and (reach is None or binding.resource in reach)
        ]

    def who(self, permission: str, resource: str, *, at: datetime | None = None) -> list[Decision]:
        """Every member with a permission on a resource, each with the binding that grants it."""
        members = sorted({principals.canonical(binding.member, self.numbers) for binding in self.bindings})
        return [decision for member in members if (decision := self.may(member, permission, resource, at=at))]

    def permissions(self, role: str) -> frozenset[str]:
        """The permissions of a predefined or custom role."""
        if role.startswith("roles/"):
            return roles.permissions(role)
        if role not in self.custom_roles:
            raise AccessError(f"{role}: a binding names this custom role, but nothing defines it; create it first")
        return self.custom_roles[role]

    def members(self) -> frozenset[str]:
        """Every member of a binding."""
        return frozenset(binding.member for binding in self.bindings)

    def check_permission(self, permission: str) -> None:
        """Raise `AccessError` unless a role or an API method names the permission."""
        if permission not in self._vocabulary:
            raise AccessError(f"{permission}: no such permission{near(permission, self._vocabulary)}")

    def resolve(self, resource: str) -> str:
        """The full name of a resource: `-` stands for the project of a service account; `AccessError` if unknown."""
        if resource.startswith("projects/-/"):
            tail = resource.removeprefix("projects/-")
            resource = next((name for name in sorted(self._known) if name.endswith(tail)), resource)
        for place in inside_of(resource, self.parents):
            if place not in self._known:
                continue
            if place == resource or place.count("/") > 1 or place.startswith("buckets/"):
                return resource
            break
        raise AccessError(f"{resource}: no such resource{near(resource, self._known)}")

    @staticmethod
    def _holds(binding: Binding, request: conditions.Request) -> bool:
        return binding.condition is None or conditions.holds(binding.condition.expression, request)

    @cached_property
    def _by_resource(self) -> Mapping[str, list[Binding]]:
        found: dict[str, list[Binding]] = {}
        for binding in self.bindings:
            found.setdefault(binding.resource, []).append(binding)
        return found

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return roles.known().union(*self.custom_roles.values())

    @cached_property
    def _known(self) -> frozenset[str]:
        named = {binding.resource for binding in self.bindings}
        return frozenset({*named, *self.resources, *self.parents, *self.parents.values()})
