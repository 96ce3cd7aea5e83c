"""Compare two files of Kubernetes manifests, object by object, without the content of Secrets.

    compare.py RUNNING COMING

Prints a unified diff, and a last line such as "1 created, 2 changed, 0 deleted".
"""

from __future__ import annotations

import difflib
import re
import sys
from pathlib import Path

SECRET = re.compile(r"""["']?kind["']?\s*:\s*["']?Secret\b""")
"""An object of this kind, in YAML or JSON, also inside of a list."""


def objects(text: str) -> dict[str, list[str]]:
    """The lines of each object, by its kind, namespace and name."""
    by_name = {}
    for number, document in enumerate(re.split(r"^---.*$", text, flags=re.MULTILINE)):
        lines = [line.rstrip() for line in document.splitlines() if line.strip() and not line.startswith("#")]
        if lines:
            name = title(lines) or f"object {number}"
            by_name[name] = by_name.get(name, []) + lines
    return by_name


def title(lines: list[str]) -> str:
    """The kind, the namespace and the name of an object in block style; empty if they are not there."""
    kind, metadata, inside = "", {}, False
    for line in lines:
        if not line.startswith(" "):
            inside = line.startswith("metadata:")
            kind = value(line, "kind") or kind
        elif inside:
            for key in ("namespace", "name"):
                metadata.setdefault(key, value(line, f"  {key}"))
                metadata = {key: text for key, text in metadata.items() if text}
    return " ".join(filter(None, [kind, metadata.get("namespace"), metadata.get("name")]))


def value(line: str, key: str) -> str:
    """The value of a line `key: value`; empty for any other line."""
    start = f"{key}: "
    return line[len(start) :].strip().strip("\"'") if line.startswith(start) else ""


def difference(name: str, before: list[str], after: list[str]) -> list[str]:
    """The diff of an object; for a Secret, only that there is one."""
    if SECRET.search("\n".join(before + after)):
        return [f"{name}: a Secret, its content is not shown"]
    old, new = (name if lines else "/dev/null" for lines in (before, after))
    return list(difflib.unified_diff(before, after, f"running: {old}", f"coming: {new}", lineterm=""))


def main(running: str, coming: str) -> None:
    """Print the differences and their number."""
    before, after = objects(Path(running).read_text()), objects(Path(coming).read_text())
    counts = {"created": 0, "changed": 0, "deleted": 0}
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, []), after.get(name, [])
        if old != new:
            counts["created" if not old else "changed" if new else "deleted"] += 1
            print("\n".join(difference(name, old, new)))
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
