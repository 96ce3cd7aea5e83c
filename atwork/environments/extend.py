"""`atwork environment extend`."""

from __future__ import annotations

from datetime import UTC, datetime

from atwork.environments import derive, files
from atwork.environments.found import found
from infra.mistakes import ConfigError


def extend(name: str, ttl: str) -> int:
    """Give a popup another end, counted from now."""
    file, config = found(name)
    if config.environment.kind != "popup":
        raise ConfigError(f"stacks/{file.name}: {name} is long-lived and has no end")
    expires = (datetime.now(UTC) + derive.span(ttl)).strftime("%Y-%m-%dT%H:%M:%SZ")
    files.replace(file, files.with_end(file.read_text(), expires))
    print(f"{name} ends {expires}; `atwork up` or the next merge writes it on everything")
    return 0
