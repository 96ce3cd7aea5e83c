"""A preview of an environment that is not written yet, against an empty state: nothing is made or written anywhere.

The engine is shown the project as it would be, in a folder that is thrown away.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from atwork.checkout import Checkout
from atwork.environments.draft import Derived
from atwork.report import places
from atwork.report.model import StackReport
from atwork.report.run import Place, preview
from infra.layout import stack_files


def rehearse(checkout: Checkout, made: Derived, console: Console) -> StackReport:
    """The report of the new stack, from the backend that the shell names, else from the sandbox."""
    waiting = console.status(f"preview of {made.name}, against an empty state")
    with places.chosen(checkout, console) as place, _as_written(place, made) as shown, waiting:
        return preview(shown, made.name, lambda _stack, _count, _name: None)


@contextmanager
def _as_written(place: Place, made: Derived) -> Generator[Place]:
    with tempfile.TemporaryDirectory(prefix="atwork-new-") as name:
        folder = Path(name)
        for one in place.folder.iterdir():
            if one.name not in ("stacks", ".git", ".sandbox"):
                (folder / one.name).symlink_to(one)
        (folder / "stacks").mkdir()
        for file in stack_files(place.folder / "stacks").values():
            (folder / "stacks" / file.name).write_text(file.read_text())
        for path, text in made.texts.items():
            (folder / "stacks" / path.name).write_text(text)

        def reads(stack: str) -> str | None:
            return made.config.upstream if stack == made.name else place.reads(stack)

        yield replace(place, folder=folder, reads=reads)
