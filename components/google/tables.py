"""Read the files in `data`: each has its source and the date of its check. No file is read before a rule needs it."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml

REFRESH = "if it is new, run `python -m tools.google_values PROJECT`"
"""What to do where Google has something that the files do not list."""

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def table(name: str) -> dict[str, Any]:
    """The content of `data/NAME.yaml`."""
    text = resources.files("components.google").joinpath("data", f"{name}.yaml").read_text()
    return yaml.load(text, _LOADER)  # noqa: S506 (a safe loader)
