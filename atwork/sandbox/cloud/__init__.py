"""The simulated cloud: an SQLite file that survives restarts and serves several engines at the same time."""

from atwork.sandbox.cloud.objects import AlreadyExists, CloudCorrupt, CloudObject
from atwork.sandbox.cloud.store import Cloud

__all__ = ["AlreadyExists", "Cloud", "CloudCorrupt", "CloudObject"]
