"""The files that define Jenkins' jobs, which only the stacks with Jenkins read."""

from __future__ import annotations

from infra.config import STACKS

FOLDER = STACKS.parent / "delivery" / "jobs"


def job_files() -> dict[str, str]:
    """Texts of delivery/jobs/NAME.groovy by NAME."""
    return {path.stem: path.read_text() for path in FOLDER.glob("*.groovy")}
