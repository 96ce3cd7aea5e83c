"""The project that a preview of a new stack gets."""

from __future__ import annotations

from pathlib import Path

from atwork.engine.scratch import link_project


def test_a_linked_project_has_every_file_but_stack_files_and_states(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for folder in (".git", ".sandbox", "infra", "stacks"):
        (project / folder).mkdir(parents=True)
    for name in ("Pulumi.yaml", "infra/__main__.py", "stacks/Pulumi.ci.yaml", "stacks/platform.yaml"):
        (project / name).touch()
    folder = tmp_path / "linked"
    link_project(project, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["Pulumi.yaml", "infra", "stacks"]
    assert (folder / "infra" / "__main__.py").exists()
    assert [path.name for path in (folder / "stacks").iterdir()] == ["platform.yaml"]
    (folder / "stacks" / "Pulumi.new.yaml").touch()
    assert not (project / "stacks" / "Pulumi.new.yaml").exists()
