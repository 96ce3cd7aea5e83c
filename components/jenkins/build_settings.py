"""Settings of builds: the quota of their namespace and the size of an image build."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.namespace import Cpu, Memory, QuotaSettings
from components.settings import Settings


class BuildSettings(Settings):
    """The namespace in which builds run, and the size of an image build."""

    quota: QuotaSettings = QuotaSettings(cpu="64", memory="256Gi", scratch="2Ti", pods=100)
    """What all builds may use together; it must have room for `max_agents` builds."""

    cpu: Cpu = "1"
    """CPU request of an image build."""

    memory: Memory = "4Gi"
    """Memory of an image build, request and limit."""

    scratch: Memory = "20Gi"
    """Scratch disk of an image build."""

    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = (443,)
    """TCP ports of the internet that builds and tests may reach."""
