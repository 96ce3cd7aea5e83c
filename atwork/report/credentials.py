"""Credentials in texts: tokens by their format, and what other texts around it reveal as secret.

Passwords in URLs, authorization headers, private keys, and values after names such as `password` or `api_key`. What
only looks similar stays, because people copy commands and names from reports: types and URNs such as
`gcp:secretmanager/secret:Secret`, names of resources, variables, paths, and sentences such as `secret: not found`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from functools import lru_cache

from atwork.report.token_formats import token_spans
from atwork.report.values import SECRET

_NAME = (
    r"password|passwd|passphrase|(?:db|user|admin)[_-]?pwd|token|secret|credentials?|connection[_-]?string"
    r"|(?:api|access|account|auth|client|private|secret|service|signing|encryption)[_-]?key"
)
_SUFFIX = r"(?:[_-]?(?:wo|old|new|value|plain|base64|\d{1,3}))?"
_TYPE_OR_URN = r"urn:pulumi:[^\s'\"`]+|\b[a-z][\w-]{0,40}:(?:[\w.-]{1,60}/){1,6}[\w.-]{1,60}:[A-Z]\w*"
_OF_PAGES = r"(?<!page)(?<!page_)(?<!continue)(?<!continue_)(?<!sync)(?<!sync_)(?<!unexpected )(?<!kms)(?<!kms_)"
"""Before names of tokens and keys that open nothing."""
_VALUE = (
    r"(?P<quote>\\{0,4}[\"'`])(?P<quoted>(?:\\.|[^\\\n]){0,5000}?)(?P=quote)"  # one or several words
    r"|(?P<cut_off>\\{0,4}[\"'][^\n]*)"  # a quoted value whose end is missing
    r"|(?P<plain>[^\s\"'`,;&{\[][^\s\"'`&]*)"
)
_ASSIGNMENT = re.compile(
    rf"(?P<keep>{_TYPE_OR_URN})"
    rf"|(?P<start>{_OF_PAGES}(?P<name>{_NAME}){_SUFFIX}(?:\\{{0,4}}[\"'`\]]){{0,3}}"
    rf"(?P<sign>[ \t]*(?:=>|:=|={{1,2}}|:(?![:/=]))[ \t]*|(?<=password)[ \t]+(?=[\"'])))(?:{_VALUE})",
    re.IGNORECASE | re.DOTALL,
)
_OPTION = re.compile(
    rf"(?<!\S)--(?:[\w-]{{0,40}}-)?(?:{_NAME.replace('|secret|', '|')})[ \t]+(?!-)(?P<quote>[\"'])?"
    r"(?P<value>(?(quote)[^\"']+|\S+))",
    re.IGNORECASE,
)
_URL = re.compile(
    r"\b[a-z][\w+.-]{0,20}://[^\s/:@\"'`<>]{0,200}:(?!\d{1,5}/)(?P<value>[^\s@\"'`<>]{1,2000})(?=@)", re.IGNORECASE
)
_URL_USER = re.compile(r"\b[a-z][\w+.-]{0,20}://(?P<value>[\w.~%-]{20,2000})(?=@)", re.IGNORECASE)
_SIGNED_URL = re.compile(r"\bX-(?:Goog|Amz)-Signature=(?P<value>[\w%]+)", re.IGNORECASE)
_HEADER = re.compile(
    r"\bauthorization[\"'\\]*[ \t]*[:=][ \t]*[\"'\\]*(?:(?:bearer|basic|token|digest|negotiate)[ \t]+)?"
    r"(?P<value>(?!bearer\b|basic\b|token\b)[\w.~+/=-]{4,})",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\bbearer[ \t]+(?P<value>[\w.~+/=-]{8,})", re.IGNORECASE)
_BASIC = re.compile(r"\bbasic[ \t]+(?P<value>[\w+/-]{6,}={0,2})", re.IGNORECASE)
_CURL_USER = re.compile(r"\bcurl\b[^\n]{0,400}?[ \t](?:-u|--user)[ =]?[\"']?[^\s:\"']{1,80}:(?P<value>[^\s\"']+)")
_XML = re.compile(rf"<[\w:-]{{0,40}}(?:{_NAME})>(?P<value>[^<\s][^<]*)(?=</)", re.IGNORECASE)
_PRIVATE_KEY = re.compile(
    r"(?P<value>-----BEGIN[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?!-----).)*(?:-----END[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----)?)",
    re.DOTALL,
)
_BASE64 = re.compile(r"(?P<value>\b(?:LS0tLS1CRUdJTi|ewog|eyJ0eXBlIjo)[\w+/]{40,}={0,2})")
_HARMLESS = re.compile(
    r"\[secret\]|\(known(?: after apply\))?$|\$(?:[A-Z_][A-Z0-9_]*|\{\S*\}|\([^)]*\))$|%\w+%$|\{\{[^}]*\}\}$|\*{3,}$"
    r"|<[\w -]+>$|…$|(?:projects|namespaces|secrets)/[\w./-]+$|(?:https?|gs|gcpkms)://[^\s@?]+$|(?:\.{0,2}/[\w.-]+){2,}$"
    r"|(?:true|false|none|null|nil|missing|invalid|expired|required|empty|unset|unknown|denied|wrong|incorrect|hidden"
    r"|redacted|default|string|not|is|must|needed|absent)$|\d{1,3}$",
    re.IGNORECASE,
)
"""Values that are no secrets: placeholders, variables, names of resources, paths, and words of messages."""
_SENTENCE = re.compile(
    r"(?:required|not|must|is|was|are|cannot|can|could|may|should|does|has|invalid|missing|expected|expired|unknown|failed"
    r"|forbidden|denied|too|no|the|an?|this|it|see|use|field|value|empty|unsupported|unable|immutable)\b:?[ \t]",
    re.IGNORECASE,
)
"""The beginning of a sentence, such as `not found` after `secret:`."""
_RESOURCE_NAME = re.compile(r"[a-z]+(?:-[a-z]+)+$")
_CLOSING = ")]}.,;:"


@lru_cache(maxsize=20_000)  # many stacks say the same
def without_credentials(text: str) -> str:
    """A text whose credentials are replaced by `[secret]`."""
    for cut in _CUTS:
        text = cut(text)
    return text


def _cut(pattern: re.Pattern[str], secret: Callable[[str], bool] = lambda _: True) -> Callable[[str], str]:
    """A function that replaces the values of a pattern that are secret."""

    def replaced(match: re.Match[str]) -> str:
        if not secret(match["value"]) or _is_harmless(match["value"]):
            return match[0]
        first, last = (position - match.start() for position in match.span("value"))
        return f"{match[0][:first]}{SECRET}{match[0][last:]}"

    return lambda text: pattern.sub(replaced, text)


def _tokens(text: str) -> str:
    end = len(text)
    for start, stop in sorted(token_spans(text), reverse=True):
        if start < end:
            text = text[:start] + SECRET + text[min(stop, end) :]
            end = start
    return text


def _assignments(text: str) -> str:
    return _ASSIGNMENT.sub(_assignment, text)


def _assignment(match: re.Match[str]) -> str:
    if match["keep"]:
        return match[0]
    start, name, quote = match["start"], match["name"].lower(), match["quote"] or ""
    value = match["quoted"] if quote else match["cut_off"] or match["plain"]
    before = match.string[max(0, match.start() - 2) : match.start()]
    if before == "--" and name == "secret":
        return match[0]  # an option of gcloud that names a secret
    if len(value) < (1 if name == "password" else 3) or _is_harmless(value):
        return match[0]
    if name in ("secret", "credential", "credentials") and _RESOURCE_NAME.match(value):
        return match[0]
    if match["plain"]:
        if match["sign"].endswith(" ") and _SENTENCE.match(match.string, match.start("plain")):
            return match[0]
        rest = value[len(value.rstrip(_CLOSING)) :]
        return f"{start}{SECRET}{rest}" if len(rest) < len(value) else match[0]
    return f"{start}{quote}{SECRET}{quote}"


def _is_harmless(value: str) -> bool:
    return any(_HARMLESS.match(item) for item in (value, value.rstrip(_CLOSING)))


def _is_encoded_pair(value: str) -> bool:
    """Whether a value is a user and a password in Base64."""
    return ":" in _decoded(value)


def _is_encoded_key(value: str) -> bool:
    """Whether a value is a private key, or the key file of a service account, in Base64."""
    head = _decoded(value[:400])
    return "PRIVATE KEY" in head or '"service_account"' in head or "private_key" in head


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value[: len(value) // 4 * 4]).decode(errors="replace")
    except binascii.Error:
        return ""


def _is_random(value: str) -> bool:
    """Whether a value is more than a word."""
    return re.fullmatch(r"[A-Za-z]?[a-z]+[.=-]*", value) is None


_CUTS: tuple[Callable[[str], str], ...] = (
    _cut(_PRIVATE_KEY),
    _cut(_BASE64, _is_encoded_key),
    _tokens,
    _cut(_URL),
    _cut(_URL_USER),
    _cut(_SIGNED_URL),
    _cut(_HEADER),
    _cut(_BEARER, _is_random),
    _cut(_BASIC, _is_encoded_pair),
    _cut(_CURL_USER),
    _cut(_OPTION),
    _cut(_XML),
    _assignments,
)
"""In this order: what a name precedes is last, because its value may end before a token does."""
