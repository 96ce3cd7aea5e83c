"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path


def whole(path: Path, text: str, *, mode: int | None = None) -> None:
    """Put a text in a file's place; with a mode it has these rights before there is anything in it."""
    unfinished = path.with_name(f".{path.name}.new")
    if mode is not None:
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=mode)
        unfinished.chmod(mode)
    unfinished.write_text(text)
    unfinished.replace(path)
