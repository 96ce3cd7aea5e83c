"""Read the files in `data`: each has its source and its date. No network, and nothing is read before it is asked for.

The files are written by hand; a value that is newer than the date of its file is added there.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml

REFRESH = "if it is new, add it to components/google/data"
"""What to do where Google has something that the files do not list."""

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def table(name: str) -> dict[str, Any]:
    """The content of `data/NAME.yaml`."""
    text = resources.files("components.google").joinpath("data", f"{name}.yaml").read_text()
    return yaml.load(text, _LOADER)  # noqa: S506 (a safe loader)
