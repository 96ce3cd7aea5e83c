"""Rewrite atwork/permissions/roles.json from a full file of Google's role definitions.

    python -m tools.access_roles FULL.json

FULL has the keys `roles` (role → permissions), `methods` (API method → permissions) and `source` (origin and date). The
file keeps the predefined roles that the program, bootstrap and the documentation bind, and the methods that the
identities of the platform call (atwork/access/duties/methods.py).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "atwork" / "permissions" / "roles.json"
NAMED_IN = (
    "components",
    "infra",
    "atwork/environments/bootstrap",
    "atwork/access",
    "atwork/permissions",
    "docs/access.md",
    "docs/bootstrap.md",
    "docs/previews.md",
)
"""Files that bind roles, or ask a person to. Other files name roles that nothing binds."""
_ROLE = re.compile(r"\broles/[a-z]+(?:\.[a-zA-Z0-9]+)*(?![\w./*])")


def named_roles(root: Path = ROOT) -> set[str]:
    """Every predefined role that a source or documentation file names."""
    roles: set[str] = set()
    for path in (file for top in NAMED_IN for file in _files(root / top)):
        roles |= set(_ROLE.findall(path.read_text().replace(". ", " ").replace(".\n", "\n")))
    return roles


def _files(top: Path) -> Iterable[Path]:
    files = [top] if top.is_file() else sorted(top.rglob("*"))
    return (file for file in files if file.suffix in (".py", ".md", ".yaml", ".yml", ".groovy", "") and file.is_file())


def reduce(full: dict[str, object], roles: set[str], methods: set[str]) -> str:
    """The text of roles.json: sorted, one role or method in each line, so that a change is one line of a diff."""
    lines = [f' "source": {json.dumps(full["source"])}']
    for key, names in (("roles", roles), ("methods", methods)):
        table = full[key]
        assert isinstance(table, dict)  # noqa: S101 (a file of another shape fails here)
        missing = sorted(names - table.keys())
        if missing:
            sys.exit(f"error: {key}: {', '.join(missing)} not in the full file; correct the name or use another file")
        entries = ",\n".join(f"  {json.dumps(name)}: {json.dumps(sorted(table[name]))}" for name in sorted(names))
        lines.append(f' "{key}": {{\n{entries}\n }}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Rewrite the file."""
    from atwork.access.duties import methods

    full = json.loads(Path(sys.argv[1]).read_text())
    FILE.write_text(reduce(full, named_roles(), methods.names()))


if __name__ == "__main__":
    main()
