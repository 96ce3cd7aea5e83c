"""The simulated cloud: what is kept, what is refused, and that no secret rests in clear."""

from __future__ import annotations

import gc
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from atwork.sandbox.cloud import AlreadyExists, Cloud, CloudCorrupt, CloudObject
from atwork.sandbox.provider.values import secret


def thing(identity: str, **inputs: object) -> CloudObject:
    return CloudObject("", "gcp:x/y:Z", identity, f"urn:{identity}", dict(inputs), {"id": identity})


def test_objects_survive_a_restart(tmp_path: Path) -> None:
    Cloud(tmp_path / "cloud.sqlite").create(thing("a", size=3), {"b"})
    again = Cloud(tmp_path / "cloud.sqlite")
    assert again.get("", "gcp:x/y:Z", "a") == thing("a", size=3)
    assert again.referrers("b") == [("gcp:x/y:Z", "a")]


def test_an_id_can_be_created_only_once(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "cloud.sqlite")
    cloud.create(thing("a"), set())
    with pytest.raises(AlreadyExists, match="a"):
        cloud.create(thing("a"), set())


def test_an_id_exists_independent_of_the_type(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "cloud.sqlite")
    cloud.create(thing("a"), set())
    assert cloud.exists("", "a")
    assert not cloud.exists("https://c", "a")
    assert not cloud.exists("", "b")


def test_many_writers_share_one_file(tmp_path: Path) -> None:
    clouds = [Cloud(tmp_path / "cloud.sqlite") for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: clouds[n % 4].create(thing(f"n{n}"), {"shared"}), range(80)))
    assert len(clouds[0].objects()) == 80
    assert len(clouds[3].referrers("shared")) == 80


def test_two_concurrent_first_uses_get_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "cloud.sqlite"
    with ThreadPoolExecutor(8) as pool:
        clouds = list(pool.map(lambda _: Cloud(path), range(8)))
    for number, cloud in enumerate(clouds):
        cloud.create(thing(f"n{number}", password=secret("hidden")), set())
    assert len(clouds[0].objects()) == 8
    assert sorted(item.name for item in tmp_path.iterdir() if "key" in item.name) == ["cloud.key"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"cloud\.key: missing, and the secrets of cloud\.sqlite rest under it; `atwork sandbox reset`"),
        (b"short", r"cloud\.key: not a key; `atwork sandbox reset`"),
        (b"A" * 43 + b"=", r"its secrets rest under another key than cloud\.key; `atwork sandbox reset`"),
    ],
)
def test_a_missing_or_wrong_key_is_reported(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "cloud.sqlite"
    Cloud(path).create(thing("a", password=secret("hidden")), set())
    key = path.with_suffix(".key")
    key.unlink()
    if content is not None:
        key.write_bytes(content)
    with pytest.raises(CloudCorrupt, match=message):
        Cloud(path).objects()


def test_secrets_are_encrypted_on_disk_and_decrypted_on_read(tmp_path: Path) -> None:
    path = tmp_path / "cloud.sqlite"
    created = thing("a", password=secret("correct-horse"), deep=[{"token": secret({"k": "battery-staple"})}])
    Cloud(path).create(created, set())
    raw = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"horse" not in raw
    assert b"staple" not in raw
    assert Cloud(path).get("", "gcp:x/y:Z", "a") == created


def test_a_scope_is_deleted_completely(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "cloud.sqlite")
    cloud.create(CloudObject("https://c", "t", "ns/a", "u1", {}, {}), {"x"})
    cloud.create(thing("a"), set())
    cloud.delete_scope("https://c")
    assert [item.id for item in cloud.objects()] == ["a"]
    assert cloud.referrers("x") == []


def test_the_error_of_a_damaged_file_names_file_and_fix(tmp_path: Path) -> None:
    path = tmp_path / "cloud.sqlite"
    path.write_bytes(b"this is no database at all, whatever its name says" * 50)
    with pytest.raises(CloudCorrupt, match=r"cloud\.sqlite: file is not a database; `atwork sandbox reset`"):
        Cloud(path)


def test_another_database_and_an_old_version_have_different_errors(tmp_path: Path) -> None:
    foreign, old = tmp_path / "foreign.sqlite", tmp_path / "old.sqlite"
    for path, statement in ((foreign, "CREATE TABLE songs (name)"), (old, "CREATE TABLE objects (id)")):
        with closing(sqlite3.connect(path)) as database:
            database.execute(statement)
            database.execute(f"PRAGMA user_version = {int(path == old)}")
    with pytest.raises(CloudCorrupt, match=r"foreign\.sqlite: a database, but no sandbox's; move it away"):
        Cloud(foreign)
    with pytest.raises(CloudCorrupt, match=r"old\.sqlite: made by another version; `atwork sandbox reset`"):
        Cloud(old)


def test_a_transaction_is_atomic(tmp_path: Path) -> None:
    cloud, other = Cloud(tmp_path / "cloud.sqlite"), Cloud(tmp_path / "cloud.sqlite")

    def make() -> None:
        with cloud.transaction():
            cloud.create(thing("a"), set())
            cloud.create(thing("b"), {"a"})
            raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        make()
    assert other.objects() == []


def test_a_cloud_without_references_closes_its_files(tmp_path: Path) -> None:
    """Python 3.13 warns of a connection that is only dropped, in whichever test the collector happens to run."""
    path = tmp_path / "cloud.sqlite"
    cloud = Cloud(path)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(cloud.objects).result() == []
    assert str(path) in {open_file.path for open_file in psutil.Process().open_files()}
    del cloud
    gc.collect()
    assert str(path) not in {open_file.path for open_file in psutil.Process().open_files()}
