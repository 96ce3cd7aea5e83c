"""The text of a file that people write; `ConfigError` where it cannot be read, with the fix."""

from __future__ import annotations

import codecs
import errno
import stat
from pathlib import Path

from infra.errors import ConfigError

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path, shown: str) -> str:
    """The file's text with its line ends; `shown` is its name in messages."""
    return _decoded(_content(path, shown), shown)


def _content(path: Path, shown: str) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ConfigError(f"{shown}: is a folder; move it away, and write a file of this name")
        if not stat.S_ISREG(mode):
            raise ConfigError(f"{shown}: is not a regular file; write a file of this name")
        return path.read_bytes()
    except FileNotFoundError:
        if path.is_symlink():
            raise ConfigError(
                f"{shown}: is a link to {path.readlink()}, which does not exist; replace the link with the file"
            ) from None
        raise ConfigError(f"{shown}: file not found; copy an existing one") from None
    except PermissionError:
        raise ConfigError(f"{shown}: permission denied; run `chmod u+r {shown}`") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ConfigError(f"{shown}: is a link that leads to itself; replace it with the file") from None
        raise ConfigError(f"{shown}: cannot be read ({error.strerror}); replace the file") from None


def _decoded(content: bytes, shown: str) -> str:
    if content.startswith(_UTF_16) or b"\0" in content[:4]:
        raise ConfigError(f"{shown}:1: is in UTF-16; save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)")
    if content.startswith(codecs.BOM_UTF8):
        raise ConfigError(f"{shown}:1: begins with a byte order mark; save it as UTF-8 without one")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{shown}:{line}: the byte 0x{content[error.start]:02X} is not UTF-8 "
            f"({content[error.start : error.start + 1].decode('latin-1')} in Latin-1); save the file as UTF-8 "
            "(`iconv -f LATIN1 -t UTF-8`)"
        ) from None
