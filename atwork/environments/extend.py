"""`atwork environment extend`."""

from __future__ import annotations

from datetime import UTC, datetime

from atwork.environments import derive, files
from atwork.environments.found import found
from atwork.errors import UsageError
from atwork.files import replace_file
from infra.environment_settings import MAX_LIFETIME


def extend(name: str, ttl: str) -> int:
    """Set the expiry date of an ephemeral environment, counted from now, within its longest lifetime."""
    file, config = found(name)
    made = config.environment.created_at
    if made is None:
        raise UsageError(f"stacks/{file.name}: {name} is long-lived and has no end")
    expires, latest = datetime.now(UTC) + derive.span(ttl), made + MAX_LIFETIME
    if expires > latest:
        raise UsageError(
            f"--ttl {ttl}: {name} was made {derive.moment(made)} and may last until {derive.moment(latest)}, "
            f"{MAX_LIFETIME.days} days; take less, or make a new one"
        )
    replace_file(file, files.with_end(file.read_text(), derive.moment(expires)))
    print(f"{name} ends {derive.moment(expires)}; `atwork up` or the next merge writes it on everything")
    return 0
