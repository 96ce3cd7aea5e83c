"""A checkout for each test, a backend in the place of the sandbox, and a Google of our own."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support import bootstrapping
from support.bootstrapping import Account
from support.checkout import copy
from support.fake_engine import FakeBackend
from support.google import FakeGoogle, served

from atwork.engine import choice


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    copy(folder)
    monkeypatch.chdir(folder)
    for name in (
        "ATWORK_FOLDER",
        "ATWORK_BILLING_ACCOUNT",
        "ATWORK_OWNER",
        "SLACK_WEBHOOK_URL",
        "PULUMI_BACKEND_URL",
        "GITHUB_TOKEN",
        "GITHUB_REPOSITORY",
        "GITHUB_API_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBackend:
    fake = FakeBackend(tmp_path)

    @contextmanager
    def chosen(*_: Any) -> Generator[Any]:
        yield fake.backend()

    monkeypatch.setattr(choice, "chosen", chosen)
    return fake


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Google Cloud without the projects of staging and the platform's administration."""
    monkeypatch.setenv("ATWORK_PULUMI", "")  # each run sets it; the value is restored after the test
    fake = bootstrapping.opened_account(FakeGoogle())
    checkout = copy(tmp_path)
    bootstrapping.created(checkout / "stacks" / "Pulumi.staging.yaml")
    with served(fake) as endpoint:
        yield Account(checkout, fake, endpoint)
