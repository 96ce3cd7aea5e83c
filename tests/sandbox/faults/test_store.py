"""Faults outlive the process that added them, and are counted for all engines together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from atwork.errors import SandboxError, UsageError
from atwork.sandbox.faults.model import Call, Effect, Fault
from atwork.sandbox.faults.store import FaultStore

CALL = Call("create", "urn:pulumi:ci::atwork::gcp:compute/network:Network::vpc")


def test_without_a_fault_there_is_no_file(tmp_path: Path) -> None:
    store = FaultStore(tmp_path / "faults.sqlite")
    assert store.count(CALL) == []
    assert store.all() == []
    assert store.clear() == 0
    assert not store.path.exists()


def test_another_process_reads_the_fault_and_its_hits(tmp_path: Path) -> None:
    path = tmp_path / "faults.sqlite"
    number = FaultStore(path).add(Fault(effect=Effect.fail, nth=2))
    assert [bool(FaultStore(path).count(CALL)) for _ in range(3)] == [False, True, False]
    [kept] = FaultStore(path).all()
    assert (kept.number, kept.seen, kept.hits) == (number, 3, 1)


def test_concurrent_calls_count_every_hit(tmp_path: Path) -> None:
    path = tmp_path / "faults.sqlite"
    FaultStore(path).add(Fault(effect=Effect.fail, nth=7))
    with ThreadPoolExecutor(8) as pool:
        met = list(pool.map(lambda _: len(FaultStore(path).count(CALL)), range(40)))
    assert sum(met) == 1
    assert FaultStore(path).all()[0].seen == 40


def test_remove_and_clear(tmp_path: Path) -> None:
    store = FaultStore(tmp_path / "faults.sqlite")
    first, second = store.add(Fault(effect=Effect.fail)), store.add(Fault(effect=Effect.slow))
    store.remove(first)
    assert [item.number for item in store.all()] == [second]
    with pytest.raises(UsageError, match=rf"no fault {first}: there are {second} "):
        store.remove(first)
    assert store.clear() == 1
    with pytest.raises(UsageError, match="there are none"):
        store.remove(second)


def test_a_damaged_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "faults.sqlite"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(SandboxError, match=r"faults\.sqlite: .*remove the file"):
        FaultStore(path).count(CALL)
