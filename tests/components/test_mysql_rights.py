"""Who may do what in databases of MySQL, asked of a real server whose accounts are those of Cloud SQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from support.mysql import MySqlServer, cloud_sql

from atwork.errors import SandboxError
from components.mysql_rights import statements

pytestmark = [pytest.mark.usefixtures("containers"), pytest.mark.engine]

ADMIN = "database-admin"
READERS, WRITERS = "readers@example.com", "writers@example.com"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MySqlServer]:
    folder = tmp_path_factory.mktemp("mysql")
    with cloud_sql(
        folder,
        administrator=ADMIN,
        databases=("orders", "a_b", "axb", "c_d", "cxd"),
        logins=("orders-sql", "shop-sql", "a-b-sql", "ann", "bob"),
        groups=(READERS, WRITERS),
    ) as running:
        # Members of a group get its account as a role at their first login.
        members = {"ann": READERS, "bob": WRITERS}
        for person, group in members.items():
            name, _, domain = group.partition("@")
            running.run("root", f"GRANT '{name}'@'{domain}' TO {person}; SET DEFAULT ROLE ALL TO {person};")
        yield running
    shutil.rmtree(folder)


def give(
    server: MySqlServer, database: str, login: str, *, writers: tuple[str, ...] = (), readers: tuple[str, ...] = ()
) -> None:
    server.run(ADMIN, statements(database, login, writers, readers))


def refused(server: MySqlServer, user: str, statement: str) -> str:
    with pytest.raises(SandboxError) as error:
        server.run(user, statement)
    return str(error.value)


def test_without_rights_a_login_reaches_nothing(server: MySqlServer) -> None:
    assert "Access denied for user 'shop-sql'@'%' to database 'orders'" in refused(
        server, "shop-sql", "USE orders; CREATE TABLE x (id int)"
    )


def test_a_service_creates_tables_in_its_own_database_and_in_no_other(server: MySqlServer) -> None:
    give(server, "orders", "orders-sql")
    server.run("orders-sql", "USE orders; CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t ADD v int; DROP TABLE t;")
    for statement in ("CREATE TABLE axb.t (id int)", "SELECT * FROM mysql.user", "CREATE DATABASE other"):
        assert "denied" in refused(server, "orders-sql", statement)
    assert "denied" in refused(server, "orders-sql", "GRANT SELECT ON orders.* TO ann")


@pytest.mark.parametrize(("database", "partial"), [("a_b", "OFF"), ("c_d", "ON")])
def test_an_underscore_in_the_name_of_a_database_stands_for_itself(
    database: str, partial: str, server: MySqlServer
) -> None:
    server.run("root", f"SET GLOBAL partial_revokes = {partial}")
    give(server, database, "a-b-sql")
    server.run("a-b-sql", f"CREATE TABLE {database}.t (id int)")
    neighbor = database.replace("_", "x")
    assert "denied" in refused(server, "a-b-sql", f"CREATE TABLE {neighbor}.t (id int)")
    give(server, database, "shop-sql")  # and its rights are found again
    assert "denied" in refused(server, "a-b-sql", f"DROP TABLE {database}.t")


def test_readers_read_and_writers_write_what_is_created_later_too(server: MySqlServer) -> None:
    give(server, "orders", "orders-sql", writers=(WRITERS,), readers=(READERS, WRITERS))
    server.run("orders-sql", "USE orders; CREATE TABLE later (id int); INSERT INTO later VALUES (1)")
    assert server.run("ann", "SELECT id FROM orders.later") == "id\n1"
    server.run("bob", "INSERT INTO orders.later VALUES (2); DELETE FROM orders.later WHERE id = 1")
    assert "denied" in refused(server, "ann", "INSERT INTO orders.later VALUES (3)")
    assert "denied" in refused(server, "bob", "CREATE TABLE orders.own (id int)")


def test_a_second_run_changes_nothing(server: MySqlServer) -> None:
    def rights() -> str:
        return server.run("root", "SELECT * FROM mysql.db ORDER BY Db, User, Host")

    give(server, "orders", "orders-sql", writers=(WRITERS,), readers=(READERS,))
    before = rights()
    give(server, "orders", "orders-sql", writers=(WRITERS,), readers=(READERS,))
    assert rights() == before


def test_a_writer_who_becomes_a_reader_writes_nothing_more(server: MySqlServer) -> None:
    give(server, "orders", "orders-sql", writers=(WRITERS,))
    give(server, "orders", "orders-sql", readers=(WRITERS,))
    server.run("bob", "SELECT * FROM orders.later")
    assert "denied" in refused(server, "bob", "DELETE FROM orders.later")


def test_who_is_no_longer_named_loses_all_rights(server: MySqlServer) -> None:
    give(server, "orders", "orders-sql", readers=(READERS, WRITERS))
    give(server, "orders", "shop-sql")
    server.run("shop-sql", "INSERT INTO orders.later VALUES (5)")  # tables have no owner
    for user in ("orders-sql", "ann", "bob"):
        assert "denied" in refused(server, user, "SELECT * FROM orders.later")


def test_a_login_that_does_not_exist_fails(server: MySqlServer) -> None:
    assert "You are not allowed to create a user with GRANT" in refused(
        server, ADMIN, statements("orders", "missing-sql", [], [])
    )
