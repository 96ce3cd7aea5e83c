"""Types of values that appear in templates and scripts of Jenkins: text without special characters, and images."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from components.forms import TextForm

TemplateSafeText = Annotated[
    str, TextForm(r"^[^\s{}$'\"\\]+$", "text without spaces, quotes, braces, dollar signs and backslashes", "main")
]
"""Text without spaces and without characters that templates and scripts interpret."""

ImageRole = Literal[
    "controller", "agent", "reloader", "buildkit", "helm", "crane", "gcloud", "pulumi", "postgres", "redis", "mysql"
]
"""Purpose of an image; the keys of `versions.IMAGES`."""


def _pinned(image: str) -> str:
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    if tag in ("", "latest"):
        raise ValueError(f"{image} has no fixed tag; write name:1.2.3 or name:1.2.3@sha256:...")
    return image


ImageName = Annotated[
    str,
    TextForm(
        r"^[a-z0-9][a-z0-9.:/_-]*:[A-Za-z0-9_][A-Za-z0-9._-]*(@sha256:[0-9a-f]{64})?$",
        "NAME:TAG or NAME:TAG@sha256:DIGEST",
        "registry.example.com/tools/helm:3.19.0",
    ),
    AfterValidator(_pinned),
]
"""An image with a tag and, optionally, a digest. Without a host, it is pulled from Docker Hub through the mirror."""
