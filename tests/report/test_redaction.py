"""Credentials are cut from texts, and nothing else: names, commands and public values stay as they are."""

from __future__ import annotations

import base64
import re
import shlex
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.events import BUCKET, error, outputs, report, step, urn
from support.mocks import Recording

from atwork.report.credentials import without_credentials
from atwork.report.scrub import secrets
from tools.token_formats import python_pattern

ROOT = Path(__file__).parents[2]
CORPUS = yaml.safe_load((Path(__file__).parent / "redaction.yaml").read_text())


def filled(text: str) -> str:
    """A text of the corpus with characters for HEX40 and TEXT20."""
    letters = "aB3dE5gH7jK9mN2pQ4sT6vW8yZ0cF1iL" * 8
    text = re.sub(r"HEX(\d+)", lambda match: ("9f3a7c1e5b8d2046" * 10)[: int(match[1])], text)
    return re.sub(r"TEXT(\d+)", lambda match: letters[: int(match[1])], text)


@pytest.mark.parametrize("text", CORPUS["harmless"])
def test_what_is_harmless_stays(text: str) -> None:
    assert without_credentials(filled(text)) == filled(text)


@pytest.mark.parametrize(("text", "expected"), CORPUS["secret"])
def test_a_secret_is_cut_and_what_is_around_it_stays(text: str, expected: str) -> None:
    assert without_credentials(filled(text)) == expected


@pytest.mark.parametrize(("text", "expected"), CORPUS["secret"])
def test_a_secret_is_cut_inside_a_sentence_and_twice(text: str, expected: str) -> None:
    sentence = f"error: {filled(text)}\nsecond: {filled(text)}"
    assert without_credentials(sentence) == f"error: {expected}\nsecond: {expected}"
    assert without_credentials(expected) == expected, "a redacted text does not change again"


@pytest.mark.parametrize("kind", ["RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PRIVATE KEY"])
def test_a_private_key_is_cut_in_every_form(kind: str) -> None:
    lines = [f"-----BEGIN {kind}-----", *["MIIEpAIBAAKCAQEA0Zq9vT4kLw8" * 2] * 4, f"-----END {kind}-----"]
    key = "\n".join(lines)
    for text in (key, key.replace("\n", "\\n"), key[:150], base64.b64encode(key.encode()).decode()):
        assert without_credentials(f"cannot read {text}") == "cannot read [secret]"


def test_a_key_file_of_a_service_account_is_cut_and_a_public_certificate_is_not() -> None:
    file = '{\n  "type": "service_account",\n  "project_id": "acme", "private_key_id": "1"\n}'
    certificate = "-----BEGIN CERTIFICATE-----\n" + "MIIDKjCCAhKgAwIBAgIQZq9v\n" * 9 + "-----END CERTIFICATE-----\n"
    assert without_credentials(base64.b64encode(file.encode()).decode()) == "[secret]"
    for text in (certificate, base64.b64encode(certificate.encode()).decode()):
        assert without_credentials(f"caCertificate: {text}") == f"caCertificate: {text}"


def texts_of(folder: str, pattern: str) -> list[Path]:
    return sorted((ROOT / folder).rglob(pattern))


def test_inventories_of_all_stacks_stay() -> None:
    """Every name, type, image and command that the stacks contain; their secrets are references."""
    for path in [*texts_of("tests/golden", "*.yaml"), *texts_of("tests/golden", "*.md")]:
        text = path.read_text()
        assert without_credentials(text) == text, path


def test_commands_of_all_pages_and_messages_stay() -> None:
    """A person copies a command from a report: it must still run."""
    commands = {
        command
        for path in [*texts_of("docs", "*.md"), *texts_of("atwork", "*.py"), *texts_of("infra", "*.py")]
        for command in re.findall(r"`([^`\n]+)`|^\$ (.+)$", path.read_text(), re.MULTILINE)
        for command in command
        if command
    }
    assert len(commands) > 1000
    assert [command for command in sorted(commands) if without_credentials(command) != command] == []


