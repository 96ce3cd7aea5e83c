"""`atwork sandbox images`: the base images and data stores of builds, from Docker Hub or from Debian packages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from rich.console import Console
from rich.table import Table

from atwork.containers.errors import ContainerError
from atwork.containers.official_images import OfficialImage, OfficialImages, base_images, digest_of
from atwork.containers.stand_ins import STAND_INS, stand_in
from atwork.sandbox.home import Home, here
from atwork.toolchain import programs
from components.delivery import StoreName
from components.versions import IMAGES

_MEGABYTE = 1_000_000


def official_images(home: Home) -> OfficialImages:
    """The images that this sandbox fetched. They are its own: tests on the same machine use the stand-ins."""
    return OfficialImages(home.folder / "images")


def run(names: Sequence[str], host: str, *, console: Console | None = None) -> int:
    """Fetch images, or make their stand-ins where they cannot be fetched; returns 1 if one is neither."""
    console = console or Console(soft_wrap=True, highlight=False)
    home = here()
    images = [OfficialImage.read(name) for name in names] or _of_builds(home)
    store, (crane, _) = official_images(home), programs.registry(console)
    table = Table("image", "from", "digest", "MB", box=None, pad_edge=False)
    missing: list[OfficialImage] = []
    reasons: dict[str, list[str]] = {}
    for image in images:
        origin = host
        with console.status(f"Fetching {image}"):
            try:
                layout = store.fetch(image, host, crane)
            except ContainerError as error:
                reasons.setdefault(str(error), []).append(str(image))
                layout, origin = store.fetched(image), "fetched before"
        if layout is None and image.name in STAND_INS:
            layout, origin = stand_in(image.name, console), "Debian packages"
        if layout is None:
            missing.append(image)
            continue
        size = sum(path.stat().st_size for path in layout.rglob("*") if path.is_file())
        table.add_row(str(image), origin, digest_of(layout)[:19], f"{size / _MEGABYTE:.0f}")
    for reason, of in reasons.items():
        console.print(f"{', '.join(of)}: {reason}", markup=False)
    if table.rows:
        console.print(table)
    for image in missing:
        console.print(
            f"{image}: builds that need it fail here; of official images, only {', '.join(STAND_INS)} can be made from "
            "Debian packages. If this machine reaches a mirror of Docker Hub, name it with --host"
        )
    return 1 if missing and names else 0


def _of_builds(home: Home) -> list[OfficialImage]:
    """The base image of the template's Dockerfile, and the stores that tests can ask for."""
    template = home.checkout / "delivery" / "template" / "repository" / "Dockerfile"
    bases = base_images(template.read_text()) if template.exists() else []
    return [*bases, *(OfficialImage.read(IMAGES[store]) for store in get_args(StoreName))]
