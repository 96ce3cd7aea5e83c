"""Access tokens that can be recognized by their own format, such as those of Google, GitHub and Slack.

token_formats.json has the rules of gitleaks; `python -m tools.token_formats` writes it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_GOOGLE = (
    ("ya29.", r"\bya29\.[\w-]{20,}"),  # OAuth access token
    ("gocspx-", r"\bGOCSPX-[\w-]{20,}"),  # OAuth client secret
    ("1//0", r"(?<![\w/])1//0[\w-]{30,}"),  # OAuth refresh token
)
"""Formats that gitleaks does not have: a keyword in lower case, and the pattern."""
_REST = re.compile(r"[\w-]*")
"""What may follow a token of a newer, longer form."""


@dataclass(frozen=True)
class TokenFormat:
    """One format."""

    keywords: Sequence[str]
    """Lower-case texts, one of which each token contains."""
    entropy: float
    """Minimum entropy of a token, in bits for each character."""
    pattern: re.Pattern[str]
    """The first group is the token, if there is a group."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each token in a text."""
        tokens: list[tuple[int, int]] = []
        for match in self.pattern.finditer(text):
            group = next((number for number, item in enumerate(match.groups(), start=1) if item), 0)
            start, end = match.span(group)
            if _entropy(text[start:end]) >= self.entropy:
                rest = _REST.match(text, end)
                tokens.append((start, rest.end() if rest else end))
        return tokens


def token_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each access token in a text."""
    lower = text.lower()
    return [
        span
        for token_format in _formats()
        if any(keyword in lower for keyword in token_format.keywords)
        for span in token_format.spans(text)
    ]


@cache
def _formats() -> tuple[TokenFormat, ...]:
    document = json.loads(Path(__file__).with_suffix(".json").read_text())
    kept = [TokenFormat(item["keywords"], item["entropy"], re.compile(item["pattern"])) for item in document["formats"]]
    return (*kept, *(TokenFormat((keyword,), 3, re.compile(pattern)) for keyword, pattern in _GOOGLE))


def _entropy(text: str) -> float:
    """Shannon's entropy of a text, in bits for each character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
