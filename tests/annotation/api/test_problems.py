"""Errors are problem documents: no stack, no patient, no value that was sent."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import Role, User
from annotation.projects.models import Project
from audit.models import Event, Webhook
from tests import factories
from tests.annotation.api.world import a_world

pytestmark = pytest.mark.django_db
API = "/api/v1"
JSON = "application/json"


def test_who_is_not_signed_in_is_told_so() -> None:
    response = factories.a_client().get(f"{API}/projects")
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert response["Content-Type"] == "application/problem+json"


def test_an_unsafe_verb_without_its_token_is_refused_and_with_it_let_through(
    project: Project, reader: User
) -> None:
    client = factories.a_client(reader, csrf=True)
    path = f"{API}/projects/{project.pk}/leases"
    refused = client.post(path)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    token = client.get(f"{API}/session").json()["csrf_token"]
    assert client.post(path, headers={"X-CSRFToken": token}).status_code == 200


def test_the_session_names_the_person_and_nothing_more(reader: User) -> None:
    session = factories.a_client(reader).get(f"{API}/session").json()
    assert session["user"] == {"id": str(reader.pk), "username": reader.username, "is_admin": False}
    assert session["idle_seconds"] == 900


@pytest.mark.parametrize("path", ["nowhere", "cases/not-an-id/thumbnail", "projects/7/leases"])
def test_an_address_that_is_none_is_a_problem_too(reader: User, path: str) -> None:
    response = factories.a_client(reader).get(f"{API}/{path}")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_a_verb_that_an_address_does_not_take_is_a_problem_with_those_that_it_takes(
    project: Project, reader: User
) -> None:
    response = factories.a_client(reader).delete(f"{API}/projects/{project.pk}/leases")
    assert (response.status_code, response["Content-Type"]) == (405, "application/problem+json")
    allowed = {verb.strip() for verb in response["Allow"].split(",")}
    assert "POST" in allowed
    assert response.json()["code"] == "method_not_allowed"
    assert response.json()["detail"] == f"this address does not take DELETE: it takes {response['Allow']}"


def test_a_foreign_object_and_one_that_is_not_there_look_the_same_but_only_the_first_is_audited(
    project: Project,
) -> None:
    stranger = factories.a_client(factories.a_reader(factories.a_project()))
    foreign = stranger.post(f"{API}/projects/{project.pk}/leases")
    absent = stranger.post(f"{API}/projects/{uuid4()}/leases")
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json() == absent.json()
    event = Event.objects.get(action="access.denied")
    assert (event.object_type, event.object_id) == ("project", str(project.pk))
    assert (event.outcome, event.remote_address) == ("denied", "127.0.0.1")


DENIED = {
    "import": "GET imports/{import_id}",
    "peer": "POST peers/{peer_id}/check",
    "erasure": "GET erasures/{erasure_id}/certificate",
    "deletion": "POST deletions/{deletion_id}/return",
    "batch": "POST projects/{project_id}/batches/{batch_id}/withdrawal",
    "search": "GET projects/{project_id}/searches/{search_id}",
    "label_import": "GET projects/{project_id}/label-imports/{label_import_id}",
    "webhook": "POST webhooks/{webhook_id}/try",
}


def test_a_denial_is_audited_with_the_object_that_the_address_names() -> None:
    world = a_world()
    now = timezone.now()
    world.ids["webhook_id"] = Webhook.objects.create(name="SIEM", url="https://x.example", created_at=now).pk
    client = factories.a_client(world.people["reader"])
    for one in DENIED.values():
        verb, path = one.format(**world.ids).split()
        assert client.generic(verb, f"{API}/{path}", "{}", content_type=JSON).status_code in {403, 404}, one
    events = Event.objects.filter(action="access.denied").order_by("sequence")
    wanted = [(kind, str(world.ids[f"{kind}_id"])) for kind in DENIED]
    assert list(events.values_list("object_type", "object_id")) == wanted


def test_a_role_that_is_not_enough_is_said_and_audited(project: Project) -> None:
    staff = factories.a_client(factories.a_member(project, Role.ML_STAFF))
    response = staff.post(f"{API}/projects/{project.pk}/leases")
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert Event.objects.filter(action="access.denied", object_id=str(project.pk)).count() == 1


def test_a_body_that_is_no_json_is_a_bad_request(project: Project, reader: User) -> None:
    case = project.cases.first()
    assert case is not None
    path = f"{API}/cases/{case.pk}/readings"
    response = factories.a_client(reader).post(path, data="{Doe^Jane", content_type=JSON)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
    assert b"Doe" not in response.content


def test_an_invalid_field_is_named_without_what_was_sent(project: Project, reader: User) -> None:
    case = project.cases.first()
    assert case is not None
    path = f"{API}/cases/{case.pk}/readings"
    response = factories.a_client(reader).post(path, data={"lease_id": "Doe^Jane"}, content_type=JSON)
    assert response.status_code == 422
    assert "lease_id" in response.json()["detail"]
    assert b"Doe" not in response.content


def broken(error: Exception) -> Any:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise error

    return fail


def test_what_breaks_says_nothing_of_the_patient_in_answer_or_log(
    reader: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("annotation.api.projects.project_rows", broken(ValueError("Doe^Jane")))
    response = factories.a_client(reader).get(f"{API}/projects")
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert "unhandled ValueError at" in caplog.text
    assert "Doe" not in caplog.text + response.content.decode()


def test_a_database_that_is_away_asks_to_try_again(reader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.api.projects.project_rows", broken(OperationalError("locked")))
    response = factories.a_client(reader).get(f"{API}/projects")
    assert (response.status_code, response.json()["code"]) == (503, "busy")
