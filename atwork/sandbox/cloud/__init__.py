"""The simulated cloud: one SQLite file that survives restarts and serves several engines at once.

Secret values rest encrypted in it, by a key in a file beside it, so that the sandbox leaves no secret in clear on disk.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from atwork.engine.wire import SECRET
from atwork.errors import SandboxError

_FORMAT = 2
_APPLICATION = 0x61747764
"""What a file of ours has in SQLite's `application_id`."""
_RESET = "`atwork sandbox reset` throws the simulated cloud away"
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


class CloudCorrupt(SandboxError):
    """The file is not a sandbox cloud, or is damaged; the message names it and the way out."""


class AlreadyExists(Exception):
    """Another object has that identity."""


@dataclass(frozen=True)
class CloudObject:
    """One object: `scope` is "" for Google Cloud and the API server's address for Kubernetes."""

    scope: str
    type: str
    id: str
    urn: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


class _Connection(sqlite3.Connection):
    """A thread's own connection, closed with the thread: since Python 3.13 one that is only dropped is a warning."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it could not be opened
            self.close()


class Cloud:
    """All objects by scope, type and id. Safe for many threads and many processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.together() as database:
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
                raise CloudCorrupt(f"{path}: made by another version; {_RESET}")
            (kept,) = database.execute("SELECT EXISTS (SELECT 1 FROM objects)").fetchone()
        key = path.with_suffix(".key")
        if kept and not key.exists():
            raise CloudCorrupt(f"{key}: missing, and the secrets of {path.name} rest under it; {_RESET}")
        try:
            self._cipher = Fernet(_key(key))
        except ValueError:
            raise CloudCorrupt(f"{key}: not a key; {_RESET}") from None

    def create(self, made: CloudObject, links: set[str]) -> None:
        """Add an object and what it refers to; `AlreadyExists` where its identity is taken."""
        with self.together() as database:
            try:
                database.execute("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)", self._row(made))
            except sqlite3.IntegrityError:
                raise AlreadyExists(made.id) from None
            self._link(database, made, links)

    def update(self, changed: CloudObject, links: set[str]) -> None:
        """Replace the content of an object."""
        with self.together() as database:
            database.execute(
                "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET urn = excluded.urn, "
                "inputs = excluded.inputs, outputs = excluded.outputs",
                self._row(changed),
            )
            self._link(database, changed, links)

    def edit(self, changed: CloudObject) -> None:
        """Replace what an object is and says, and leave alone what it refers to."""
        _, _, _, _, inputs, outputs = self._row(changed)
        with self.together() as database:
            database.execute(
                "UPDATE objects SET inputs = ?, outputs = ? WHERE scope = ? AND type = ? AND id = ?",
                (inputs, outputs, changed.scope, changed.type, changed.id),
            )

    def get(self, scope: str, kind: str, identity: str) -> CloudObject | None:
        """One object, or nothing."""
        return next(self._select("scope = ? AND type = ? AND id = ?", (scope, kind, identity)), None)

    def holds(self, scope: str, identity: str) -> bool:
        """Whether an object of any type has that id, without reading it."""
        with self.together() as database:
            found = database.execute("SELECT 1 FROM objects WHERE scope = ? AND id = ?", (scope, identity)).fetchone()
        return found is not None

    def any_below(self, kind: str, prefix: str) -> bool:
        """Whether there is an object of a type whose id begins so."""
        query = "SELECT 1 FROM objects WHERE scope = '' AND type = ? AND substr(id, 1, ?) = ?"
        with self.together() as database:
            return database.execute(query, (kind, len(prefix), prefix)).fetchone() is not None

    def objects(self, scope: str | None = None, kind: str | None = None) -> list[CloudObject]:
        """All objects, of one scope or one type where that is said."""
        return list(self._select("(?1 IS NULL OR scope = ?1) AND (?2 IS NULL OR type = ?2)", (scope, kind)))

    def users_of(self, target: str) -> list[tuple[str, str]]:
        """Type and id of every object that refers to a target."""
        with self.together() as database:
            return database.execute("SELECT type, id FROM links WHERE target = ? ORDER BY 1, 2", (target,)).fetchall()

    def delete(self, scope: str, kind: str, identity: str) -> None:
        """Remove one object; nothing happens where it is gone already."""
        with self.together() as database:
            for table in ("objects", "links"):
                database.execute(
                    f"DELETE FROM {table} WHERE scope = ? AND type = ? AND id = ?",  # noqa: S608 (two fixed names)
                    (scope, kind, identity),
                )

    def release(self, one: CloudObject) -> None:
        """Keep an object that belongs to no stack any more: its identity stays taken."""
        with self.together() as database:
            database.execute(
                "UPDATE objects SET urn = '' WHERE scope = ? AND type = ? AND id = ?", (one.scope, one.type, one.id)
            )

    def delete_scope(self, scope: str) -> None:
        """Remove everything of one API server, as its cluster goes."""
        with self.together() as database:
            for table in ("objects", "links"):
                database.execute(f"DELETE FROM {table} WHERE scope = ?", (scope,))  # noqa: S608 (two fixed names)

    def _select(self, where: str, values: tuple[str | None, ...]) -> Iterator[CloudObject]:
        with self.together() as database:
            rows = database.execute(f"SELECT * FROM objects WHERE {where} ORDER BY 1, 2, 3", values).fetchall()  # noqa: S608 (fixed clauses)
        for scope, kind, identity, urn, inputs, outputs in rows:
            yield CloudObject(scope, kind, identity, urn, self._open(inputs), self._open(outputs))

    def _row(self, one: CloudObject) -> tuple[str, ...]:
        return (one.scope, one.type, one.id, one.urn, self._seal(one.inputs), self._seal(one.outputs))

    @staticmethod
    def _link(database: sqlite3.Connection, one: CloudObject, links: set[str]) -> None:
        database.execute("DELETE FROM links WHERE scope = ? AND type = ? AND id = ?", (one.scope, one.type, one.id))
        database.executemany(
            "INSERT INTO links VALUES (?, ?, ?, ?)", [(one.scope, one.type, one.id, link) for link in sorted(links)]
        )

    def _seal(self, value: Any) -> str:
        return json.dumps(self._walk(value, lambda text: self._cipher.encrypt(text.encode()).decode()))

    def _open(self, text: str) -> Any:
        try:
            return self._walk(json.loads(text), lambda sealed: self._cipher.decrypt(sealed.encode()).decode())
        except InvalidToken:
            raise CloudCorrupt(
                f"{self.path}: its secrets rest under another key than {self.path.stem}.key; {_RESET}"
            ) from None

    def _walk(self, value: Any, change: Any) -> Any:
        if isinstance(value, dict):
            if SECRET in value:
                inner = value["value"]
                text = inner["sealed"] if isinstance(inner, dict) and "sealed" in inner else json.dumps(inner)
                changed = change(text)
                opened = isinstance(inner, dict) and "sealed" in inner
                return {SECRET: value[SECRET], "value": json.loads(changed) if opened else {"sealed": changed}}
            return {key: self._walk(item, change) for key, item in value.items()}
        if isinstance(value, list):
            return [self._walk(item, change) for item in value]
        return value

    @contextmanager
    def together(self) -> Generator[sqlite3.Connection]:
        """Do all that is within as one step: what was looked at stays so until what was made is kept."""
        try:
            database: sqlite3.Connection | None = getattr(self._local, "database", None)
            if database is None:
                # No other thread uses it, but any may be the one that collects it.
                database = sqlite3.connect(
                    self.path, timeout=30, isolation_level=None, factory=_Connection, check_same_thread=False
                )
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("PRAGMA synchronous = NORMAL")
                self._local.database = database
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
            raise CloudCorrupt(f"{self.path}: {error}; {_RESET}") from error


def _key(path: Path) -> bytes:
    """The key beside the file; made whole by whoever comes first, so that two at once end with the same."""
    if not path.exists():
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", delete=False) as file:
            file.write(Fernet.generate_key())
        with suppress(FileExistsError):
            os.link(file.name, path)
        Path(file.name).unlink()
    return path.read_bytes()
