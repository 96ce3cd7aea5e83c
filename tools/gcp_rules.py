"""Rewrite atwork/sandbox/provider/gcp/rules.json: `python -m tools.gcp_rules FACTS PROVIDER`.

FACTS is the schema of the official provider, property by property: which changes replace a resource, and which values
a property accepts. PROVIDER is a folder with the source of hashicorp/terraform-provider-google-beta at the release that
FACTS names as upstream: it says which optional properties are also computed (`kept`: removal is not a difference).
"""

import json
import re
import sys
from pathlib import Path

from tools.gcp_source import GoPackage, Node

TARGET = Path(__file__).parent.parent / "atwork/sandbox/provider/gcp/rules.json"
_MODULES = {"organizations": "", "projects": "project", "serviceaccount": "service"}
"""Pulumi modules with another name in Terraform."""

_DEFAULTED = "deletionPolicy"
"""Optional and computed, but the plan sets it to DELETE if it is missing (`DefaultProviderDeletionPolicy`)."""


def _normal(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _terraform(token: str, names: dict[str, str]) -> str:
    """The Terraform name of a Pulumi type; "" for members of policies, which the provider generates."""
    _, module, _, kind = re.split("[:/]", token)
    return names.get(_normal(f"google{_MODULES.get(module, module)}{kind}"), "")


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


def _mark(
    nodes: dict[str, Node],
    facts: dict[str, object],
    rules: dict[str, dict[str, object]],
    objects: dict[str, dict[str, dict[str, object]]],
    types: dict[str, dict[str, object]],
) -> None:
    """Add `kept` to the rules of every property that is optional and computed, nested objects included."""
    for name, node in nodes.items():
        key = next((fact for fact in facts if _normal(fact) in (_normal(name), *_plurals(_normal(name)))), "")
        if not key:
            continue
        if node.kept and key != _DEFAULTED:
            rules.setdefault(key, {})["kept"] = True
        inner = str(rules.get(key, {}).get("object", ""))
        if inner in types:
            _mark(node.inside, types[inner], objects.setdefault(inner, {}), objects, types)


def _plurals(name: str) -> tuple[str, ...]:
    return (f"{name}s", f"{name}es", f"{name[:-1]}ies")


def main() -> None:
    """Write the table."""
    facts = json.loads(Path(sys.argv[1]).read_text())
    services = Path(sys.argv[2]) / "google-beta/services"
    packages = [GoPackage(folder) for folder in sorted(services.iterdir()) if folder.is_dir()]
    names = {_normal(name): name for package in packages for name in package.functions}
    types = facts["types"]
    resources = {token: _kept(resource["inputs"], types) for token, resource in facts["resources"].items()}
    objects = {name: kept for name, properties in types.items() if (kept := _kept(properties, types))}
    for token, rules in resources.items():
        name = _terraform(token, names)
        package = next((package for package in packages if name in package.functions), None)
        if package is None:
            print(f"{token}: no source; its optional properties count as not computed", file=sys.stderr)
            continue
        _mark(package.resource(name), facts["resources"][token]["inputs"], rules, objects, types)
    table = {"resources": resources, "objects": {name: rules for name, rules in objects.items() if rules}}
    parts: list[str] = []
    for key, rules in table.items():
        entries = ",\n".join(f"{json.dumps(name)}: {json.dumps(rule)}" for name, rule in rules.items())
        parts.append(f'"{key}": {{\n{entries}\n}}')
    TARGET.write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    main()