def test_a_command_with_a_secret_keeps_its_words() -> None:
    text = "run `curl -H 'Authorization: Bearer Zq9vT4kLw8' --user 'ci:Zq9vT4kLw8' https://example.com/a?x=1`"
    before, after = (shlex.split(item.strip("`")) for item in (text, without_credentials(text)))
    assert len(before) == len(after)
    assert "Zq9" not in " ".join(after)


def test_a_report_is_redacted_where_the_engine_marks_nothing() -> None:
    command = f"pulumi state unprotect '{urn('gcp:secretmanager/secret:Secret', 'jenkins-github')}'"
    violation = {
        "policyName": "p",
        "resourceUrn": "x",
        "message": "url: redis://:Zq9vT4kLw8@h",
        "enforcementLevel": "advisory",
    }
    result = report(
        step("update", BUCKET, "b", {"doc": "a"}, {"doc": "https://ada:Zq9vT4kLw8@example.com"}),
        {"policyEvent": violation},
        outputs({}, {"hint": 'login {"password": "Zq9 vT4kLw8"}'}),
        error(f"refused Bearer {'Zq9vT4kLw8' * 3}; run `{command}`"),
    )
    text = result.model_dump_json()
    assert "Zq9" not in text
    assert "vT4" not in text
    assert f"`{command}`" in result.errors[0]


def test_a_name_that_is_also_a_secret_somewhere_is_not_cut() -> None:
    """Its URN shows it anyway, and without it the commands of the report name nothing."""
    result = report(step("update", BUCKET, "orders-db", {"token": "orders-db"}, {"token": "x"}), error("see orders-db"))
    assert result.errors == ("see orders-db",)


@pytest.mark.parametrize("stack", ["ci", "staging", "production"])
def test_no_value_of_the_real_stacks_hides_words(stack: str, recordings: dict[str, Recording]) -> None:
    """What has no secret before it is deployed has none to remove from other texts."""
    values = {
        value
        for resource in recordings[stack].resources.values()
        for value in secrets(resource.inputs, resource.inputs, resource.type)
    }
    assert {value for value in values if value.isalpha()} == set()


@pytest.mark.parametrize(
    ("pattern", "matches", "refuses"),
    [
        (r"a(?i)b", ["ab", "aB"], ["Ab"]),
        (r"(a(?i)b|c)d", ["aBd", "Cd"], ["AbD", "abD"]),
        (r"(?i)a(?-i:b)", ["Ab"], ["AB"]),
        (r"[(](?i)a\)", ["(A)"], ["A"]),
        (r"[[:alnum:]]\z", ["7"], ["_"]),
    ],
)
def test_a_pattern_of_gitleaks_means_the_same_here(pattern: str, matches: list[str], refuses: list[str]) -> None:
    translated = re.compile(python_pattern(pattern))
    assert [text for text in [*matches, *refuses] if translated.fullmatch(text)] == matches


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from([*"abzA19 :=\"'\\`-_/@.,;[]{}()<>&\n", "password", "token", "Bearer "]).map(str)))
def test_no_text_fails_and_what_is_outside_of_values_stays(parts: list[str]) -> None:
    text = "".join(parts)
    redacted = without_credentials(text)
    rest = iter(text)
    assert all(character in rest for piece in redacted.split("[secret]") for character in piece)


@pytest.mark.parametrize(
    "part",
    [
        "a.",
        "a-",
        "password='",
        'password=\\\\"',
        "a://b:",
        "-----BEGIN PRIVATE KEY-----",
        "--a-",
        "curl -u a ",
        "<a:",
        "token ",
        "eyJ0eXBlIjo",
        "a:b/",
    ],
)
def test_a_long_text_of_a_stranger_takes_no_longer_than_its_length(part: str) -> None:
    text = (part * 100_000)[:100_000]
    start = time.process_time()
    without_credentials(text)
    assert time.process_time() - start < 5
