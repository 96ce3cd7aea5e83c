"""Who may do what in databases, asked of a real PostgreSQL 18 whose roles are those of Cloud SQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from support.postgres import cloud_sql

from atwork.errors import SandboxError
from atwork.pipeline.cloud_sql import CloudSqlInstance, CloudSqlUser
from components.postgres_rights import ADMINISTRATOR_ROLE, DatabaseRoles, administrator_statements, login_statements

pytestmark = [pytest.mark.usefixtures("containers"), pytest.mark.engine]

ADMIN = "database-admin@acme.iam"
ORDERS, STOCK, SHOP = (f"{name}-sql@acme.iam" for name in ("orders", "stock", "shop"))
READERS, WRITERS = "readers@example.com", "writers@example.com"
DATABASES = ("orders", "stock", "early", "foreign")


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudSqlInstance]:
    folder = tmp_path_factory.mktemp("postgres")
    users = [CloudSqlUser(name) for name in (ORDERS, STOCK, SHOP)]
    groups = [CloudSqlUser(name, "CLOUD_IAM_GROUP") for name in (READERS, WRITERS)]
    with cloud_sql(folder, DATABASES, [CloudSqlUser(ADMIN, roles=(ADMINISTRATOR_ROLE,)), *users, *groups]) as server:
        yield server
    shutil.rmtree(folder)


def give(server: CloudSqlInstance, database: str, login: str, *, readers: tuple[str, ...] = (READERS,)) -> None:
    """What the two Jobs of a service run."""
    server.run(ADMIN, database, administrator_statements(database, [login], [WRITERS], readers))
    server.run(login, database, login_statements(database))


def refused(server: CloudSqlInstance, user: str, database: str, statement: str) -> str:
    with pytest.raises(SandboxError) as error:
        server.run(user, database, statement)
    return str(error.value)


def test_the_server_is_of_the_version_that_the_platform_runs(instance: CloudSqlInstance) -> None:
    assert instance.run(ADMIN, "postgres", "SHOW server_version_num").startswith("18")


def test_without_rights_a_login_cannot_create_a_table_and_cannot_give_them_to_itself(
    instance: CloudSqlInstance,
) -> None:
    assert "permission denied for schema public" in refused(instance, STOCK, "stock", "CREATE TABLE t ()")
    assert "permission denied" in refused(instance, STOCK, "stock", f"SET ROLE {ADMINISTRATOR_ROLE}")


def test_a_service_creates_tables_in_its_own_database_and_in_no_other(instance: CloudSqlInstance) -> None:
    give(instance, "orders", ORDERS)
    give(instance, "stock", STOCK)
    instance.run(ORDERS, "orders", "CREATE TABLE items (id serial PRIMARY KEY, name text)")
    instance.run(ORDERS, "orders", "ALTER TABLE items ADD at timestamptz; CREATE SCHEMA more; CREATE TABLE more.t ()")
    assert "permission denied for database" in refused(instance, ORDERS, "stock", "CREATE TABLE t ()")
    assert "permission denied for database" in refused(instance, STOCK, "orders", "SELECT * FROM items")
    assert "permission denied for schema public" in refused(instance, ORDERS, "postgres", "CREATE TABLE t ()")


def test_readers_read_and_writers_write_what_is_created_later_too(instance: CloudSqlInstance) -> None:
    give(instance, "orders", ORDERS)
    instance.run(ORDERS, "orders", "CREATE SCHEMA later; CREATE TABLE later.notes (id serial, text text)")
    instance.run(WRITERS, "orders", "INSERT INTO later.notes (text) VALUES ('a'); UPDATE later.notes SET text = 'b'")
    assert instance.run(READERS, "orders", "SELECT text FROM later.notes") == "b"
    for statement in (
        "INSERT INTO later.notes (text) VALUES ('c')",
        "DELETE FROM later.notes",
        "CREATE TABLE t ()",
        "SET ROLE orders_owner",
    ):
        assert "permission denied" in refused(instance, READERS, "orders", statement)
    for statement in ("DROP TABLE later.notes", "ALTER TABLE later.notes ADD more text", "CREATE TABLE t ()"):
        assert refused(instance, WRITERS, "orders", statement)


def test_a_second_run_changes_nothing(instance: CloudSqlInstance) -> None:
    give(instance, "orders", ORDERS)
    catalog = (
        "SELECT (SELECT array_agg(a ORDER BY a) FROM (SELECT roleid::regrole || ' ' || member::regrole AS a "
        "FROM pg_auth_members) m), (SELECT array_agg(datacl::text ORDER BY datname) FROM pg_database), "
        "(SELECT array_agg(nspacl::text ORDER BY nspname) FROM pg_namespace), (SELECT array_agg(d::text) FROM "
        "pg_default_acl d), (SELECT array_agg(s::text) FROM pg_db_role_setting s)"
    )
    before = instance.run(ADMIN, "orders", catalog)
    give(instance, "orders", ORDERS)
    assert instance.run(ADMIN, "orders", catalog) == before


def test_a_group_that_is_removed_reads_nothing_more(instance: CloudSqlInstance) -> None:
    give(instance, "stock", STOCK)
    instance.run(STOCK, "stock", "CREATE TABLE IF NOT EXISTS parts ()")
    instance.run(READERS, "stock", "SELECT * FROM parts")
    give(instance, "stock", STOCK, readers=())
    assert "permission denied for database" in refused(instance, READERS, "stock", "SELECT * FROM parts")


def test_a_service_with_another_name_keeps_the_tables_and_the_old_login_loses_them(instance: CloudSqlInstance) -> None:
    give(instance, "stock", STOCK)
    instance.run(STOCK, "stock", "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    give(instance, "stock", SHOP)
    instance.run(SHOP, "stock", "ALTER TABLE kept ADD more text")
    assert instance.run(SHOP, "stock", "SELECT n FROM kept") == "7"
    assert "permission denied for database" in refused(instance, STOCK, "stock", "SELECT n FROM kept")


def test_tables_of_a_login_from_before_become_the_owners(instance: CloudSqlInstance) -> None:
    instance.run(ADMIN, "early", f'SET ROLE {ADMINISTRATOR_ROLE}; GRANT CREATE ON SCHEMA public TO "{ORDERS}"')
    instance.run(ORDERS, "early", "CREATE TABLE old (n int); INSERT INTO old VALUES (1)")
    give(instance, "early", ORDERS)
    instance.run(ORDERS, "early", "ALTER TABLE old ADD more text")
    assert instance.run(READERS, "early", "SELECT n FROM old") == "1"


def test_a_database_of_somebody_else_is_one_clear_error_and_nothing_changes(instance: CloudSqlInstance) -> None:
    instance.run("postgres", "postgres", f'ALTER DATABASE "foreign" OWNER TO "{WRITERS}"')
    error = refused(instance, ADMIN, "foreign", administrator_statements("foreign", [SHOP], [], []))
    assert f"database foreign belongs to {WRITERS}: run ALTER DATABASE foreign OWNER TO cloudsqlsuperuser" in error
    assert instance.run(ADMIN, "postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'foreign_owner'") == "0"


def test_a_login_that_does_not_exist_fails(instance: CloudSqlInstance) -> None:
    statements = administrator_statements("orders", ["nobody@acme.iam"], [], [])
    assert 'role "nobody@acme.iam" does not exist' in refused(instance, ADMIN, "orders", statements)


def test_names_of_roles_are_short_enough_and_differ() -> None:
    long = ["a" * 63, "a" * 62 + "b"]
    names = [name for database in long for name in vars(DatabaseRoles.of(database)).values()]
    assert max(map(len, names)) <= 63
    assert len(set(names)) == 6
