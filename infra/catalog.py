"""The catalog: the service files of a checkout, grouped by their folder.

A file at the top level of the services folder belongs to the group `default`, a file in a folder to the group of the
folder's name. A service has one name in all groups: its namespace, account and image share it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.redis import LONGEST_NAME, physical_name
from infra.errors import ConfigError
from infra.layout import SERVICES_FOLDER
from infra.service_names import repository_key, reserved_name
from infra.services import ServiceSettings, database_name, is_name
from infra.stack_name import DEFAULT_GROUP, GROUP_WORDS, is_group_name
from infra.unread_files import unread_service_files
from infra.validation import settings_from_json
from infra.yaml_files import read_yaml

_LONGEST_WITH_DATABASE = 19


@dataclass(frozen=True)
class ServiceFiles:
    """The service files of a folder."""

    services: Mapping[str, ServiceSettings]
    """The valid ones by name."""
    mistakes: Sequence[str]
    """Lines about the others, about files that nothing reads, and about what two services must not share."""
    invalid: Mapping[str, str]
    """The services of those files, with their groups."""


def read_files(folder: Path) -> ServiceFiles:
    """All service files, each read by itself."""
    return _read(folder, groups(folder))


def read_all(folder: Path, *, without: Collection[str] = ()) -> dict[str, ServiceSettings]:
    """All services by name, each valid by itself, except those of the groups in `without`.

    `ConfigError` has a line for every mistake.
    """
    return _valid(_read(folder, [group for group in groups(folder) if group not in without]))


def read_group(folder: Path, group: str) -> dict[str, ServiceSettings]:
    """The services of one group by name, each valid by itself; `ConfigError` has a line for every mistake."""
    return _valid(_read(folder, [group]))


def names(folder: Path) -> frozenset[str]:
    """The names of all services of all groups, whose files need not be valid."""
    return frozenset(path.stem for group in groups(folder) for path in _files(folder, group))


def groups(folder: Path) -> list[str]:
    """The groups of the catalog, `default` first."""
    return [DEFAULT_GROUP, *sorted(path.name for path in folder.glob("*/") if any(path.glob("[!.]*.yaml")))]


def _valid(files: ServiceFiles) -> dict[str, ServiceSettings]:
    if files.mistakes:
        raise ConfigError("\n".join(files.mistakes))
    return dict(files.services)


def _read(folder: Path, names: Collection[str]) -> ServiceFiles:
    services: dict[str, ServiceSettings] = {}
    unread = [*unread_service_files(folder)]
    mistakes, invalid = [str(file) for file in unread], {file.name: file.group for file in unread}
    for group, path in ((name, path) for name in names for path in _files(folder, name)):
        try:
            service = read(path, folder)
        except ConfigError as error:
            mistakes += str(error).splitlines()
            invalid[path.stem] = group
            continue
        if path.stem in services:
            other = services[path.stem].file
            mistakes.append(f"{service.file}: {other} has the name {path.stem} already; rename one of them")
        else:
            services[path.stem] = service
    if os.path.lexists(folder) and not folder.is_dir():
        mistakes.append(f"{SERVICES_FOLDER}: is not a folder; restore the folder of the service files")
    mistakes += _misplaced(folder)
    mistakes += _conflicts(services)
    return ServiceFiles(services, mistakes, invalid)


def _files(folder: Path, group: str) -> list[Path]:
    """The files of a group; those of editors and systems begin with a dot."""
    return sorted((folder if group == DEFAULT_GROUP else folder / group).glob("[!.]*.yaml"))


def read(path: Path, folder: Path) -> ServiceSettings:
    """One service of the catalog in `folder`; the file's name is the service's."""
    shown = f"{SERVICES_FOLDER}/{path.relative_to(folder).as_posix()}"
    text = json.dumps(read_yaml(path, shown))
    service = settings_from_json(ServiceSettings, text, shown, ()).read_from(shown)
    mistakes = [f"{shown}: {message}" for message in _names(path.stem, service)]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return service


def _misplaced(folder: Path) -> Iterator[str]:
    """Folders that are no group, and files that no group has."""
    for group in sorted(path for path in folder.glob("*/") if path.suffix != ".yaml"):
        shown = f"{SERVICES_FOLDER}/{group.name}"
        if group.name == DEFAULT_GROUP:
            yield f"{shown}: this group is that of the files in {SERVICES_FOLDER}; move its files there"
        elif not is_group_name(group.name):
            yield f"{shown}: the folder's name is the group's: {GROUP_WORDS}; rename it"
        for path in sorted(group.glob("*/**/*.yaml")):
            yield f"{SERVICES_FOLDER}/{path.relative_to(folder).as_posix()}: a group has no folders; move it to {shown}"


def _names(name: str, service: ServiceSettings) -> Iterator[str]:
    if not is_name(name):
        yield "the file's name is the service's: lower-case letters, digits and hyphens, a letter first; rename it"
    elif why := reserved_name(name):
        yield f"the name is reserved for {why}; rename the file"
    elif service.database is not None and not 2 <= len(name) <= _LONGEST_WITH_DATABASE:
        yield (
            f"database: its login is called as the service, 2 to {_LONGEST_WITH_DATABASE} characters "
            f"({name} has {len(name)}); choose another name"
        )
    elif service.uses_redis and len(name) > LONGEST_NAME:
        yield (
            f"redis: the account that logs in to it is called {physical_name(name)}, and a service with Redis has at "
            f"most {LONGEST_NAME} characters ({name} has {len(name)}); choose another name"
        )


def _conflicts(services: Mapping[str, ServiceSettings]) -> Iterator[str]:
    """What two services may not share: a repository, a host, a database."""
    taken: dict[tuple[str, str], str] = {}
    for name, service in services.items():
        claims = [("repository", "repository", repository_key(service.repository))]
        claims += [
            ("host", f"environments.{stack}.host", place.host)
            for stack, place in service.environments.items()
            if place.host is not None
        ]
        if service.database is not None:
            database = database_name(name, service.database)
            claims.append(("database", "database", f"{service.database.instance}/{database}"))
        for kind, key, value in claims:
            other = taken.setdefault((kind, value), name)
            if other != name:
                yield f"{service.file}: {key}: {value} is {services[other].file}'s already; choose another"
