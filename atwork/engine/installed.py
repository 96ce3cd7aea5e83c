"""What is installed in an environment: run by its own interpreter, so that it imports nothing of atwork."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import distributions


@cache
def read() -> dict[str, list[dict[str, str]]]:
    """`packages`: name and version of each; `plugins`: those that a `pulumi-plugin.json` of the SDKs asks for."""
    packages: list[dict[str, str]] = []
    plugins: list[dict[str, str]] = []
    for one in distributions():
        packages.append({"name": one.metadata["Name"], "version": one.version})
        for file in one.files or []:
            if file.name == "pulumi-plugin.json":
                plugin = json.loads(file.read_text())
                if plugin.get("resource"):
                    number = plugin.get("version") or one.version
                    plugins.append({"name": plugin["name"], "version": f"v{number.removeprefix('v')}"})
    return {"packages": sorted(packages, key=lambda one: one["name"].lower()), "plugins": plugins}


if __name__ == "__main__":
    print(json.dumps(read()))
