"""What stays on disk after a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from atwork.pipeline.leftovers import remove_folders, run_folder


def written(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


LOGS = {
    "builds/build-1/log",
    "builds/build-1/player.log",
    "builds/build-1/pod-0/buildkitd.log",
    "endpoints/endpoints.log",
    "pods/staging/orders-1/service.log",
}


def test_a_run_that_was_interrupted_keeps_its_logs_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def interrupted() -> None:
        with run_folder() as folder:
            written(folder, *LOGS, "endpoints/blobs/sha256/1", "endpoints/endpoints.key", "repository.git/HEAD")
            written(folder, "builds/build-1/pod-0/workspace/app.log", "builds/build-1/pod-0/layers/app/changes/a.log")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    [folder] = tmp_path.iterdir()
    assert files(folder) == LOGS


def test_a_run_without_logs_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with run_folder() as folder:
        written(folder, "repository.git/HEAD")
    assert not folder.exists()


def test_a_pod_that_ended_keeps_its_workspace_and_its_logs(tmp_path: Path) -> None:
    written(tmp_path, "layers/app/changes/file", "login/config.json", "workspace/file", "buildkitd.log")
    remove_folders(tmp_path, "workspace")
    assert files(tmp_path) == {"workspace/file", "buildkitd.log"}
    remove_folders(tmp_path / "never-started")
