"""The access model: all bindings of the platform, and whether a principal has a permission on a resource.

Impersonation is never followed: `AccessModel.may_act_as` answers whether a principal may act as a service account. To
every API, a pod is the Google account that the annotation `iam.gke.io/gcp-service-account` of its Kubernetes account
names, and not the principal of the pod (`AccessModel.pod`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

from atwork.access import conditions, principals
from atwork.access.binding import Binding
from atwork.access.decision import AccessDecision
from atwork.access.resources import ancestors
from atwork.access.suggestions import suggestion
from atwork.errors import AccessError
from atwork.permissions import roles

ACT_AS = "iam.serviceAccounts.getAccessToken"
"""The permission with which the metadata server gives a pod the token of a Google account."""


@dataclass(frozen=True)
class AccessModel:
    """All bindings, with the roles and resources that they name."""

    bindings: tuple[Binding, ...]
    custom_roles: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Permissions of custom roles, by name `projects/P/roles/R`."""
    resources: frozenset[str] = frozenset()
    """Resources that exist, in addition to those that bindings name."""
    parents: Mapping[str, str] = field(default_factory=dict[str, str])
    """The parent of each project, folder and bucket."""
    numbers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Project numbers by project id."""

    def join(self, *others: AccessModel) -> AccessModel:
        """Merge models; a binding that two of them have is kept once."""
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
    ) -> AccessDecision:
        """Whether a principal has a permission on a resource, and by which binding.

        `granted` are the roles that a request to set a policy grants or revokes.

        Raises `AccessError` for an invalid principal, for a permission or a resource that nothing names, and for a role
        or a condition that the model cannot read. A valid principal without bindings is denied.
        """
        principals.check(principal)
        self.check_permission(permission)
        resource = self.resolve(resource)
        request = conditions.ConditionRequest(resource, at or datetime.now(UTC), granted)
        rejected: list[Binding] = []
        for ancestor in ancestors(resource, self.parents):
            for binding in self._by_resource.get(ancestor, ()):
                if not principals.covers(binding.member, principal, self.numbers):
                    continue
                if permission not in self.permissions(binding.role):
                    continue
                if self._holds(binding, request):
                    return AccessDecision(principal, permission, resource, binding)
                rejected.append(binding)
        return AccessDecision(principal, permission, resource, rejected=tuple(rejected))

    def may_act_as(self, principal: str, email: str) -> AccessDecision:
        """Whether a principal may impersonate a Google service account."""
        return self.may(principal, ACT_AS, f"projects/-/serviceAccounts/{email}")

    def pod(self, project: str, namespace: str, account: str, annotation: str | None) -> str:
        """The identity of a pod to Google's APIs; `annotation` is the Google account of its account, if any."""
        if annotation:
            return f"serviceAccount:{annotation}"
        return principals.pod(f"{project}{principals.POOL_SUFFIX}", namespace, account)

    def of(self, principal: str, resource: str | None = None) -> list[Binding]:
        """The bindings that cover a principal; with a resource, only those that reach it."""
        principals.check(principal)
        reach = None if resource is None else set(ancestors(self.resolve(resource), self.parents))
        return [
            binding
            for binding in self.bindings
            if principals.covers(binding.member, principal, self.numbers)
            and (reach is None or binding.resource in reach)
        ]

    def who(self, permission: str, resource: str, *, at: datetime | None = None) -> list[AccessDecision]:
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
            raise AccessError(f"{permission}: unknown permission{suggestion(permission, self._vocabulary)}")

    def resolve(self, resource: str) -> str:
        """The full name of a resource: `-` stands for the project of a service account; `AccessError` if unknown."""
        if resource.startswith("projects/-/"):
            tail = resource.removeprefix("projects/-")
            resource = next((name for name in sorted(self._known) if name.endswith(tail)), resource)
        for ancestor in ancestors(resource, self.parents):
            if ancestor not in self._known:
                continue
            if ancestor == resource or ancestor.count("/") > 1 or ancestor.startswith("buckets/"):
                return resource
            break
        raise AccessError(f"{resource}: unknown resource{suggestion(resource, self._known)}")

    @staticmethod
    def _holds(binding: Binding, request: conditions.ConditionRequest) -> bool:
        return binding.condition is None or conditions.holds(binding.condition.expression, request)

    @cached_property
    def _by_resource(self) -> Mapping[str, list[Binding]]:
        by_resource: dict[str, list[Binding]] = {}
        for binding in self.bindings:
            by_resource.setdefault(binding.resource, []).append(binding)
        return by_resource

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return roles.known().union(*self.custom_roles.values())

    @cached_property
    def _known(self) -> frozenset[str]:
        named = {binding.resource for binding in self.bindings}
        return frozenset({*named, *self.resources, *self.parents, *self.parents.values()})
