# ruff: noqa: S608 (names and values are quoted below)
"""Rights in a MySQL database of Cloud SQL, as SQL that may run any number of times. Plain data.

Cloud SQL gives users of IAM no rights. MySQL grants them on a database, for all of its tables, also those that
are created later. Tables have no owner, so that a login with another name works with them and no role is needed.
https://docs.cloud.google.com/sql/docs/mysql/add-manage-iam-users
https://dev.mysql.com/doc/refman/8.4/en/grant.html

Traps:
- `_` and `%` in the name of a database are wildcards in GRANT and are escaped. With `partial_revokes` they stand
  for themselves, and an escaped name is another one. Hence the server, which knows its setting, composes statements.
- A group of people is the account `NAME`@`DOMAIN`, a service account is the part before the @ at `%`.
- Roles of a login count after SET ROLE, unless they are its default.
- A view or a routine runs as the account that created it, and fails when that account is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

LONGEST_GROUP = 32
"""Characters of a group before the @, which is the name of an account."""

_ALL = (
    "ALTER, ALTER ROUTINE, CREATE, CREATE ROUTINE, CREATE TEMPORARY TABLES, CREATE VIEW, DELETE, DROP, EVENT, EXECUTE, "
    "INDEX, INSERT, LOCK TABLES, REFERENCES, SELECT, SHOW VIEW, TRIGGER, UPDATE"
)
"""The rights of a login. https://dev.mysql.com/doc/refman/8.4/en/privileges-provided.html"""

_READ = "SELECT, SHOW VIEW"
_WRITE = "DELETE, INSERT, SELECT, SHOW VIEW, UPDATE"

_OF_WRITERS = ("Delete_priv", "Insert_priv", "Update_priv")
_OF_LOGINS = (
    "Alter_priv",
    "Alter_routine_priv",
    "Create_priv",
    "Create_routine_priv",
    "Create_tmp_table_priv",
    "Create_view_priv",
    "Drop_priv",
    "Event_priv",
    "Execute_priv",
    "Grant_priv",
    "Index_priv",
    "Lock_tables_priv",
    "References_priv",
    "Trigger_priv",
)
"""Columns of mysql.db."""

_RUN = "PREPARE statement FROM @statement;\nEXECUTE statement;\nDEALLOCATE PREPARE statement;\n"

_Account = tuple[str, str]


def statements(database: str, login: str, writers: Iterable[str], readers: Iterable[str]) -> str:
    """What the administrator runs: the login may do everything in the database, and groups read or write rows.

    An account that is not named, or that has more rights than its own, loses all of them first.
    """
    writing = {_account(group) for group in writers}
    reading = {_account(group) for group in readers} - writing
    escaped = database.replace("_", "\\_").replace("%", "\\%")
    return f"""\
SET ROLE ALL;
SET SESSION group_concat_max_len = 1000000;
SET @database = IF(@@GLOBAL.partial_revokes, {_text(database)}, {_text(escaped)});
SET @place = CONCAT(' ON `', REPLACE(@database, '`', '``'), '`.* ');
SET @others = (
  SELECT GROUP_CONCAT(CONCAT(QUOTE(User), '@', QUOTE(Host)) SEPARATOR ', ') FROM mysql.db
  WHERE Db = @database AND NOT (
    (User, Host) = {_row((login, "%"))}
    OR {_with_no_more(writing, _OF_LOGINS)}
    OR {_with_no_more(reading, (*_OF_LOGINS, *_OF_WRITERS))}
  )
);
SET @statement = IF(@others IS NULL, 'DO 0', CONCAT('REVOKE ALL', @place, 'FROM ', @others));
{_RUN}{_grant(_ALL, (login, "%"))}\
{"".join(_grant(_WRITE, account) for account in sorted(writing))}\
{"".join(_grant(_READ, account) for account in sorted(reading))}"""


def _with_no_more(accounts: Collection[_Account], columns: Iterable[str]) -> str:
    """Whether a row is one of these accounts, without the rights in these columns."""
    if not accounts:
        return "FALSE"
    return f"((User, Host) IN ({', '.join(map(_row, sorted(accounts)))}) AND 'Y' NOT IN ({', '.join(columns)}))"


def _grant(rights: str, account: _Account) -> str:
    user, host = account
    return f"SET @statement = CONCAT('GRANT {rights}', @place, {_text(f'TO {_text(user)}@{_text(host)}')});\n{_RUN}"


def _account(group: str) -> _Account:
    user, _, host = group.partition("@")
    return user, host


def _row(account: _Account) -> str:
    return f"({', '.join(map(_text, account))})"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
