"""Arrows between boxes, from the permissions: who pulls, deploys, connects and reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from atwork.graph import inventory as types
from atwork.graph.boxes import box, identity
from atwork.graph.inventory import Inventory, namespace_of, project_in
from atwork.graph.model import Arrow, Box


def people(stack: Inventory) -> list[str]:
    """The groups and users that may connect to the control plane."""
    grants = [grant for grant in stack.of(types.PROJECT_MEMBER) if grant.text("role").endswith(types.CONNECT)]
    members = [grant.text("member") for grant in grants]
    return sorted(
        {member.partition(":")[2].partition("@")[0] for member in members if member.startswith(("group:", "user:"))}
    )


class Arrows:
    """The arrows of some stacks, and the projects outside these stacks that arrows come from."""

    def __init__(self, stacks: Mapping[str, Inventory]) -> None:
        self.stacks = stacks
        self.by_project = {stack.project: stack for stack in stacks.values() if stack.project}
        self.outside: dict[str, str] = {}
        """Projects that are not drawn, by the ids of their boxes."""
        self.arrows = {arrow for stack in stacks.values() for arrow in self._of_stack(stack)}

    def between(self, ids: set[str]) -> tuple[Arrow, ...]:
        """The arrows with both ends among the ids of the drawn boxes."""
        return tuple(sorted(arrow for arrow in self.arrows if arrow.source in ids and arrow.target in ids))

    def outside_boxes(self) -> list[Box]:
        """A box for each project that is not drawn."""
        return [
            box("", "cell", project, rows=[(Box(name, "outside", project, ("not in this picture",)),)])
            for name, project in sorted(self.outside.items())
        ]

    def _of_stack(self, stack: Inventory) -> Iterable[Arrow]:
        for cluster in stack.of(types.CLUSTER)[:1]:
            control, nodes = self._id(stack, "control", cluster.name), self._id(stack, "pools", cluster.name)
            if people(stack):
                yield Arrow("people", self._id(stack, "outside", "people"), control)
            yield from self._images(stack, nodes)
            yield from self._deploys(stack, control)
        for nat in stack.of(types.NAT):
            yield Arrow("internet", self._id(stack, "nat", nat.name), self._id(stack, "outside", "internet"))
        yield from self._data(stack)

    def _images(self, stack: Inventory, nodes: str) -> Iterable[Arrow]:
        """Nodes that pull images, and namespaces whose pods push them."""
        accounts = {pool.text("nodeConfig.serviceAccount") for pool in stack.of(types.POOL)} - {""}
        for grant in stack.of(types.REPOSITORY_MEMBER):
            member = grant.text("member")
            project = grant.text("project") or stack.project
            if member.removeprefix("serviceAccount:") in accounts:
                yield Arrow("images", self._registry(project), nodes)
            elif grant.text("role").endswith("writer") and (namespace := self._namespace(stack, member)):
                yield Arrow("images", namespace, self._registry(project))

    def _deploys(self, stack: Inventory, control: str) -> Iterable[Arrow]:
        """Namespaces whose pods act as an account that may deploy to this stack."""
        for other in self.stacks.values():
            for account in other.of(types.SERVICE_ACCOUNT):
                email = types.acts_as(account)
                if other is not stack and stack.project and project_in(email) == stack.project:
                    yield Arrow("deploys", self._id(other, "namespace", namespace_of(account)), control)
        for grant in stack.of(types.ACCOUNT_MEMBER):
            project = project_in(grant.text("member"))
            if project and project != stack.project and project not in self.by_project:
                yield Arrow("deploys", self._outside_project(project), control)

    def _data(self, stack: Inventory) -> Iterable[Arrow]:
        """Namespaces whose pods log in to a database or to Redis, and that read secrets."""
        for grant in stack.of(types.ACCOUNT_MEMBER):
            namespace = self._namespace(stack, grant.text("member"))
            for instance in stack.of(types.INSTANCE):
                if namespace and grant.parent and grant.parent == instance.parent:
                    yield Arrow("data", namespace, self._id(stack, "database", instance.name))
        for grant in stack.of(types.PROJECT_MEMBER):
            for instance in stack.of(types.REDIS):
                if grant.parent and grant.parent == instance.parent:
                    for namespace in self._namespaces(stack, grant.text("member")):
                        yield Arrow("data", namespace, self._id(stack, "redis", instance.name))
        for grant in stack.of(types.SECRET_MEMBER):
            for namespace in self._namespaces(stack, grant.text("member")):
                yield Arrow("secrets", namespace, self._id(stack, "secrets", ""))

    def _namespaces(self, stack: Inventory, member: str) -> Iterable[str]:
        """Namespaces whose pods are a member, as themselves or as the Google account of their annotation."""
        if namespace := self._namespace(stack, member):
            yield namespace
        email = member.removeprefix("serviceAccount:")
        for account in stack.of(types.SERVICE_ACCOUNT):
            if email and types.acts_as(account) == email:
                yield self._id(stack, "namespace", namespace_of(account))

    def _namespace(self, stack: Inventory, member: str) -> str:
        name = types.namespace_in(member)
        return self._id(stack, "namespace", name) if name else ""

    def _registry(self, project: str) -> str:
        owner = self.by_project.get(project)
        return self._id(owner, "registry", "") if owner else self._outside_project(project)

    def _outside_project(self, project: str) -> str:
        name = identity("", "outside", project or "unknown")
        self.outside[name] = project
        return name

    @staticmethod
    def _id(stack: Inventory, kind: str, name: str) -> str:
        return identity(stack.stack, kind, name)
