# ruff: noqa: S608 (names and values are quoted below)
"""Rights in a PostgreSQL database of Cloud SQL, as SQL that may run any number of times. Plain data.

Cloud SQL gives the databases that its API creates to `cloudsqlsuperuser`, which owns their schema `public` (since
PostgreSQL 15 through `pg_database_owner`), and an IAM login gets no role: it can connect and create nothing. The role
`cloudsqlsuperuser` has CREATEROLE and CREATEDB, which members have only after SET ROLE.
https://docs.cloud.google.com/sql/docs/postgres/users

Each database has three roles that nobody logs in as. The owner owns all objects, whoever creates them, so that a
service that moves to another login keeps its tables, and so that readers can read tables of later versions
(`ALTER DEFAULT PRIVILEGES` is for one creator). Two logins take turns:

- the administrator, a member of `cloudsqlsuperuser`, creates the roles and chooses their members;
- the login of the service becomes the owner at each connection. Since PostgreSQL 16 nobody but a superuser or the login
  itself can set this, because the administrator has no ADMIN option on roles that Cloud SQL created.

Traps: GRANT without the right to grant is a warning and no error, hence the check at the end. ALTER DATABASE … SET role
would be simpler and would also apply to Cloud SQL's own superuser, whose upgrades and backups need its rights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

ADMINISTRATOR_ROLE = "cloudsqlsuperuser"
"""The role of Cloud SQL that owns databases and schemas."""

_LONGEST = 63
"""Bytes of a name. https://www.postgresql.org/docs/18/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS"""


@dataclass(frozen=True)
class DatabaseRoles:
    """The roles of a database."""

    owner: str
    """May create, change and delete every object."""
    writer: str
    """May read and write rows."""
    reader: str
    """May read rows."""

    @classmethod
    def of(cls, database: str) -> DatabaseRoles:
        """The names of the roles, which are unique in the instance and short enough."""
        room = _LONGEST - len("_owner") - 1
        if len(database) > room:
            database = f"{database[: room - 9]}_{hashlib.sha256(database.encode()).hexdigest()[:8]}"
        return cls(f"{database}_owner", f"{database}_writer", f"{database}_reader")


def administrator_statements(
    database: str, owners: Iterable[str], writers: Iterable[str], readers: Iterable[str]
) -> str:
    """What the administrator runs in the database: roles, members, rights; other members lose the roles."""
    roles = DatabaseRoles.of(database)
    members = {roles.owner: sorted(owners), roles.writer: sorted(writers), roles.reader: sorted(readers)}
    name = _identifier(database)
    owner, writer, reader = (_identifier(role) for role in members)
    everybody = f"{owner}, {writer}, {reader}"
    return f"""\
SET ROLE {ADMINISTRATOR_ROLE};
DO $rights$
DECLARE
  role text;
  member text;
  wanted text[];
  options text := CASE WHEN current_setting('server_version_num')::int < 160000 THEN ''
    ELSE ' WITH INHERIT TRUE, SET TRUE' END;
BEGIN
  IF NOT pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') THEN
    RAISE EXCEPTION
      'database {database} belongs to %: run ALTER DATABASE {database} OWNER TO {ADMINISTRATOR_ROLE} as that role',
      (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database());
  END IF;
{"".join(_membership(role, logins) for role, logins in members.items())}END
$rights$;
RESET ROLE;
REVOKE ALL ON DATABASE {name} FROM PUBLIC;
GRANT CONNECT, TEMPORARY, CREATE ON DATABASE {name} TO {owner};
GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {writer}, {reader};
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
GRANT USAGE ON SCHEMA public TO {writer}, {reader};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT USAGE ON SCHEMAS TO {writer}, {reader};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {writer};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT USAGE, SELECT ON SEQUENCES TO {writer};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON TABLES TO {reader};
DO $check$
BEGIN
  IF NOT has_schema_privilege({_text(roles.owner)}, 'public', 'CREATE') THEN
    RAISE EXCEPTION
      'schema public of {database} belongs to %: run ALTER SCHEMA public OWNER TO {ADMINISTRATOR_ROLE} as that role',
      (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'public');
  END IF;
  RAISE NOTICE 'roles {everybody} are ready';
END
$check$;
"""


def login_statements(database: str) -> str:
    """What the login of a service runs: its objects become the owner's, as which it works from now on."""
    roles = DatabaseRoles.of(database)
    owner, writer, reader = (_identifier(role) for role in (roles.owner, roles.writer, roles.reader))
    return f"""\
SET ROLE NONE;
REASSIGN OWNED BY CURRENT_USER TO {owner};
ALTER ROLE CURRENT_USER IN DATABASE {_identifier(database)} SET role = {_text(roles.owner)};
SET ROLE {owner};
DO $existing$
DECLARE
  schema text;
BEGIN
  FOR schema IN SELECT nspname FROM pg_namespace
    WHERE nspname = 'public' OR pg_get_userbyid(nspowner) = {_text(roles.owner)}
  LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO {writer}, {reader}', schema);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO {writer}', schema);
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO {writer}', schema);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO {reader}', schema);
  END LOOP;
END
$existing$;
"""


def _membership(role: str, members: list[str]) -> str:
    return f"""\
  role := {_text(role)};
  wanted := ARRAY[{", ".join(_text(member) for member in members)}]::text[];
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
    EXECUTE format('CREATE ROLE %I NOLOGIN', role);
  END IF;
  FOR member IN SELECT pg_get_userbyid(m.member) FROM pg_auth_members m WHERE pg_get_userbyid(m.roleid) = role
  LOOP
    IF member <> ALL (wanted || '{ADMINISTRATOR_ROLE}'::text || session_user::text) THEN
      EXECUTE format('REVOKE %I FROM %I', role, member);
    END IF;
  END LOOP;
  FOREACH member IN ARRAY wanted || session_user::text
  LOOP
    EXECUTE format('GRANT %I TO %I', role, member) || options;
  END LOOP;
"""


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
