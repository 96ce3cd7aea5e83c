"""Values that a person gives to the secrets of a service, in the simulated cloud."""

from __future__ import annotations

from secrets import token_urlsafe

from atwork.sandbox.bootstrap_secrets import add_version
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.home import Home
from components.type_tokens import SECRET, SECRET_VERSION


def fill_secrets(home: Home, service: str) -> list[str]:
    """Give each secret of a service that has no value a random one; returns their full names."""
    cloud = Cloud(home.cloud)
    with cloud.transaction():
        filled = {item.id.partition("/versions/")[0] for item in cloud.objects("", SECRET_VERSION)}
        secrets = [item.id for item in cloud.objects("", SECRET)]
        empty = [name for name in secrets if name.rpartition("/")[2].startswith(f"{service}-") and name not in filled]
        for name in empty:
            add_version(cloud, name, 1, token_urlsafe(24))
    return empty
