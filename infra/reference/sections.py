"""The sections of the settings reference: the parts of a stack file, a service file and stacks/platform.yaml.

Each section has examples in infra/reference/examples, `SECTION.least.yaml` with the fewest settings and
`SECTION.most.yaml` with as many as possible; settings that exclude each other need further examples. An example of a
stack file's section also has the keys of other sections that it depends on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from infra.company import CompanySettings
from infra.services import ServiceSettings
from infra.stack import StackConfig

EXAMPLES = Path(__file__).with_name("examples")
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class SettingsSection:
    """A page of the reference: one key of the stack file, or a file of its own."""

    name: str
    model: type[BaseModel]
    """The settings' model; that of each value for a map."""

    file: str
    """Where the settings are written."""

    key: str = ""
    """The key of the stack file; empty where the section is a file of its own."""

    def examples(self) -> dict[str, Path]:
        """The section's example files by name, the shortest first."""
        names = {path.name.split(".")[1]: path for path in EXAMPLES.glob(f"{self.name}.*.yaml")}
        return dict(sorted(names.items(), key=lambda item: (item[0] != "least", item[0] == "most", item[0])))


def read_example(path: Path) -> dict[str, Any]:
    """The settings of an example."""
    return yaml.load(path.read_text(), _LOADER)  # noqa: S506 - a safe loader


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a type, such as those of a map's values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models(argument)


def stack_sections() -> list[SettingsSection]:
    """The parts of a stack file in alphabetical order; plain values such as `region` are not sections."""
    return [
        SettingsSection(key, model, "stacks/Pulumi.NAME.yaml", key)
        for key, field in sorted(StackConfig.model_fields.items())
        for model in models(field.annotation)
    ]


def sections() -> list[SettingsSection]:
    """All pages of the reference."""
    return [
        *stack_sections(),
        SettingsSection("service", ServiceSettings, "services/NAME.yaml"),
        SettingsSection("platform", CompanySettings, "stacks/platform.yaml"),
    ]
