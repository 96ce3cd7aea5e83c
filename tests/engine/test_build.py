"""Building the engine, with a `go` that only plays: who builds, who waits, what a killed build leaves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.console import Console

from atwork.engine import build
from atwork.engine.locate import Engine, EngineError

GO = """#!/bin/sh
case "$1" in
  env) echo go1.99.0;;
  list) printf 'a\\nb\\nc\\n';;
  build)
    echo built >> "$PLAYED"
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\necho %s\\n' "$ANSWER" > "$2"; chmod +x "$2";;
esac
"""


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with a line for each build."""
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(GO)
    go.chmod(0o755)
    monkeypatch.delenv("ATWORK_PULUMI", raising=False)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    monkeypatch.setenv("ATWORK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PLAYED", str(tmp_path / "played"))
    monkeypatch.setenv("ANSWER", build.PULUMI.version())
    return tmp_path / "played"


def test_it_is_built_once_and_then_found(played: Path) -> None:
    first = build.ensure(Console(quiet=True))
    assert first == build.ensure(Console(quiet=True))
    assert isinstance(first, Engine)
    assert (first.version, first.origin) == (build.PULUMI.version(), "built")
    assert played.read_text() == "built\n"


def test_of_two_at_once_one_builds_and_both_have_it(played: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        engines = list(pool.map(lambda _: build.ensure(Console(quiet=True)), range(2)))
    assert engines[0] == engines[1]
    assert played.read_text() == "built\n"


def test_what_a_killed_build_left_goes(played: Path, tmp_path: Path) -> None:
    folder = build.ensure(Console(quiet=True)).path.parent
    (folder / "pulumi").unlink()
    (folder / "pulumi.4711").write_bytes(b"half an engine")
    build.ensure(Console(quiet=True))
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "pulumi"]
    assert played.read_text() == "built\n" * 2


def test_an_engine_that_does_not_run_is_not_kept(played: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSWER", "nonsense")
    with pytest.raises(EngineError, match="does not run: nonsense"):
        build.ensure(Console(quiet=True))
    monkeypatch.setenv("ANSWER", build.PULUMI.version())
    assert build.ensure(Console(quiet=True)).version == build.PULUMI.version()


def test_a_failed_step_says_which(played: Path, tmp_path: Path) -> None:
    (tmp_path / "bin" / "go").write_text(
        GO.replace("list) printf 'a\\nb\\nc\\n';;", "list) echo no network >&2; exit 1;;")
    )
    with pytest.raises(EngineError, match="could not download the modules of pulumi: no network"):
        build.ensure(Console(quiet=True))
