"""Text files of a repository, which may be anything: missing, a folder, in another encoding."""

from __future__ import annotations

from pathlib import Path

from atwork.errors import UserError
from atwork.services.checks.finding import RepositoryFinding

MAX_BYTES = 4_000_000
"""Files that are larger are not read."""


class UnreadableFileError(UserError):
    """A file that cannot be read; has the finding about it."""

    def __init__(self, finding: RepositoryFinding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def read_text(folder: Path, file: str, missing: str) -> str:
    """The text of a file in a repository, without a byte order mark and with line feeds.

    Raises `UnreadableFileError` with one finding; `missing` says what to do if the file is not there.
    """
    path = folder / file
    try:
        if not path.exists():
            raise UnreadableFileError(RepositoryFinding(file, f"file not found; {missing}"))
        if not path.is_file():
            raise UnreadableFileError(RepositoryFinding(file, "is not a file; replace it by one"))
        if path.stat().st_size > MAX_BYTES:
            raise UnreadableFileError(RepositoryFinding(file, f"is larger than {MAX_BYTES:,} bytes; make it smaller"))
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableFileError(RepositoryFinding(file, f"cannot be read: {reason}; repair it")) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UnreadableFileError(RepositoryFinding(file, "is not UTF-8; save it as UTF-8", line)) from None
    return text.replace("\r\n", "\n")


def is_inside(folder: Path, path: Path) -> bool:
    """Whether a path is an existing file inside of a repository, also after symbolic links."""
    try:
        return path.is_file() and path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        return False
