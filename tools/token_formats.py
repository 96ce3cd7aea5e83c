"""Write atwork/report/token_formats.json, the formats of access tokens, from the rules of gitleaks.

    python -m tools.token_formats "$(go list -m -f {{.Dir}} github.com/zricethezav/gitleaks/v8)"

Only rules that recognize a token by itself are taken. A rule that needs a name next to the token finds what
atwork/report/credentials.py finds, for all names. docs/adr/0025-redaction.md has the comparison of rule sets.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "atwork" / "report" / "token_formats.json"
_NEEDS_NAME = ("(?i)[\\w.-]{0,50}?", "[\\w.-]{0,50}?")
_LEFT_OUT = {
    "curl-auth-header": "credentials.py",
    "curl-auth-user": "credentials.py",
    "private-key": "credentials.py also cuts a key without its end",
    "kubernetes-secret-yaml": "values of Secrets are hidden by their path",
    "nuget-config-password": "credentials.py",
    "sidekiq-sensitive-url": "credentials.py",
    "generic-api-key": "credentials.py; 213 false positives in tests/golden",
    "sourcegraph-access-token": "any commit next to the word is one",
    "facebook-access-token": "any long number before a percent sign is one",
    "jwt-base64": "a text inside a text, which no report contains",
    "flutterwave-public-key": "is public",
}
"""Rules that are not taken, with the reason or the place that does it."""
_AFTER = r"""(?:[\x60'"\s;]|\\[nr]|$)"""
"""What gitleaks expects after a token in source code. In a sentence, a comma or a bracket follows it, too."""


def formats(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rules that are taken, in their order, with patterns of Python."""
    return [
        {
            "name": rule["id"],
            "keywords": rule.get("keywords", []),
            "entropy": rule.get("entropy", 0),
            "pattern": python_pattern(rule["regex"]),
        }
        for rule in rules
        if "regex" in rule and rule["id"] not in _LEFT_OUT and not rule["regex"].startswith(_NEEDS_NAME)
    ]


def python_pattern(pattern: str) -> str:
    """A pattern of RE2 as one of Python: in RE2, a flag applies from its place to the end of its group."""
    pattern = pattern.replace(_AFTER, "(?![A-Za-z0-9])").replace(r"\z", r"\Z").replace("[:alnum:]", "A-Za-z0-9")
    opened = [0]
    """Flags that are open, for each open group."""
    result = ""
    for part in re.findall(r"\\.|\[(?:\\.|[^\]\\])*\]|\(\?i\)|.", pattern, re.DOTALL):
        if part == "(?i)":
            opened[-1] += 1
        elif part == "(":
            opened.append(0)
        elif part == ")":
            result += ")" * opened.pop()
        elif part == "|":
            part = ")" * opened[-1] + part + "(?i:" * opened[-1]  # noqa: PLW2901
        result += "(?i:" if part == "(?i)" else part
    result += ")" * opened.pop()
    re.compile(result)
    return result


def main(folder: Path) -> None:
    """Write the file from a folder with the sources of gitleaks."""
    rules = tomllib.loads((folder / "config" / "gitleaks.toml").read_text())["rules"]
    document = {
        "source": f"config/gitleaks.toml of github.com/zricethezav/gitleaks {folder.name.rpartition('@')[2]}",
        "license": " ".join((folder / "LICENSE").read_text().split()),
        "formats": formats(rules),
    }
    TARGET.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
