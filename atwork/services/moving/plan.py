"""The plan to move a service to another group: its file, the stack files that the group lacks, and the stacks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from atwork.checkout import Checkout
from atwork.errors import UsageError
from atwork.group_files import environments_of
from atwork.services.moving.names import ServiceNames
from infra.catalog import read_all
from infra.config import read_all as read_stacks
from infra.layout import SERVICES_FOLDER, STACKS_FOLDER, group_files, separate_groups
from infra.services import ServiceSettings, database_name
from infra.stack import StackConfig
from infra.stack_name import DEFAULT_GROUP, StackName


@dataclass(frozen=True)
class Transfer:
    """The move of a service from one stack of an environment to another."""

    source: StackName
    target: StackName


@dataclass(frozen=True)
class Move:
    """The move of a service to another group, as the files of a checkout say."""

    checkout: Checkout
    name: str
    group: str
    environments: Mapping[str, StackConfig]
    services: Mapping[str, ServiceSettings]

    @classmethod
    def of(cls, checkout: Checkout, name: str, group: str) -> Move:
        """Check the names; `UsageError` for a service or a group that does not exist."""
        services = read_all(checkout.services)
        if name not in services:
            raise UsageError(f"{name}: service not found; name one of {', '.join(sorted(services)) or 'none'}")
        if group != DEFAULT_GROUP and not (checkout.services / group).is_dir():
            known = sorted({DEFAULT_GROUP, *(service.group for service in services.values())})
            raise UsageError(
                f"{SERVICES_FOLDER}/{group}: group not found; name one of {', '.join(known)}, or create it: "
                f"`mkdir {SERVICES_FOLDER}/{group}`"
            )
        move = cls(checkout, name, group, read_stacks(checkout.stacks), services)
        files = group_files(checkout.stacks)
        missing = [stack for stack in move._needed(services) if stack not in files]
        if missing and move._present:
            raise UsageError(f"{STACKS_FOLDER}/Pulumi.{missing[0]}.yaml: missing; run `atwork service group {group}`")
        return move

    @property
    def names(self) -> ServiceNames:
        """The names of the service's resources."""
        database = self._service.database
        if database is None:
            return ServiceNames(self.name)
        return ServiceNames(self.name, database.instance, database_name(self.name, database))

    @property
    def file(self) -> Path:
        """The service file."""
        return self.checkout.root / self._service.file

    @property
    def new_file(self) -> Path:
        """The service file after the move."""
        folder = self.checkout.services
        return (folder if self.group == DEFAULT_GROUP else folder / self.group) / self.file.name

    @property
    def in_place(self) -> bool:
        """Whether the service file is in the group already."""
        return self.file == self.new_file

    @property
    def services_after(self) -> dict[str, ServiceSettings]:
        """The catalog after the move."""
        file = self.new_file.relative_to(self.checkout.root).as_posix()
        return {**self.services, self.name: self._service.model_copy().read_from(file)}

    @property
    def new_stacks(self) -> list[StackName]:
        """The stacks of the group that have no file yet."""
        return [stack for stack in self._needed(self.services_after) if stack not in group_files(self.checkout.stacks)]

    @property
    def transfers(self) -> list[Transfer]:
        """The moves between stacks, in the order of the environments."""
        separate = {*group_files(self.checkout.stacks), *self.new_stacks}
        transfers = [
            Transfer(_stack(name, group, separate), _stack(name, self.group, separate))
            for name in self.checkout.environment_names()
            for group in self._groups_before(name)
        ]
        return [transfer for transfer in transfers if transfer.source != transfer.target]

    @property
    def group_before(self) -> str:
        """The group that the service file names now."""
        return self._service.group

    @property
    def _service(self) -> ServiceSettings:
        return self.services[self.name]

    @property
    def _present(self) -> bool:
        """Whether the group has services."""
        return any(service.group == self.group for service in self.services.values())

    def shown(self, path: Path) -> str:
        """A path of the checkout as messages name it."""
        return path.relative_to(self.checkout.root).as_posix()

    def _groups_before(self, environment: str) -> list[str]:
        """The group that the service comes from; that is unknown where its file is in place already."""
        if self.environments[environment].environment.kind == "ephemeral":
            return []
        return (
            [self._service.group]
            if not self.in_place
            else [
                DEFAULT_GROUP,
                *separate_groups(self.checkout.stacks, environment),
            ]
        )

    def _needed(self, services: Mapping[str, ServiceSettings]) -> list[StackName]:
        """The stacks of the group: none where its services are in the environments' stacks."""
        own = any(stack.group == self.group for stack in group_files(self.checkout.stacks))
        if not own and (self._present or self.group == DEFAULT_GROUP):
            return []
        return [StackName(name, self.group) for name in environments_of(self.group, self.environments, services)]


def _stack(environment: str, group: str, separate: Collection[StackName]) -> StackName:
    """The stack of a group's services in an environment."""
    own = StackName(environment, group)
    return own if own in separate else StackName(environment)
