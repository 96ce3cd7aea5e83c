"""Questions on a terminal, and the errors without a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.changed import changed

from atwork.environments.questions import EnvironmentRequest, complete
from atwork.errors import UsageError
from components.project import ProjectCreation
from infra.config import read_all

ENVIRONMENTS = {name: config for name, config in read_all().items() if config.environment.kind == "long-lived"}
STAGING = ENVIRONMENTS["staging"]
NOTHING = EnvironmentRequest("demo", "ephemeral", "staging")
SAID = replace(NOTHING, owner="team-orders", region="europe-west1", folder="1", billing="b")


class Person:
    """Answers in order; an empty answer takes the default."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked = list(answers), list[tuple[str, str]]()

    def __call__(self, question: str, default: str) -> str:
        self.asked.append((question, default))
        return self.answers.pop(0) or default


def test_only_what_is_missing_is_asked_with_its_default() -> None:
    person = Person("", "team-orders", "123456789012", "01AB23-CD45EF-678901")
    answers = complete(NOTHING, STAGING, ENVIRONMENTS, person)
    assert person.asked == [
        ("Region", "europe-west1"),
        ("Team that answers for it", "team-platform"),
        ("Number of the folder for its project", ""),
        ("Billing account that pays", ""),
    ]
    assert (answers.region, answers.owner, answers.folder) == ("europe-west1", "team-orders", "123456789012")
    person = Person("", "")
    complete(SAID, STAGING, ENVIRONMENTS, person)
    assert [question for question, _ in person.asked] == [
        "Number of the folder for its project",
        "Billing account that pays",
    ]
    person = Person("123456789")
    answers = complete(replace(SAID, project="acme-demo"), STAGING, ENVIRONMENTS, person)
    assert answers.number == "123456789"


def test_the_folder_and_the_account_of_another_environment_are_taken() -> None:
    creation = ProjectCreation(name="Demo", folder_id="77", billing_account="01AB23-CD45EF-678901")
    project = changed(STAGING.project, number=None, create=creation)
    environments = {**ENVIRONMENTS, "other": changed(STAGING, project=project)}
    without_folder = complete(replace(NOTHING, owner="me"), STAGING, environments, None)
    assert (without_folder.folder, without_folder.billing) == ("77", "01AB23-CD45EF-678901")
    with_folder = complete(replace(NOTHING, owner="me", folder="88"), STAGING, environments, None)
    assert with_folder.folder == "88"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"owner": ""}, r"demo: say --owner\. There is no terminal to ask on"),
        (
            {"owner": "", "folder": ""},
            r"say --owner; --folder of a new project, or --project and --number of one that exists",
        ),
        ({"folder": "", "billing": ""}, r"say --folder and --billing-account of a new project"),
        ({"project": "acme-demo"}, r"say --number of the project acme-demo \(`gcloud projects describe acme-demo`\)"),
    ],
)
def test_without_a_terminal_every_missing_flag_is_named_at_once(change: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        complete(replace(SAID, **change), STAGING, ENVIRONMENTS, None)
    assert complete(SAID, STAGING, ENVIRONMENTS, None) == SAID
