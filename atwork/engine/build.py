"""The Pulumi engine for machines without the official `pulumi`: built from Go modules into the shared cache."""

from __future__ import annotations

from rich.console import Console

from atwork.engine.locate import Engine, EngineError, built, check, find_installed
from atwork.toolchain.gobuild import BuildError, Program, provide

PULUMI = Program(
    "engine",
    "github.com/pulumi/pulumi/pkg/v3",
    {"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
    minutes=4,
    variables={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "{version}"},
)


def ensure(console: Console) -> Engine:
    """The engine that is installed, or the one in the cache, which is built first where it is not there."""
    engine = find_installed()
    if engine is not None:
        return engine
    try:
        return built(provide(PULUMI, console, check) / "pulumi", PULUMI.version())
    except BuildError as error:
        raise EngineError(str(error)) from None
