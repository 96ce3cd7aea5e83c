"""`atwork engine`: which engine is used, built first where there is none."""

from rich.console import Console

from atwork.engine.build import ensure

_ORIGINS = {"named": "named by ATWORK_PULUMI", "path": "found on PATH", "built": "built here, in the shared cache"}


def run() -> None:
    """Print version, place and origin of the engine."""
    engine = ensure(Console(stderr=True))
    Console().print(f"Pulumi {engine.version}, {_ORIGINS[engine.origin]}: {engine.path}", soft_wrap=True)
