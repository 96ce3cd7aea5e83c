"""Read YAML files and validate settings; `ConfigError` has one line for each problem, with file, key and fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from infra import dates
from infra.errors import ConfigError

# libyaml's loader reads many environments ten times as fast; it is in all wheels of PyYAML.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path, shown: str) -> dict[str, Any]:
    """A YAML file that is a map of plain data without dates (infra/dates.py); `shown` is its name in messages."""
    try:
        loader = _LOADER(path.read_text())
        root = loader.get_single_node()
        wrong = "\n".join(dates.mistakes(root, shown))
        loaded: object = None if root is None or wrong else loader.construct_document(root)
    except FileNotFoundError:
        raise ConfigError(f"{shown}: file not found; copy an existing one") from None
    except yaml.YAMLError as error:
        where = str(error).replace("\n", " ")
        raise ConfigError(f"{shown}: not YAML: {where}") from None
    if wrong:
        raise ConfigError(wrong)
    if not isinstance(loaded, dict):
        raise ConfigError(f"{shown}: must be a map of keys to values")
    return loaded
