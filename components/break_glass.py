"""The control plane's IP endpoint, which is closed but in an emergency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from components.settings import PrivateRange, Settings

if TYPE_CHECKING:
    import pulumi_gcp as gcp


class BreakGlassSettings(Settings):
    """The control plane's IP endpoint, for the day the DNS endpoint cannot be used. Remove it afterwards."""

    cidrs: dict[str, Annotated[str, Field(pattern=r"^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$")] | PrivateRange] = Field(
        min_length=1
    )
    """Who may reach it: address ranges by a name that says whose they are."""


def authorized_networks(
    settings: BreakGlassSettings | None,
) -> gcp.container.ClusterMasterAuthorizedNetworksConfigArgsDict | None:
    """Who may reach the IP endpoint; nothing where it is closed."""
    if settings is None:
        return None
    return {
        "gcp_public_cidrs_access_enabled": False,
        "cidr_blocks": [{"display_name": name, "cidr_block": block} for name, block in settings.cidrs.items()],
    }
