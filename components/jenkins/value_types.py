"""TemplateSafeText and images that templates and scripts of Jenkins cannot misread."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

TemplateSafeText = Annotated[str, Field(pattern=r"^[^\s{}$'\"\\]+$")]
"""Text without spaces and without characters that templates and scripts interpret."""

ImageRole = Literal[
    "controller", "agent", "reloader", "buildkit", "helm", "crane", "gcloud", "pulumi", "postgres", "redis", "mysql"
]
"""What an image is for; the keys of `versions.IMAGES`."""


def _pinned(image: str) -> str:
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    if tag in ("", "latest"):
        raise ValueError(f"{image} has no fixed tag; write name:1.2.3 or name:1.2.3@sha256:...")
    return image


Image = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9.:/_-]*:[A-Za-z0-9_][A-Za-z0-9._-]*(@sha256:[0-9a-f]{64})?$"),
    AfterValidator(_pinned),
]
"""An image with a tag, and a digest if wanted. Without a host it is Docker Hub's, pulled through the mirror."""
