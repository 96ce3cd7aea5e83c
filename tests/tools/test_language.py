"""The check of the project's language refuses each kind of word in each kind of file."""

from __future__ import annotations

import re

import pytest

from tools import language

BAD = "Expired environments are told."


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("docs/a.md", f"# A\n\n{BAD}\n"),
        ("a.py", f'"""A.\n\n{BAD}"""\n'),
        ("a.py", f"\n\nx = 1  # {BAD}\n"),
        ("a.py", f'\n\nprint(f"{{x}}: {BAD}")\n'),
        ("a.py", f"\n\nprint(f\"{{x}}: {{y or 'which {BAD}'}}\")\n"),
        ("a.groovy", f"\n\n// {BAD}\n"),
        ("Jenkinsfile", f'\n\necho "{BAD}"\n'),
        ("a.yaml", f"\n\nkey: value   # {BAD}\n"),
        ("Makefile", f"\n\ntarget:  ## {BAD}\n"),
    ],
)
def test_a_bad_word_in_text_is_a_finding_with_its_line_and_advice(path: str, content: str) -> None:
    assert list(map(str, language.findings(path, content))) == [f"{path}:3: told; write reported, shown"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("docs/a.md", "```console\n$ told\n```\n\nThe key `told` and [a link](told.md).\n"),
        ("a.py", "key = 'told'\nvalue = told\n"),
        ("a.py", "print(f'- path = {told[0]}{cause if new is None else 0}{{}} and more')\n"),
        ("a.groovy", "def key = 'told'\n"),
        ("a.yaml", "told: true\n"),
    ],
)
def test_code_and_keys_are_not_text(path: str, content: str) -> None:
    assert language.findings(path, content) == []


@pytest.mark.parametrize(
    "source",
    [
        "one = 1",
        "def one() -> None: ...",
        "class one: ...",
        "print([x for one in y])",
        "def f(one: int) -> None: ...",
        "print(lambda one: 1)",
        "import json as one",
        "try: ...\nexcept OSError as one: ...",
    ],
)
def test_a_bad_name_is_a_finding(source: str) -> None:
    assert [problem.word for problem in language.findings("a.py", source)] == ["the name one"]


@pytest.mark.parametrize("source", ["def found = 1", "names.each { found -> x }", "String found(String name) { }"])
def test_a_bad_name_in_groovy_is_a_finding(source: str) -> None:
    assert [problem.word for problem in language.findings("a.groovy", source)] == ["the name found"]


def test_the_name_of_a_module_counts() -> None:
    assert [problem.word for problem in language.findings("atwork/found.py", "")] == ["the name found"]


def test_a_sentence_may_continue_on_the_next_line() -> None:
    assert [
        problem.line for problem in language.findings("a.py", "# a file that is\n# over\n# there is no\n# such\n")
    ] == [1, 3]


def test_british_spelling_gets_its_american_replacement() -> None:
    assert list(map(str, language.findings("a.md", "The behaviour.\n"))) == ["a.md:1: behaviour; write behavior"]


SENTENCES = {
    "told apart|tell(s|ing)? .{0,20}apart": "files tell them apart",
    "told": "owners are told",
    "said": "it is said",
    "whole|wholly": "the whole stack",
    "beside": "beside the tests",
    "anew": "made anew",
    r"(?<!there\s)(is|are) none": "they are reported and are none",
    "there (is|are) no such": "there is no such file",
    "(that|which|it|they|its time|their time) (is|are) over": "its time is over",
    "(is|are) there already": "it is there already",
    "(is|are) no (error|mistake)": "that is no mistake",
    "(is|are|was|were|be|been) called so": "a job is called so",
    "a like one": "copy a like one",
    "lets? go of|letting go of": "it lets go of it",
    "(is|are|be|was|were) at work": "nobody is at work",
    "of (ours|yours|theirs)": "a test of ours",
    ", for (it|they|there|otherwise|nobody|somebody)": "it stops, for it must",
    "mend(s|ed|ing)?": "nothing to mend",
    "pop-?ups?": "two pop-ups",
}


@pytest.mark.parametrize(("pattern", "sentence"), SENTENCES.items(), ids=SENTENCES.values())
def test_each_pattern_matches_its_sentence(pattern: str, sentence: str) -> None:
    advice = dict(zip(language.patterns(), (advice for _, advice in language.words().patterns), strict=True))[pattern]
    assert advice in {problem.advice for problem in language.findings("a.md", sentence)}


def test_every_pattern_has_a_sentence_and_none_matches_plain_english() -> None:
    assert set(SENTENCES) == set(language.patterns())
    plain = "File not found; copy an existing file. Expired environments are reported but are not errors, for a reason. There is none."
    assert language.findings("a.md", plain) == []


def test_the_list_excuses_a_path_and_what_is_below_until_it_is_clean() -> None:
    contents = {"a.md": BAD, "b/c.md": BAD, "b/d.md": "", "bad.md": "Plain.", "e.md": BAD}
    problems, clean = language.check(contents, ["a.md", "b", "bad.md", "gone"])
    assert [problem.path for problem in problems] == ["e.md"]
    assert clean == ["bad.md", "gone"]


def test_the_project_is_checked() -> None:
    paths = language.files()
    assert len(paths) > 500
    assert {"README.md", "Makefile", "atwork/cli.py", "delivery/vars/agents.groovy", "docs/glossary.md"} <= set(paths)
    makefile = (language.ROOT / "Makefile").read_text()
    assert re.search(r"^check:.*\n(?:\t.*\n)*\t@\$\(BIN\)/python -m tools\.language$", makefile, re.MULTILINE)
