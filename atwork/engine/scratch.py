"""A project and a backend that are thrown away: a preview of a stack that does not exist writes nothing elsewhere."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from atwork.engine.backend import Backend, WrappedBackend
from atwork.engine.runner import EngineFailed
from infra.layout import STACKS_FOLDER, all_stack_files
from infra.yaml_dump import dump_yaml
from infra.yaml_files import read_yaml

_NOT_LINKED = (STACKS_FOLDER, ".git", ".sandbox")


@contextmanager
def scratch(backend: Backend, stack: str) -> Generator[Backend]:
    """A backend with an empty state of the stack, and with the outputs of the stacks that it reads.

    Its stack files are copied without the lines that name the key of a backend.
    """
    with tempfile.TemporaryDirectory(prefix="atwork-preview-") as name:
        copy = _Scratch.in_folder(Path(name), backend)
        link_project(backend.project, copy.project)
        for file in all_stack_files(backend.project / "stacks").values():
            config = read_yaml(file, f"stacks/{file.name}").get("config") or {}
            (copy.project / "stacks" / file.name).write_text(dump_yaml({"config": config}))
        needed = [stack]
        while (upstream := backend.upstream(needed[-1])) is not None and upstream not in needed:
            needed.append(upstream)
        with suppress(EngineFailed):  # the preview fails as well, and its error is reported
            for stack_name in needed:
                copy.stack(stack_name).create()
            for stack_name in needed[1:]:
                copy.stack(stack_name).load(_outputs_of(backend.deployment(stack_name) or {}))
        yield copy


def link_project(project: Path, folder: Path) -> None:
    """Link the files of a project into a folder, except its stack files.

    The stacks folder is a folder of its own, for other stack files; it has the company's file, which the program reads.
    """
    stacks = folder / STACKS_FOLDER
    stacks.mkdir(parents=True)
    stack_paths = all_stack_files(project / STACKS_FOLDER).values()
    for path in project.iterdir():
        if path.name not in _NOT_LINKED:
            (folder / path.name).symlink_to(path)
    for path in (project / STACKS_FOLDER).iterdir():
        if path not in stack_paths:
            (stacks / path.name).symlink_to(path)


@dataclass(frozen=True, kw_only=True)
class _Scratch(WrappedBackend):
    """A folder with a state, a passphrase and a project."""

    passphrase: Path

    @classmethod
    def in_folder(cls, folder: Path, inner: Backend) -> Self:
        """Create it in an empty folder."""
        state, passphrase = folder / "state", folder / "passphrase"
        state.mkdir()
        passphrase.write_text(os.urandom(16).hex())
        url, project = f"file://{state}", folder / "project"
        return cls(url=url, program=inner.program, project=project, inner=inner, passphrase=passphrase)

    @contextmanager
    def environment(self) -> Generator[dict[str, str]]:
        """As wrapped, with its own backend and passphrase."""
        with self.inner.environment() as environment:
            own = {"PULUMI_BACKEND_URL": self.url, "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.passphrase)}
            inherited = {key: value for key, value in environment.items() if key != "PULUMI_CONFIG_PASSPHRASE"}
            yield {**inherited, **own}


def _outputs_of(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """A state with the stack's outputs and nothing else: all that another stack reads."""
    kept = [resource for resource in deployment.get("resources") or () if resource["type"] == "pulumi:pulumi:Stack"]
    return {"manifest": deployment.get("manifest") or {}, "resources": kept}
