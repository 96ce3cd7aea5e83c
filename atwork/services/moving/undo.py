"""The states of the stacks before a move, and the commands that restore them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from atwork.files import replace_file
from atwork.services.moving.plan import Move, Transfer
from atwork.services.moving.rewrite import Deployment

_FOLDER = ".atwork"
"""Folder of a checkout for files that are not committed."""


@dataclass(frozen=True)
class Undo:
    """A folder with the state of each stack as it was before the move, with encrypted secrets."""

    move: Move
    folder: Path

    @classmethod
    def prepared(cls, move: Move, *, interrupted: bool) -> Undo:
        """The folder of a move; the files of an interrupted move stay, those of an earlier one are deleted."""
        folder = move.checkout.root / _FOLDER / f"move-{move.name}-{move.group}"
        if folder.exists() and not interrupted:
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        return cls(move, folder)

    def add(self, stack: str, state: Deployment) -> None:
        """Keep the state of a stack; what an interrupted move has kept is older and stays."""
        file = self._file(stack)
        if not file.exists():
            replace_file(file, json.dumps({"version": 3, "deployment": state}), mode=0o600)

    def commands(self, transfers: Iterable[Transfer]) -> Iterator[str]:
        """Lines with the commands that restore everything: the resources return to the old stack first."""
        stacks = [str(stack) for transfer in transfers for stack in (transfer.source, transfer.target)]
        kept = [stack for stack in stacks if self._file(stack).exists()]
        if kept:
            yield "To undo it:"
        for stack in kept:
            yield f"  pulumi stack import -s {stack} --file {self.move.shown(self._file(stack))}"
        if kept:
            yield f"  mv {self.move.shown(self.move.new_file)} {self.move.shown(self.move.file)}"

    def _file(self, stack: str) -> Path:
        return self.folder / f"{stack}.json"
