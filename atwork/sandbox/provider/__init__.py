"""The simulated providers: generic resource providers whose schema is read from the installed SDKs."""

from atwork.sandbox.provider.server import Running, serve

__all__ = ["Running", "serve"]
