"""Which backend a command uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from atwork.checkout import Checkout
from atwork.engine import choice, forked
from atwork.engine.remote import ObjectStore, PulumiCloud, remote_backend
from atwork.errors import UsageError
from atwork.locks import commands
from atwork.locks.store import StoreError


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("gs://acme-state", ObjectStore),
        ("s3://acme-state?region=eu-west-1", ObjectStore),
        ("azblob://state", ObjectStore),
        ("file:///srv/state", ObjectStore),
        ("https://api.pulumi.com", PulumiCloud),
        ("http://pulumi.acme.example", PulumiCloud),
    ],
)
def test_the_kind_of_a_backend_is_that_of_its_address(url: str, kind: type[object], tmp_path: Path) -> None:
    backend = remote_backend(url, Path("pulumi"), Checkout(tmp_path))
    assert type(backend) is kind
    assert (backend.url, backend.shared) == (url, True)
    with backend.environment() as environment:
        assert environment["PULUMI_BACKEND_URL"] == url


def test_an_address_that_no_backend_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"PULUMI_BACKEND_URL: ftp://x: no address of a Pulumi backend; use one of"):
        remote_backend("ftp://x", Path("pulumi"), Checkout(tmp_path))


@pytest.mark.parametrize(
    ("url", "remote"), [("", False), ("file:///work/.sandbox/state", False), ("gs://acme-state", True)]
)
def test_a_sandbox_is_no_remote_backend(url: str, *, remote: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    assert choice.is_remote() is remote


@pytest.mark.parametrize("url", ["https://api.pulumi.com", "s3://acme-state", "azblob://state"])
def test_unlock_refuses_a_backend_whose_files_it_does_not_read(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: atwork\n")
    (tmp_path / "stacks" / "Pulumi.ci.yaml").write_text("config: {}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    with pytest.raises(StoreError, match=f"{url}: locks are read in file:// and gs:// backends only; `pulumi cancel"):
        commands.unlock("ci", run="", ended="")


@pytest.mark.parametrize(
    ("variables", "prepared"),
    [
        ({}, True),
        ({"PULUMI_BACKEND_URL": "file:///checkout/.sandbox/state"}, True),
        ({"PULUMI_BACKEND_URL": "gs://acme-state"}, False),
        ({"ATWORK_PULUMI": "/opt/pulumi/pulumi"}, False),
    ],
)
def test_programs_are_prepared_where_this_process_forks_them(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, prepared: bool
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(forked.ForkServer, "prepare", lambda _: calls.append("prepared"))
    monkeypatch.setattr(forked, "POSSIBLE", True)
    for name in ("PULUMI_BACKEND_URL", "ATWORK_PULUMI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"PATH": "", **variables}.items():
        monkeypatch.setenv(name, value)
    choice.prepare_programs()
    assert bool(calls) == prepared
