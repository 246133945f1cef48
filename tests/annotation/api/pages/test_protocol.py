"""The protocol's page: versions, saving through the form, the check that changes nothing."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.projects.models import Project, Protocol
from annotation.projects.selectors import document_in, protocol_in_force
from audit.models import Event

pytestmark = pytest.mark.django_db
CHOICES = [{"value": "no", "label": "No"}, {"value": "yes", "label": "Yes"}]
QUESTIONS: list[dict[str, Any]] = [
    {"key": "finding", "prompt": "Is it there?", "kind": "single", "choices": CHOICES},
    {"key": "note", "prompt": "Why?", "kind": "text", "when": {"question": "finding", "is": "yes"}},
]


def page(project: Project) -> str:
    return reverse("protocol", kwargs={"project_id": project.pk})


def written(questions: list[dict[str, Any]] | str = "", base: int = 1) -> dict[str, str]:
    document = questions if isinstance(questions, str) else json.dumps({"questions": questions})
    return {"document": document, "base_version": str(base)}


def test_the_page_shows_the_version_in_force_as_json(admin: Client, project: Project) -> None:
    shown = admin.get(page(project)).content.decode()
    assert "Version 1 is in force" in shown
    assert "&quot;prompt&quot;: &quot;What do you see?&quot;" in shown
    assert "Lung nodule on CT" in shown


def test_saving_the_form_makes_a_version_that_says_what_changed(admin: Client, project: Project) -> None:
    answer = admin.post(page(project), written(QUESTIONS), follow=True).content.decode()
    assert "Version 2 is in force" in answer
    assert "Question “note” is new: Why?" in answer
    assert protocol_in_force(project.pk).questions == QUESTIONS
    assert Event.objects.filter(action="protocol.save").count() == 1


def test_an_older_version_is_opened_and_put_in_force_again(admin: Client, project: Project) -> None:
    first = document_in(protocol_in_force(project.pk))
    admin.post(page(project), written(QUESTIONS))
    shown = admin.get(page(project), {"version": "1"}).content.decode()
    assert "You look at version 1" in shown
    again = json.dumps(first.model_dump(mode="json", exclude_defaults=True))
    admin.post(page(project), written(again, base=2))
    assert document_in(protocol_in_force(project.pk)) == first
    assert project.protocols.count() == 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (written("{"), "This is not JSON"),
        (written('{"questions": "a\\u0000"}'), "This is not JSON"),
        (written([QUESTIONS[1]]), "names &quot;finding&quot;, which is no earlier question"),
        (written("x" * 600_000), "at most 512 kB"),
        (written(QUESTIONS, base=0), "version 1 was saved since you opened version 0"),
        ({}, "This is not JSON"),
    ],
)
def test_what_cannot_be_saved_comes_back_with_what_is_wrong(
    admin: Client, project: Project, body: dict[str, str], words: str
) -> None:
    answer = admin.post(page(project), body)
    assert answer.status_code == 422
    assert words.lower() in answer.content.decode().lower()
    assert Protocol.objects.count() == 1


def test_the_check_tells_problems_and_changes_and_saves_nothing(admin: Client, project: Project) -> None:
    check = reverse("check-protocol", kwargs={"project_id": project.pk})
    [problem] = admin.post(check, written([QUESTIONS[1]])).json()["problems"]
    assert (problem["at"], problem["code"]) == ("questions.0.when", "bad_condition")
    answer = admin.post(check, written(QUESTIONS)).json()
    assert answer["problems"] == []
    assert len(answer["changes"]) > 1
    assert Protocol.objects.count() == 1
    assert not Event.objects.filter(action="protocol.save").exists()


def test_the_schema_is_served(reader: Client) -> None:
    answer = reader.get(reverse("protocol-schema"))
    assert answer["Content-Type"] == "application/schema+json"
    assert answer.json()["$schema"].endswith("2020-12/schema")


def test_only_administrators_find_the_way_to_it(admin: Client, ml_staff: Client, project: Project) -> None:
    overview = reverse("project", kwargs={"project_id": project.pk})
    assert page(project) in admin.get(overview).content.decode()
    assert page(project) not in ml_staff.get(overview).content.decode()
