"""A record of the stack files that code parses."""

from __future__ import annotations

import pytest

from infra import config
from infra.stack import StackConfig


def record_parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Returns a list that gets the stack of each stack file that is parsed until the end of the test."""
    parsed: list[str] = []
    parse = config.parse

    def recorded(stack: str, text: str) -> StackConfig:
        parsed.append(stack)
        return parse(stack, text)

    monkeypatch.setattr(config, "parse", recorded)
    return parsed
