"""Settings of the controller: its Helm chart, its size and its home volume."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from components import versions
from components.forms import TextForm
from components.google import storage_classes
from components.jenkins.value_types import TemplateSafeText
from components.namespace import Cpu, Memory
from components.settings import DnsLabel, Settings


class ChartSettings(Settings):
    """Where the official Helm chart comes from, for companies that mirror it."""

    source: Literal["repository", "oci", "path"] = "repository"
    """A Helm repository, an OCI registry or a folder next to the program."""

    location: TemplateSafeText = versions.JENKINS_CHART_REPOSITORY
    """Address of the repository, oci:// reference of the chart, or path of the folder."""

    version: Annotated[str, TextForm(r"^[0-9]+\.[0-9]+\.[0-9]+$", "an exact version", "5.8.110")] = (
        versions.JENKINS_CHART
    )
    """Exact version; ignored for a folder, whose Chart.yaml has the version."""

    @model_validator(mode="after")
    def _location_fits_source(self) -> Self:
        starts = {"repository": "https://", "oci": "oci://", "path": ("./", "../", "/")}[self.source]
        if not self.location.startswith(starts):
            wanted = starts if isinstance(starts, str) else " or ".join(starts)
            raise ValueError(
                f"chart.location {self.location} must start with {wanted} where source is {self.source}; correct one"
            )
        return self


class ControllerSettings(Settings):
    """The pod of Jenkins itself."""

    cpu: Cpu = "1"
    """CPU request; the limit is twice the request, and at least two cores."""

    memory: Memory = "4Gi"
    """Memory, request and limit; the JVM's heap is 60 % of it."""

    pool: DnsLabel | None = None
    """Node pool that it must run on; without it, any pool that has no taint."""

    disk: Memory = "50Gi"
    """Size of the home volume. It can be raised later, never lowered."""

    storage_class: Annotated[DnsLabel, AfterValidator(storage_classes.known)] = "standard-rwo"
    """Storage class of the home volume; GKE's own standard-rwo is a balanced persistent disk."""
