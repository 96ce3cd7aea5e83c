"""The environments under other names: nothing in the product's code may depend on the name of an environment.

`python -m support.renamed FOLDER` copies this checkout for `make test-names`, which runs the end-to-end tests there.
"""

from __future__ import annotations

import re
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import cast

from support.checkout import ROOT

NAMES = {"ci": "build", "staging": "qa", "production": "live"}
_NAME = re.compile(rf"\b({'|'.join(NAMES)})\b")
_WITH_NAMES = ("stacks", "services", "docs", "tests")
"""The folders that contain names of environments: a company's settings, and the pages and tests about them."""


def renamed_text(text: str) -> str:
    """A text with other names of environments, in project IDs and host names, too."""
    return _NAME.sub(lambda match: NAMES[match[0]], text)


def renamed(value: object) -> object:
    """Plain data with other names of environments in keys and texts."""
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
    """Rename the environments of a checkout, in the names and the content of stack files and service files."""
    for path in (*checkout.glob("stacks/*.yaml"), *checkout.glob("services/*.yaml")):
        text = renamed_text(path.read_text())
        path.unlink()
        path.with_name(renamed_text(path.name)).write_text(text)
    return checkout


def copy_renamed(target: Path) -> None:
    """Copy this checkout with other names of environments in files and file names of `_WITH_NAMES`, nowhere else."""
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]
    shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(".git", *ignored), dirs_exist_ok=True)
    for folder in _WITH_NAMES:
        for path in [path for path in (target / folder).rglob("*") if path.is_file() and path.suffix != ".png"]:
            with suppress(UnicodeDecodeError):  # an input of a test in another encoding
                path.write_text(renamed_text(path.read_text()))
            path.rename(path.with_name(renamed_text(path.name)))


if __name__ == "__main__":
    copy_renamed(Path(sys.argv[1]))
