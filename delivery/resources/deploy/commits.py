"""Print the commits in GitHub's comparison of two commits, which is read from the standard input.

The first line is their number, such as "3 commits"; the others have a commit each, the newest first.
https://docs.github.com/en/rest/commits/commits#compare-two-commits
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main(comparison: dict[str, Any]) -> None:
    """Print the lines."""
    count, behind = comparison["total_commits"], comparison["behind_by"]
    parts = [f"{count} commit{'' if count == 1 else 's'}"]
    if behind:
        parts.append(f"{behind} removed")
    print(", ".join(parts))
    for commit in reversed(comparison["commits"]):
        lines = commit["commit"]["message"].splitlines() or [""]
        subject = "".join(character for character in lines[0] if character.isprintable())
        print(f"{commit['sha'][:8]} {subject[:100]}")


if __name__ == "__main__":
    main(json.load(sys.stdin))
