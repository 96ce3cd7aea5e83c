"""Whether containers run on this machine."""

from __future__ import annotations

import pytest

from atwork.containers.errors import obstacles

_OBSTACLES = obstacles()
needs_containers = pytest.mark.skipif(bool(_OBSTACLES), reason="; ".join(_OBSTACLES))
"""Skips a test where no container can run, with what is missing."""
