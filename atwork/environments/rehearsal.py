"""A preview of an environment that is not written yet, against an empty state: nothing is created or written anywhere.

The engine gets the project as it would be, in a folder that is thrown away.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from atwork.checkout import Checkout
from atwork.engine import choice
from atwork.engine.backend import Backend, WrappedBackend
from atwork.engine.scratch import link_project
from atwork.environments.draft import Derived
from atwork.preview.run import previews
from atwork.report.model import StackReport
from infra.layout import all_stack_files


def rehearse(checkout: Checkout, draft: Derived, console: Console) -> StackReport:
    """The report of the new stack, from the backend in PULUMI_BACKEND_URL, otherwise from the sandbox."""
    status = console.status(f"preview of {draft.name}, against an empty state")
    with choice.chosen(checkout, console) as backend, _as_written(backend, draft) as drafted, status:
        [report] = previews(drafted, checkout, [draft.name], lambda _stack, _count, _name: None)
        return report


@contextmanager
def _as_written(backend: Backend, draft: Derived) -> Generator[Backend]:
    with tempfile.TemporaryDirectory(prefix="atwork-new-") as name:
        folder = Path(name)
        link_project(backend.project, folder)
        for file in all_stack_files(backend.project / "stacks").values():
            shutil.copyfile(file, folder / "stacks" / file.name)
        for path, text in draft.texts.items():
            (folder / "stacks" / path.name).write_text(text)
        yield _Drafted(url=backend.url, program=backend.program, project=folder, inner=backend, draft=draft)


@dataclass(frozen=True, kw_only=True)
class _Drafted(WrappedBackend):
    """A backend whose project has the files of a draft."""

    draft: Derived

    def upstream(self, stack: str) -> str | None:
        """The upstream according to the draft, for its own stack."""
        return self.draft.config.upstream if stack == self.draft.name else super().upstream(stack)
