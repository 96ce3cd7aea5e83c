"""The repository of a service whose pipeline is played, and the sandbox that it is for."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from atwork.sandbox.home import Home


@dataclass(frozen=True)
class Stock:
    """The sandbox, and the repository of the service `stock`."""

    home: Home
    repository: Path

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace text in a file of the repository, and commit it."""
        file = self.repository / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        self.commit()

    def commit(self, *first: str) -> None:
        """Commit all files, after a command."""
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        for words in (first, ("add", "--all"), (*identity, "commit", "--quiet", "--allow-empty", "--message=Change")):
            if words:
                subprocess.run(["git", *words], cwd=self.repository, check=True)
