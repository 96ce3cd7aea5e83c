"""`atwork environment extend`."""

from __future__ import annotations

from datetime import UTC, datetime

from atwork.environments import derive, files
from atwork.environments.lookup import find_environment
from atwork.errors import UsageError
from atwork.yaml_edits import edit_file
from infra.environment_settings import MAX_LIFETIME


def extend(name: str, ttl: str) -> int:
    """Set the expiry date of an ephemeral environment, counted from now, within its longest lifetime."""
    file, config = find_environment(name)
    created = config.environment.created_at
    if created is None:
        raise UsageError(f"stacks/{file.name}: {name} is long-lived and has no end")
    expires, latest = datetime.now(UTC) + derive.span(ttl), created + MAX_LIFETIME
    if expires > latest:
        raise UsageError(
            f"--ttl {ttl}: {name} was created {derive.moment(created)} and may last until {derive.moment(latest)}, "
            f"{MAX_LIFETIME.days} days; take less, or make a new one"
        )
    shown = f"stacks/{file.name}"
    edit_file(file, shown, lambda text: files.with_end(text, derive.moment(expires), shown))
    print(f"{name} ends {derive.moment(expires)}; `atwork up` or the next merge writes it on everything")
    return 0
