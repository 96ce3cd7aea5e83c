"""Checks of the Makefile: its targets, and the reports of its tests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from atwork.services.checks.files import UnreadableFileError, is_inside, read_text
from atwork.services.checks.finding import RepositoryFinding
from atwork.services.checks.makefile import Makefile, read_makefile

NAMES = ("GNUmakefile", "makefile")
"""Names that make reads, too; Preflight (delivery/vars/guidelines.groovy) only looks for Makefile."""
_REPORTS = re.compile(r"\$[({]REPORTS\b|\$\$\{?REPORTS\b")
_WORD = re.compile(r"[\w./-]+")
_PACKAGE_RUNNERS = re.compile(r"\b(?:npm|yarn|pnpm|bun)\b")


def check_makefile(folder: Path, file: str) -> Iterator[RepositoryFinding]:
    """Findings about the Makefile."""
    context = (folder / file).parent
    other = next((name for name in NAMES if (context / name).is_file()), "")
    rename = f"rename {other}" if other else "add one with the targets build and test, which the pipeline calls"
    makefile = read_makefile(folder, file, rename)
    if makefile.spaces:
        yield RepositoryFinding(file, "is a command indented with spaces; indent it with a tab", makefile.spaces)
        return
    for target in ("build", "test"):
        if makefile.has(target):
            continue
        if makefile.unknown:
            yield RepositoryFinding(file, f"target {target}: the file {makefile.unknown}", note=True)
        else:
            yield RepositoryFinding(file, f"target {target} is missing; add it, because the pipeline calls it")
    if not _writes_reports(context, makefile) and not makefile.unknown:
        yield RepositoryFinding(
            file,
            "test: write JUnit reports to $(REPORTS), so that Jenkins shows what failed",
            makefile.targets.get("test", 0),
        )


def _writes_reports(context: Path, makefile: Makefile) -> bool:
    """Whether a recipe refers to REPORTS, or runs a file of the repository that does; make exports the variable."""
    recipes = "\n".join(makefile.recipes)
    if _REPORTS.search(recipes):
        return True
    files = {word for word in _WORD.findall(recipes) if "/" in word or "." in word}
    if _PACKAGE_RUNNERS.search(recipes):
        files.add("package.json")
    return any(is_inside(context, context / name) and _mentions_reports(context, name) for name in sorted(files))


def _mentions_reports(context: Path, name: str) -> bool:
    try:
        text = read_text(context, name, "")
    except UnreadableFileError:
        return False
    if name == "package.json":
        try:
            text = json.dumps(json.loads(text).get("scripts"))
        except (ValueError, AttributeError):
            return False
    return any("REPORTS" in line and not line.lstrip().startswith(("#", "//")) for line in text.splitlines())
