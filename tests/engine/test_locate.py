"""Which engine is used, and the error for an engine that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from atwork.engine import build, locate
from atwork.engine.locate import EngineError


def fake(folder: Path, answer: str, code: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pulumi"
    path.write_text(f"#!/bin/sh\necho '{answer}'\nexit {code}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATWORK_PULUMI", raising=False)
    monkeypatch.setenv("PATH", "")


def test_the_named_one_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path / "path", "v3.300.0")
    named = fake(tmp_path / "named", "v3.256.0")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("ATWORK_PULUMI", str(named))
    assert locate.find_installed() == locate.Engine(named, "v3.256.0", "named")


def test_path_is_searched_and_the_sandboxs_own_shim_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = fake(tmp_path / "shim", "v3.256.0")
    shim.write_text("#!/bin/sh\nexec python -m atwork.sandbox.shim\n")
    real = fake(tmp_path / "real", "v3.300.1-dev")
    monkeypatch.setenv("PATH", f"{shim.parent}:{real.parent}")
    engine = locate.find_installed()
    assert engine is not None
    assert engine == locate.Engine(real, "v3.300.1-dev", "path")
    assert not engine.has_language_host
    (real.parent / "pulumi-language-python").touch()
    assert engine.has_language_host


def test_nothing_is_found_where_nothing_is() -> None:
    assert locate.find_installed() is None


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        ("v3.10.0", 0, r"is Pulumi v3\.10\.0, and 3\.200 or later is needed; upgrade it"),
        ("no idea", 0, r"does not run: no idea; reinstall Pulumi"),
        ("v3.300.0", 2, r"does not run"),
    ],
)
def test_a_useless_one_is_named(
    answer: str, code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATWORK_PULUMI", str(fake(tmp_path, answer, code)))
    with pytest.raises(EngineError, match=message):
        locate.find_installed()


def test_a_missing_one_that_was_named_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATWORK_PULUMI", str(tmp_path / "gone"))
    with pytest.raises(EngineError, match=r"gone: No such file or directory; name another engine by ATWORK_PULUMI"):
        locate.find_installed()


def test_the_build_is_pinned_by_the_go_module() -> None:
    assert build.PULUMI.version() in (build.PULUMI.sources / "go.sum").read_text()
