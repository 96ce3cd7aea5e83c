"""Lifts the deletion guards of an environment, as a person does in reviewed changes."""

from __future__ import annotations

from pathlib import Path

_EXEMPTION = '{policy: deletion-guards, resource: "*", reason: the environment is given up, expires: "2099-12-31"}'


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that must be in a file."""
    text = file.read_text()
    assert old in text, f"{file.name}: {old}"
    file.write_text(text.replace(old, new))


def lift_settings(build: Path, test: Path, production: Path) -> None:
    """Set every deletion_protection to false in the three stack files of this repository."""
    for file in (test, production):
        edit(file, "deletion_protection: true", "deletion_protection: false")
        edit(file, "        tier:", "        deletion_protection: false\n        tier:")
    edit(build, "      deletion_protection: true", "      deletion_protection: false")


def lift_policy(test: Path, production: Path) -> None:
    """Exempt both environments from the policy that wants the guards."""
    edit(test, "      exemptions:\n", f"      exemptions:\n        going: {_EXEMPTION}\n")
    edit(production, "    secrets:", f"    policies: {{exemptions: {{going: {_EXEMPTION}}}}}\n    secrets:")
