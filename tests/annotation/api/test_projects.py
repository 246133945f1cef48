"""Projects by program: begun from a template or a protocol, asked something else, hung by rules."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from annotation.projects.models import Project, Protocol
from annotation.studies.models import Dataset
from audit.models import Event
from jobs.models import Job
from tests import factories
from tests.annotation.api.matrix import QUESTION
from tests.annotation.api.programs import API, at, send

pytestmark = pytest.mark.django_db
SECOND = QUESTION | {"key": "quality", "prompt": "Is it sharp?"}


@pytest.fixture
def client() -> Client:
    """An administrator's program."""
    cache.clear()
    return factories.a_client(factories.a_user(is_admin=True))


@pytest.fixture
def project() -> Project:
    return factories.a_project("Chest")


def refusal(response: Any) -> tuple[int, str]:
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def test_a_project_is_begun_from_a_template_once_a_key(client: Client) -> None:
    names = [one["name"] for one in client.get(f"{API}templates").json()]
    assert "chest_xray" in names
    body, key = {"name": "  Lungs ", "template": "chest_xray"}, {"Idempotency-Key": "one"}
    first, again = (send(client, "POST", "projects", body, **key) for _ in range(2))
    assert (first.status_code, first.json()["name"]) == (201, "Lungs")
    assert again["Idempotent-Replayed"] == "true"
    made = Project.objects.get(pk=first.json()["id"])
    assert made.protocols.get().questions[0]["key"]
    assert Event.objects.filter(action="project.create", object_id=str(made.pk)).count() == 1
    assert refusal(send(client, "POST", "projects", body)) == (422, "name_taken")


def test_a_project_is_begun_with_questions_and_every_problem_of_them_is_named(client: Client) -> None:
    made = send(client, "POST", "projects", {"name": "Own", "questions": [QUESTION]})
    assert Protocol.objects.get(project=made.json()["id"]).questions[0]["prompt"] == "What do you see?"
    wrong = {"name": "Wrong", "questions": [QUESTION, QUESTION, {"kind": "single"}]}
    refused = send(client, "POST", "projects", wrong)
    assert refusal(refused) == (422, "protocol_invalid")
    assert {one["at"] for one in refused.json()["problems"]} >= {"questions.2.key", "questions.2.prompt"}
    assert not Project.objects.filter(name="Wrong").exists()


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"name": "A"}, "invalid", "give a template or questions"),
        ({"name": "A", "template": "chest_xray", "questions": []}, "invalid", "give a template or questions"),
        ({"name": "A", "template": "no-such"}, "unknown_template", "no-such"),
        ({"name": " ", "template": "chest_xray"}, "invalid", "name"),
        ({"name": "A\0", "template": "chest_xray"}, "invalid", "name"),
        ({"name": "A", "template": "chest_xray", "owner": "me"}, "invalid", "owner"),
        ({"name": "A", "questions": []}, "protocol_invalid", "questions"),
        ({"name": "A", "questions": [QUESTION | {"prompt": "\0"}]}, "protocol_invalid", "JSON"),
    ],
)
def test_what_a_new_project_lacks_is_named(
    client: Client, body: dict[str, Any], code: str, words: str
) -> None:
    refused = send(client, "POST", "projects", body)
    assert refusal(refused) == (422, code)
    assert words in refused.json()["detail"]
    assert not Project.objects.exists()


def test_a_project_is_renamed(client: Client, project: Project) -> None:
    factories.a_project("Taken")
    assert send(client, "PATCH", f"projects/{project.pk}", {"name": "Lungs"}).json()["name"] == "Lungs"
    assert refusal(send(client, "PATCH", f"projects/{project.pk}", {"name": "Taken"})) == (422, "name_taken")
    project.refresh_from_db()
    assert project.name == "Lungs"


