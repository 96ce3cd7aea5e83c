"""The names of a service's resources in the stack of an environment and in that of a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DATABASE_OF_SERVICE = "atwork:service_database:ServiceDatabase"
"""Type of the component of a service's database in the stack of a group."""

_INSTANCE = "atwork:database:Database"
_LOGIN = ("account", "impersonation", "client", "instanceUser", "user")
"""Ends of the names of a login's resources (components/database_login.py)."""


@dataclass(frozen=True)
class ServiceNames:
    """The names from which those of a service's resources follow."""

    service: str
    instance: str = ""
    """Key of the Cloud SQL instance; "" without a database."""
    database: str = ""
    """Name of the database in the instance."""

    @property
    def components(self) -> frozenset[tuple[str, str]]:
        """Types and names of the components that are of this service alone."""
        names = {
            ("atwork:tenant:Tenant", f"tenant-{self.service}"),
            ("atwork:secrets:Secrets", f"secrets-{self.service}"),
            ("atwork:redis:Redis", f"redis-{self.service}"),
            ("atwork:service:ServiceFacts", f"service-{self.service}"),
            ("atwork:service_rights:ServiceRights", f"rights-{self.service}"),
            ("atwork:objectives:Objectives", f"slo-{self.service}"),
        }
        return frozenset(names | ({self.database_component} if self.instance else set()))

    @property
    def database_component(self) -> tuple[str, str]:
        """Type and name of the component of the database in a group's stack."""
        return (DATABASE_OF_SERVICE, self._login)

    @property
    def in_instance(self) -> tuple[str, str]:
        """Type and name of the component of the instance in the environment's stack."""
        return (_INSTANCE, f"database-{self.instance}")

    @property
    def names_in_instance(self) -> Mapping[str, str]:
        """Names of the resources in the component of the instance, each with its name in a group's stack."""
        if not self.instance:
            return {}
        names = {f"{self._login}-{end}": f"{self._login}-{end}" for end in _LOGIN}
        return {f"database-{self.instance}-{self.database}": f"{self._login}-database"} | names

    @property
    def names_in_group(self) -> Mapping[str, str]:
        """The other way round."""
        return {new: old for old, new in self.names_in_instance.items()}

    @property
    def _login(self) -> str:
        return f"database-{self.instance}-{self.service}"
