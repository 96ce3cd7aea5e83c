"""Rewrites atwork/sandbox/provider/gcp/rules.json from a file of provider facts: `python tools/gcp_rules.py FACTS`.

The facts are the schema of the official provider, property by property; kept are the two things that the SDK does not
know: which changes replace a resource, and which words a property takes.
"""

import json
import sys
from pathlib import Path

TARGET = Path(__file__).parent.parent / "atwork/sandbox/provider/gcp/rules.json"


def _kept(properties: dict[str, object], types: dict[str, object]) -> dict[str, dict[str, object]]:
    kept: dict[str, dict[str, object]] = {}
    for name, facts in properties.items():
        if not isinstance(facts, dict):
            continue
        kind: object = facts["type"]
        nested = kind[0] if isinstance(kind, list) else kind
        rule: dict[str, object] = {
            **({"immutable": True} if facts.get("immutable") else {}),
            **({"values": facts["values"]} if facts.get("values") else {}),
            **({"object": nested} if isinstance(nested, str) and nested in types else {}),
        }
        if rule:
            kept[name] = rule
    return kept


def main() -> None:
    """Write the table."""
    facts = json.loads(Path(sys.argv[1]).read_text())
    types = facts["types"]
    rules = {
        "resources": {token: _kept(one["inputs"], types) for token, one in facts["resources"].items()},
        "objects": {name: kept for name, one in types.items() if (kept := _kept(one, types))},
    }
    lines = [f'"{part}": {{\n' + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in rules[part].items()) + "\n}"
             for part in rules]  # fmt: skip
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
