"""The project's environments under other names: nothing in the code may depend on what an environment is called."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

NAMES = {"ci": "build", "staging": "qa", "production": "live"}
_NAME = re.compile(rf"\b({'|'.join(NAMES)})\b")


def renamed_text(text: str) -> str:
    """A text with every environment's name replaced, in project ids and host names too."""
    return _NAME.sub(lambda match: NAMES[match[0]], text)


def renamed(value: object) -> object:
    """Plain data with the names replaced in keys and texts."""
    match value:
        case str():
            return renamed_text(value)
        case dict():
            items = cast("dict[str, object]", value).items()
            return {renamed_text(key): renamed(item) for key, item in items}
        case list():
            return [renamed(item) for item in cast("list[object]", value)]
        case _:
            return value


def rename_environments(checkout: Path) -> Path:
    """Rename the environments of a checkout: stack files, their content, services and what the company is."""
    for path in (*checkout.glob("stacks/*.yaml"), *checkout.glob("services/*.yaml")):
        text = renamed_text(path.read_text())
        path.unlink()
        path.with_name(renamed_text(path.name)).write_text(text)
    return checkout