def test_a_project_takes_the_images_of_a_data_set_or_examples_once(client: Client, project: Project) -> None:
    other = factories.a_project("Other")
    factories.some_cases(other, 1)
    [takable] = client.get(API + at(project, "datasets")).json()
    assert (takable["id"], takable["images"]) == (str(other.dataset_id), 1)
    gone = send(client, "POST", at(project, "images"), {"dataset": str(project.dataset_id)})
    assert refusal(gone) == (404, "not_found")
    asked = send(client, "POST", at(project, "images"), {"dataset": takable["id"]})
    assert (asked.status_code, Job.objects.get(pk=asked.json()["job"]).name) == (202, "take_cases")
    third = factories.a_project("Third")
    asked = send(client, "POST", at(third, "images"), {"dataset": None})
    assert Job.objects.get(pk=asked.json()["job"]).name == "import_examples"
    assert refusal(send(client, "POST", at(third, "images"), {"dataset": None})) == (422, "refused")
    assert Dataset.objects.filter(pk=third.dataset_id).exists()


def test_a_protocol_is_checked_then_put_in_force_as_a_new_version(client: Client, project: Project) -> None:
    body = {"questions": [QUESTION, SECOND], "settings": {"readers": 2}}
    checked = send(client, "POST", at(project, "protocol/check"), body).json()
    assert (checked["problems"], checked["version"]) == ([], 1)
    assert any("quality" in one for one in checked["changes"])
    wrong = send(client, "POST", at(project, "protocol/check"), {"questions": [{"kind": "single"}]}).json()
    assert (wrong["changes"], wrong["problems"][0]["at"]) == ([], "questions.0.key")
    assert project.protocols.count() == 1
    saved = send(client, "PUT", at(project, "protocol"), body | {"base_version": 1}).json()
    assert (saved["version"], saved["settings"]["readers"], saved["changes"]) == (2, 2, checked["changes"])
    shown = client.get(API + at(project, "protocol")).json()
    assert [one["key"] for one in shown["questions"]] == ["finding", "quality"]
    assert client.get(API + at(project, "protocol?version=1")).json()["version"] == 1
    assert refusal(client.get(API + at(project, "protocol?version=7"))) == (404, "not_found")


def test_what_is_shown_of_a_protocol_put_back_makes_no_version(client: Client, project: Project) -> None:
    shown = client.get(API + at(project, "protocol")).json()
    back = {"questions": shown["questions"], "settings": shown["settings"], "base_version": 1}
    assert send(client, "PUT", at(project, "protocol"), back).json()["version"] == 1
    body = back | {"settings": {"readers": 2}}
    assert send(client, "PUT", at(project, "protocol"), body).json()["version"] == 2
    assert send(client, "PUT", at(project, "protocol"), body).json()["version"] == 2
    stale = send(client, "PUT", at(project, "protocol"), body | {"settings": {"readers": 3}})
    assert refusal(stale) == (409, "protocol_stale")
    wrong = send(client, "PUT", at(project, "protocol"), {"questions": [{}], "base_version": 2})
    assert refusal(wrong) == (422, "protocol_invalid")
    assert wrong.json()["problems"]


def test_versions_are_listed_newest_first_page_by_page(client: Client, project: Project) -> None:
    for version, readers in ((1, 2), (2, 3)):
        body = {"questions": [QUESTION], "settings": {"readers": readers}, "base_version": version}
        assert send(client, "PUT", at(project, "protocol"), body).status_code == 200
    first = client.get(API + at(project, "protocol/versions?size=2")).json()
    assert [one["version"] for one in first["versions"]] == [3, 2]
    rest = client.get(API + at(project, f"protocol/versions?size=2&cursor={first['next']}")).json()
    assert ([one["version"] for one in rest["versions"]], rest["next"]) == ([1], None)


def test_hanging_rules_are_put_in_force_and_a_wrong_one_is_named(client: Client, project: Project) -> None:
    rule = {"name": "Chest", "when": {"modality": ["DX"]}, "layout": "stack"}
    put = send(client, "PUT", at(project, "hanging"), {"rules": [rule]})
    assert put.json()["rules"][0]["layout"] == "stack"
    assert client.get(API + at(project, "hanging")).json() == put.json()
    wrong = send(client, "PUT", at(project, "hanging"), {"rules": [rule, rule | {"layout": "spiral"}]})
    assert refusal(wrong) == (422, "hanging_invalid")
    assert "1.layout" in wrong.json()["detail"]
    project.refresh_from_db()
    assert len(project.hanging_rules) == 1


def test_only_administrators_begin_projects(project: Project) -> None:
    reader: User = factories.a_reader(project)
    body = {"name": "Mine", "template": "chest_xray"}
    assert refusal(send(factories.a_client(reader), "POST", "projects", body)) == (403, "forbidden")
