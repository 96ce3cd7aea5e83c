"""A MySQL in a container, with the administrator and the accounts that Cloud SQL sets up."""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from support.data_stores import running

from atwork.containers.container import Container
from atwork.containers.errors import ContainerError
from atwork.containers.stand_ins import StandIn, make
from atwork.errors import SandboxError
from components.sql_client import mysql

_RECIPE = StandIn(
    ("mysql-client-core", "mysql-server-core"),
    r"""
groupadd --gid 999 mysql && useradd --uid 999 --gid 999 --home-dir /var/lib/mysql --no-create-home mysql
mkdir -p /var/lib/mysql && chown mysql:mysql /var/lib/mysql
cat > /usr/local/bin/docker-entrypoint.sh <<'END'
#!/bin/sh -e
[ "$1" = mysqld ] || set -- mysqld "$@"
set -- "$@" --datadir=/var/lib/mysql --socket=/var/lib/mysql/socket --pid-file=/var/lib/mysql/pid --mysqlx=OFF \
  --secure-file-priv=NULL
if [ ! -d /var/lib/mysql/mysql ]; then
  mysqld --no-defaults --datadir=/var/lib/mysql --secure-file-priv=NULL --initialize-insecure
  cat > /var/lib/mysql/first.sql <<SQL
CREATE USER root@'%';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS ${MYSQL_DATABASE:-test};
SQL
  set -- "$@" --init-file=/var/lib/mysql/first.sql
fi
exec "$@"
END
""",
    {
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        "Entrypoint": ["docker-entrypoint.sh"],
        "Cmd": ["mysqld"],
    },
    debian="sid",  # the only release with MySQL: the long-term one after that of Cloud SQL
)
"""MySQL from Debian's packages. Tests alone use it, because its release of Debian changes every day."""

_EVERYWHERE = (
    "ALTER, ALTER ROUTINE, CREATE, CREATE ROLE, CREATE ROUTINE, CREATE TEMPORARY TABLES, CREATE USER, CREATE VIEW, DELETE, "
    "DROP, DROP ROLE, EVENT, EXECUTE, INDEX, INSERT, LOCK TABLES, PROCESS, REFERENCES, RELOAD, REPLICATION CLIENT, "
    "REPLICATION SLAVE, SELECT, SHOW DATABASES, SHOW VIEW, TRIGGER, UPDATE"
)
"""Of cloudsqlsuperuser. https://docs.cloud.google.com/sql/docs/mysql/users"""

_SETUP = f"""
CREATE ROLE cloudsqlsuperuser;
GRANT {_EVERYWHERE} ON *.* TO cloudsqlsuperuser WITH GRANT OPTION;
"""


@dataclass(frozen=True)
class MySqlServer:
    """A running server, which trusts every account, as after a login by IAM."""

    container: Container

    def run(self, user: str, statements: str) -> str:
        """Run the command of a Job, and return the rows; `SandboxError` has the error of the server."""
        process = self.container.start(mysql(statements, user, "").command, output=subprocess.PIPE)
        output = process.communicate()[0]
        if process.returncode:
            raise SandboxError(output.strip())
        return output.strip()


@contextmanager
def cloud_sql(
    folder: Path, *, administrator: str, databases: Iterable[str], logins: Iterable[str], groups: Iterable[str]
) -> Generator[MySqlServer]:
    """An instance with databases, logins and groups of IAM, until the end.

    Its administrator has the role and not by default, so that what works here needs no more than Cloud SQL gives.
    """
    try:
        layout = make("mysql", _RECIPE, Console(stderr=True))
    except ContainerError as error:  # the packages are of Debian's development release, which is not always complete
        pytest.skip(str(error))
    with running("mysql", layout, folder) as container:
        server = MySqlServer(container)
        accounts = [f"CREATE USER '{name}'@'%';" for name in (administrator, *logins)]
        accounts += [f"CREATE ROLE '{group.replace('@', chr(39) + '@' + chr(39))}';" for group in groups]
        accounts += [f"CREATE DATABASE `{name}`;" for name in databases]
        server.run("root", "\n".join([_SETUP, *accounts, f"GRANT cloudsqlsuperuser TO '{administrator}'@'%';"]))
        yield server
