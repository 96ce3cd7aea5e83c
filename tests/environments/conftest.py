"""A checkout for each test, and a backend in the place of the sandbox."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.checkout import copy
from support.fake_engine import FakeBackend

from atwork.preview import places


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    copy(folder)
    monkeypatch.chdir(folder)
    for name in ("ATWORK_FOLDER", "ATWORK_BILLING_ACCOUNT", "ATWORK_OWNER", "SLACK_WEBHOOK_URL", "PULUMI_BACKEND_URL",
                 "GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_API_URL"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    made = FakeBackend(tmp_path)

    @contextmanager
    def chosen(*_: Any) -> Generator[Any]:
        yield made.place()

    monkeypatch.setattr(places, "chosen", chosen)
    return made
