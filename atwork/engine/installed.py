"""What is installed in an environment. Its own interpreter runs this file, so it imports nothing of atwork."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import distributions


@cache
def read() -> dict[str, list[dict[str, str]]]:
    """`packages`: name and version of each; `plugins`: those that a `pulumi-plugin.json` of the SDKs asks for."""
    packages: list[dict[str, str]] = []
    plugins: list[dict[str, str]] = []
    for distribution in distributions():
        packages.append({"name": distribution.metadata["Name"], "version": distribution.version})
        # Parsed by hand: `distribution.files` makes an object of each file, and the SDKs have tens of thousands.
        for line in (distribution.read_text("RECORD") or "").splitlines():
            file = line.partition(",")[0]
            if file.endswith("/pulumi-plugin.json"):
                plugin = json.loads(distribution.locate_file(file).read_text())
                if plugin.get("resource"):
                    number = plugin.get("version") or distribution.version
                    plugins.append({"name": plugin["name"], "version": f"v{number.removeprefix('v')}"})
    return {"packages": sorted(packages, key=lambda package: package["name"].lower()), "plugins": plugins}


if __name__ == "__main__":
    print(json.dumps(read()))
