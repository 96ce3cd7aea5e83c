"""The file of the simulated cloud."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from atwork.sandbox.cloud.encryption import SecretCipher
from atwork.sandbox.cloud.objects import RESET, AlreadyExists, CloudCorrupt, CloudObject

_FORMAT = 2
_APPLICATION = 0x61747764
"""SQLite's `application_id` of the sandbox's files."""
_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    scope TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, urn TEXT NOT NULL,
    inputs TEXT NOT NULL, outputs TEXT NOT NULL, PRIMARY KEY (scope, type, id));
CREATE TABLE IF NOT EXISTS links (
    scope TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, target TEXT NOT NULL,
    PRIMARY KEY (scope, type, id, target)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_by_urn ON objects (urn);
CREATE INDEX IF NOT EXISTS objects_by_id ON objects (scope, id);
CREATE INDEX IF NOT EXISTS links_by_target ON links (target);
"""


class _Connection(sqlite3.Connection):
    """The connection of a thread, closed with the thread: Python 3.13 warns of one that is only dropped."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it could not be opened
            self.close()


class Cloud:
    """All objects by scope, type and id. Safe for many threads and many processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.transaction() as database:
            if not database.execute("SELECT EXISTS (SELECT 1 FROM sqlite_master)").fetchone()[0]:
                for statement in filter(str.strip, _TABLES.split(";")):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {_FORMAT}")
                database.execute(f"PRAGMA application_id = {_APPLICATION}")
            (application,) = database.execute("PRAGMA application_id").fetchone()
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if (application, version) not in ((_APPLICATION, _FORMAT), (0, 1)):
                raise CloudCorrupt(f"{path}: a database, but no sandbox's; move it away")
            if version != _FORMAT:
                raise CloudCorrupt(f"{path}: made by another version; {RESET}")
            (has_objects,) = database.execute("SELECT EXISTS (SELECT 1 FROM objects)").fetchone()
        self._cipher = SecretCipher(path, has_objects=bool(has_objects))

    def create(self, created: CloudObject, references: set[str]) -> None:
        """Add an object and its references; `AlreadyExists` if its identity is taken."""
        with self.transaction() as database:
            try:
                database.execute("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)", self._row(created))
            except sqlite3.IntegrityError:
                raise AlreadyExists(created.id) from None
            self._set_references(database, created, references)

    def update(self, updated: CloudObject, references: set[str]) -> None:
        """Replace an object and its references, or add it."""
        with self.transaction() as database:
            database.execute(
                "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET urn = excluded.urn, "
                "inputs = excluded.inputs, outputs = excluded.outputs",
                self._row(updated),
            )
            self._set_references(database, updated, references)

    def edit(self, edited: CloudObject) -> None:
        """Replace inputs and outputs of an object and keep its references."""
        *_, inputs, outputs = self._row(edited)
        with self.transaction() as database:
            database.execute(
                "UPDATE objects SET inputs = ?, outputs = ? WHERE scope = ? AND type = ? AND id = ?",
                (inputs, outputs, edited.scope, edited.type, edited.id),
            )

    def get(self, scope: str, token: str, identity: str) -> CloudObject | None:
        """An object; None if it does not exist."""
        return next(self._select("scope = ? AND type = ? AND id = ?", (scope, token, identity)), None)

    def exists(self, scope: str, identity: str) -> bool:
        """Whether an object of any type has an id, without reading it."""
        query = "SELECT 1 FROM objects WHERE scope = ? AND id = ?"
        with self.transaction() as database:
            return database.execute(query, (scope, identity)).fetchone() is not None

    def any_with_prefix(self, token: str, prefix: str) -> bool:
        """Whether an object of a type in Google Cloud has an id with a prefix."""
        query = "SELECT 1 FROM objects WHERE scope = '' AND type = ? AND substr(id, 1, ?) = ?"
        with self.transaction() as database:
            return database.execute(query, (token, len(prefix), prefix)).fetchone() is not None

    def objects(self, scope: str | None = None, token: str | None = None) -> list[CloudObject]:
        """All objects, or those of a scope or of a type."""
        return list(self._select("(?1 IS NULL OR scope = ?1) AND (?2 IS NULL OR type = ?2)", (scope, token)))

    def referrers(self, target: str) -> list[tuple[str, str]]:
        """Type and id of all objects that refer to a target."""
        with self.transaction() as database:
            return database.execute("SELECT type, id FROM links WHERE target = ? ORDER BY 1, 2", (target,)).fetchall()

    def delete(self, scope: str, token: str, identity: str) -> None:
        """Delete an object; nothing happens if it does not exist."""
        with self.transaction() as database:
            for table in ("objects", "links"):
                database.execute(
                    f"DELETE FROM {table} WHERE scope = ? AND type = ? AND id = ?",  # noqa: S608 (two fixed names)
                    (scope, token, identity),
                )

    def assign(self, assigned: CloudObject, urn: str) -> None:
        """Give an object another URN, or none if it belongs to no stack any more: its identity stays taken."""
        with self.transaction() as database:
            database.execute(
                "UPDATE objects SET urn = ? WHERE scope = ? AND type = ? AND id = ?",
                (urn, assigned.scope, assigned.type, assigned.id),
            )

    def delete_scope(self, scope: str) -> None:
        """Delete everything of an API server whose cluster is deleted."""
        with self.transaction() as database:
            for table in ("objects", "links"):
                database.execute(f"DELETE FROM {table} WHERE scope = ?", (scope,))  # noqa: S608 (two fixed names)

    def _select(self, where: str, values: tuple[str | None, ...]) -> Iterator[CloudObject]:
        query = f"SELECT * FROM objects WHERE {where} ORDER BY 1, 2, 3"  # noqa: S608 (fixed clauses)
        with self.transaction() as database:
            rows = database.execute(query, values).fetchall()
        load = self._cipher.load
        for scope, token, identity, urn, inputs, outputs in rows:
            yield CloudObject(scope, token, identity, urn, load(inputs), load(outputs))

    def _row(self, stored: CloudObject) -> tuple[str, ...]:
        inputs, outputs = self._cipher.dump(stored.inputs), self._cipher.dump(stored.outputs)
        return (stored.scope, stored.type, stored.id, stored.urn, inputs, outputs)

    @staticmethod
    def _set_references(database: sqlite3.Connection, source: CloudObject, references: set[str]) -> None:
        key = (source.scope, source.type, source.id)
        database.execute("DELETE FROM links WHERE scope = ? AND type = ? AND id = ?", key)
        database.executemany(
            "INSERT INTO links VALUES (?, ?, ?, ?)", [(*key, reference) for reference in sorted(references)]
        )

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Run the block in one transaction; nested blocks belong to the outer one."""
        try:
            database = self._connection()
            if database.in_transaction:
                yield database
                return
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            raise CloudCorrupt(f"{self.path}: {error}; {RESET}") from error

    def _connection(self) -> sqlite3.Connection:
        """The connection of this thread. Only this thread uses it, but any thread may garbage-collect it."""
        database: sqlite3.Connection | None = getattr(self._local, "database", None)
        if database is None:
            database = sqlite3.connect(
                self.path, timeout=30, isolation_level=None, factory=_Connection, check_same_thread=False
            )
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            self._local.database = database
        return database
