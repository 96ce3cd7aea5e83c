"""Whether the packages that only the sandbox needs are installed: the extra `sandbox` of pyproject.toml."""

from __future__ import annotations

from importlib.util import find_spec

from atwork.errors import SandboxError

EXTRA = ("kubernetes", "trustme")
"""Modules of the extra."""


def require_extra() -> None:
    """Raise `SandboxError` if a package of the extra is missing."""
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise SandboxError(
            f"the sandbox needs {' and '.join(missing)}: run `make setup`, or `pip install 'atwork[sandbox]'`"
        )
