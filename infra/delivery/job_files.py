"""The files that define Jenkins' jobs, which only the stacks with Jenkins read."""

from __future__ import annotations

from infra.config import STACKS
from infra.errors import ConfigError

FOLDER = STACKS.parent / "delivery" / "jobs"


def job_files() -> dict[str, str]:
    """Texts of delivery/jobs/NAME.groovy by NAME; `ConfigError` if there is none."""
    files = {path.stem: path.read_text() for path in FOLDER.glob("*.groovy")}
    if not files:
        raise ConfigError("delivery/jobs: no *.groovy defines Jenkins' jobs; restore the folder from the repository")
    return files
