"""`atwork environment remove`."""

from __future__ import annotations

from atwork.environments import files
from atwork.environments.found import found
from atwork.sandbox.home import here
from atwork.sandbox.session import deployment
from infra.mistakes import ConfigError


def remove(name: str) -> int:
    """Remove the files of an environment that is gone."""
    home = here()
    file, config = found(name)
    left = deployment(home, name).get("resources")
    if left:
        raise ConfigError(f"{name} is still up in the sandbox; run `atwork sandbox down {name}` first")
    if config.environment.kind != "popup":
        raise ConfigError(
            f"stacks/{file.name}: {name} is long-lived; remove its file by hand when it is decommissioned"
        )
    upstream = file.with_name(f"Pulumi.{config.upstream}.yaml")
    files.replace(upstream, files.without_deploy(upstream.read_text(), name))
    file.unlink()
    print(
        f"removed stacks/{file.name} and its line in stacks/{upstream.name}; `pulumi stack rm {name}` forgets its state"
    )
    return 0
