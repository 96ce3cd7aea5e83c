"""Files as people write them, and all that `atwork environment check` must say about each.

`KIND.yaml` has an entry for each file in the folder KIND: `NAME: {at: PATH, says: [LINE, ...]}`. The file is copied to
PATH in a checkout whose other files have no mistakes; the command must print these lines and nothing else.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.checkout import copy
from support.environments import atwork

from atwork.errors import ConfigError

HERE = Path(__file__).parent


def cases() -> Iterator[Any]:
    for kind in sorted(HERE.glob("*.yaml")):
        for name, case in yaml.safe_load(kind.read_text()).items():
            yield pytest.param(HERE / kind.stem / name, case["at"], case["says"], id=f"{kind.stem}/{name}")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    copy(folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    return folder


def said() -> list[str]:
    """The lines of the command, which ends without a traceback."""
    done = atwork("check")
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == 1
    return done.output.splitlines()


@pytest.mark.parametrize(("file", "at", "says"), cases())
def test_each_file_gets_its_message_and_no_other(file: Path, at: str, says: list[str], checkout: Path) -> None:
    (checkout / at).write_bytes(file.read_bytes())
    assert said() == says


def test_every_file_has_a_case() -> None:
    for kind in HERE.glob("*.yaml"):
        assert {path.name for path in (HERE / kind.stem).iterdir()} == set(yaml.safe_load(kind.read_text()))


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere.yaml")


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("file", ["Jenkinsfile", "CODEOWNERS", "Pulumi.yaml", "stacks/platform.yaml"])
def test_each_file_that_is_read_can_be_in_another_encoding(file: str, checkout: Path) -> None:
    path = checkout / file
    path.write_bytes("# ä\n".encode("latin-1") + (path.read_bytes() if path.exists() else b""))
    assert [line.partition(";")[0] for line in said()] == [f"{file}:1: the byte 0xE4 is not UTF-8 (ä in Latin-1)"]
    reap = atwork("reap")
    assert isinstance(reap.exception, SystemExit | ConfigError | None), reap.exception


def test_services_that_are_no_folder_are_not_no_services(checkout: Path) -> None:
    shutil.rmtree(checkout / "services")
    (checkout / "services").write_text("")
    assert "services: is not a folder; restore the folder of the service files" in said()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (loop, "is a link that leads to itself; replace it with the file"),
        (dangling, "is a link to nowhere.yaml, which does not exist; replace the link with the file"),
        (Path.mkdir, "is a folder; move it away, and write a file of this name"),
        (pipe, "is not a regular file; write a file of this name"),
    ],
)
@pytest.mark.parametrize("file", ["services/stock.yaml", "stacks/Pulumi.staging.yaml", "stacks/platform.yaml"])
def test_what_is_no_file_is_one_line(make: Callable[[Path], None], message: str, file: str, checkout: Path) -> None:
    (checkout / file).unlink(missing_ok=True)
    make(checkout / file)
    lines = said()
    assert [line for line in lines if line.startswith(f"{file}: ")] == [f"{file}: {message}"]
