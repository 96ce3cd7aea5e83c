"""Files next to a state, in a folder and in a bucket: the same answers of both."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.storage import Bucket

from atwork.locks import store as store_module
from atwork.locks.store import BucketStore, FolderStore, LockStore, StoreError, of

# Google's client leaves the response of a download that it repeats to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    fake = Bucket()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
    yield fake
    fake.stop()
    gc.collect()


@pytest.fixture(params=["folder", "bucket", "part of a bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, bucket: Bucket) -> LockStore:
    store = of({"folder": f"file://{tmp_path}", "bucket": "gs://state"}.get(request.param, "gs://state/team/one"))
    assert store is not None
    return store


def test_what_is_written_is_found_and_what_is_deleted_is_gone(store: LockStore) -> None:
    names = [f"locks/ci/{number}.json" for number in range(5)]
    for name in [*names, "locks/ci-2/other.json"]:
        store.write(name, name.encode())
    assert list(store.names("locks/ci")) == names, "all pages, and nothing of a stack whose name begins alike"
    assert store.read(names[3]) == names[3].encode()
    store.delete(names[3])
    store.delete(names[3])
    assert store.read(names[3]) is None
    assert list(store.names("locks/ci")) == [*names[:3], names[4]]
    assert list(store.names("nothing")) == []


def test_a_folder_knows_the_engines_notes_on_its_files(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.write("locks/a.json", b"{}")
    (tmp_path / "locks" / "a.json.attrs").write_text("{}")
    assert list(store.names("locks")) == ["locks/a.json"]
    store.delete("locks/a.json")
    assert list((tmp_path / "locks").iterdir()) == []


def test_a_bucket_is_asked_again_where_it_stumbles(bucket: Bucket) -> None:
    bucket.objects["x/a"] = b"1"
    bucket.fail = [503, 429]
    assert BucketStore("state").read("x/a") == b"1"
    bucket.fail = [503]
    BucketStore("state").delete("x/a")
    assert bucket.objects == {}


@pytest.mark.parametrize(
    ("code", "fix"), [(401, "gcloud auth application-default login"), (403, r"roles/storage\.objectViewer")]
)
def test_a_refusal_says_the_fix(code: int, fix: str, bucket: Bucket) -> None:
    bucket.fail = [code]
    with pytest.raises(StoreError, match=f"gs://state: Cloud Storage answered {code}; .*{fix}"):
        BucketStore("state").names("locks")


def test_no_such_bucket_and_nobody_there_are_errors(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="gs://other: Cloud Storage answered 404; bucket not found"):
        BucketStore("other").names("locks")
    monkeypatch.setattr(store_module, "_RETRY_SECONDS", 0.1)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:9")
    with pytest.raises(StoreError, match="gs://state is not reached: ConnectionError"):
        BucketStore("state").names("locks")


def test_without_a_login_the_error_has_the_fix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(StoreError, match="log in with `gcloud auth application-default login`"):
        BucketStore("state").names("locks")


@pytest.mark.parametrize("backend", ["s3://x", "azblob://x", "https://api.pulumi.com"])
def test_other_backends_are_not_read(backend: str) -> None:
    assert of(backend) is None
