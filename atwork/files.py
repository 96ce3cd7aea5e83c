"""Files of this machine: replaced atomically, and the cache that all checkouts share."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def replace_file(path: Path, content: str | bytes, *, mode: int | None = None) -> None:
    """Replace the content of a file atomically; a mode is set before there is any content."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        unfinished.touch(mode=0o666 if mode is None else mode, exist_ok=False)
        if mode is not None:
            unfinished.chmod(mode)
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def cache_folder() -> Path:
    """The cache that all checkouts share: ATWORK_CACHE, or `atwork` in the user's cache folder."""
    import platformdirs

    return Path(os.environ.get("ATWORK_CACHE") or platformdirs.user_cache_path("atwork", appauthor=False))
