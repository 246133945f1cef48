"""What administrators' programs do: as the pages, audited, once a key."""

import base64
import json
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import ApiToken, User
from annotation.projects.models import Membership, Project
from annotation.studies.models import Import, ImportedFile, QuarantinedFile
from audit.models import Event, Webhook
from audit.services import record
from jobs.models import Job, Lane, State
from tests import factories
from tests.annotation.api.programs import API, client, me, send
from tests.audit.test_webhooks import Receiver, receiver
from tests.factories import typed

__all__ = ["client", "me", "receiver"]

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def project() -> Project:
    return factories.a_project("Chest")


def test_a_person_is_invited_made_a_reader_disabled_and_enabled(client: Client, project: Project) -> None:
    invited = send(client, "POST", "people", {"username": "k.new", "email": "k@hospital.example"})
    assert (invited.status_code, "/invitation/" in invited.json()["url"]) == (201, True)
    person = invited.json()["person_id"]
    path = f"people/{person}/memberships/{project.pk}"
    assert send(client, "PUT", path, {"role": "reader", "adjudicates": True}).json()["project"] == "Chest"
    view = client.get(f"{API}people/{person}").json()
    assert [one["adjudicates"] for one in view["memberships"]] == [True]
    assert send(client, "PATCH", f"people/{person}", {"is_active": False}).json()["is_active"] is False
    refused = send(client, "POST", f"people/{person}/link")
    assert (refused.status_code, refused.json()["code"]) == (422, "standing_refused")
    assert send(client, "PATCH", f"people/{person}", {"is_active": True}).json()["is_active"] is True
    assert send(client, "POST", f"people/{person}/link").status_code == 201
    assert send(client, "DELETE", f"people/{person}/factors").json() == {"ended": 0}
    assert send(client, "DELETE", f"people/{person}/locks").status_code == 204
    assert send(client, "DELETE", f"people/{person}/sessions").json() == {"ended": 0}
    assert send(client, "DELETE", path).status_code == 204
    assert not Membership.objects.exists()
    acts = set(Event.objects.filter(object_id=person).values_list("action", flat=True))
    assert {"person.add", "person.invite", "person.disable", "person.enable", "person.unlock"} <= acts


def test_nobody_disables_themselves_or_the_last_administrator(client: Client, me: User) -> None:
    answer = send(client, "PATCH", f"people/{me.pk}", {"is_active": False})
    assert (answer.status_code, "Ask another administrator" in answer.json()["detail"]) == (422, True)


def test_two_changes_of_which_one_cannot_be_change_nothing(me: User) -> None:
    me.set_unusable_password()
    me.save()
    program = typed(factories.a_client(me))
    last = factories.a_user("c.last", is_admin=True)
    answer = send(program, "PATCH", f"people/{last.pk}", {"is_active": False, "is_admin": False})
    last.refresh_from_db()
    assert (answer.status_code, last.is_active, last.is_admin) == (422, True, True)


@pytest.mark.parametrize(
    ("body", "words"), [({"username": "a.berg"}, "username"), ({"username": "x", "email": "no"}, "email")]
)
def test_who_cannot_be_added_is_told_by_the_field(client: Client, body: dict[str, str], words: str) -> None:
    answer = send(client, "POST", "people", body)
    assert (answer.status_code, answer.json()["detail"].startswith(words)) == (422, True)


def test_people_are_walked_by_name(client: Client) -> None:
    for name in "bcdef":
        factories.a_user(f"{name}.person")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(f"{API}people", {"size": "2", "cursor": cursor}).json()
        seen += [one["username"] for one in page["people"]]
        cursor = page["next"]
    assert seen == ["a.berg", *(f"{name}.person" for name in "bcdef")]
    assert len(client.get(f"{API}people", {"words": "c.per"}).json()["people"]) == 1


def test_a_token_is_made_listed_and_revoked(client: Client, me: User) -> None:
    made = send(client, "POST", "tokens", {"name": "backup", "scopes": ["export"], "days": 7})
    assert (made.status_code, len(made.json()["key"]) > 40) == (201, True)
    assert "key" not in client.get(f"{API}tokens").json()[0]
    assert len(client.get(f"{API}people/{me.pk}/tokens").json()) == 1
    assert send(client, "DELETE", f"tokens/{made.json()['id']}").status_code == 204
    assert ApiToken.objects.get().revoked_at is not None


def test_jobs_are_listed_cancelled_and_tried_again(client: Client) -> None:
    job = Job.objects.create(
        name="refit", lane=Lane.LIGHT, arguments={}, state=State.FAILED, error="x", created_at=timezone.now()
    )
    assert client.get(f"{API}jobs", {"state": "done"}).json()["jobs"] == []
    assert client.get(f"{API}jobs").json()["jobs"][0]["error"] == "x"
    again = send(client, "POST", f"jobs/{job.pk}/retry").json()
    assert send(client, "POST", f"jobs/{again['id']}/cancel").json()["state"] == "cancelled"
    assert send(client, "POST", f"jobs/{again['id']}/cancel").status_code == 200
    outcomes = list(Event.objects.filter(action="job.cancel").values_list("outcome", flat=True))
    assert outcomes == ["ok", "unchanged"]


def test_the_audit_log_is_searched_checked_and_exported(client: Client, me: User) -> None:
    for number in range(5):
        record(actor=str(me.pk), action="case.view", object_type="case", object_id=f"c{number}")
    first = client.get(f"{API}audit", {"action": "case.view", "size": "2"}).json()
    rest = client.get(
        f"{API}audit", {"action": "case.view", "before": str(first["next"]), "size": "9"}
    ).json()
    assert [one["object_id"] for one in first["events"] + rest["events"]] == ["c4", "c3", "c2", "c1", "c0"]
    assert first["events"][0]["actor_name"] == "a.berg"
    asked = send(client, "POST", "audit/check")
    assert (asked.status_code, asked.json()["job"]) == (202, str(Job.objects.get().pk))
    assert client.get(f"{API}audit/check").json()["checked_at"] is None
    exported = client.get(f"{API}audit/export", {"action": "case.view"})
    lines = b"".join(exported.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 5
    assert Event.objects.filter(action="audit.export").count() == 1


def test_a_webhook_is_added_changed_and_removed(client: Client) -> None:
    body = {"name": "SIEM", "url": "https://siem.example/in", "actions": ["sign_in"]}
    made = send(client, "POST", "webhooks", body).json()
    assert made["secret"].startswith("whsec_")
    changed = send(client, "PUT", f"webhooks/{made['id']}", body | {"is_active": False}).json()
    assert ("secret" in changed, changed["is_active"]) == (False, False)
    wrong = send(client, "PUT", f"webhooks/{made['id']}", body | {"url": "ftp://x"})
    assert (wrong.status_code, "https://" in wrong.json()["detail"]) == (422, True)
    assert send(client, "DELETE", f"webhooks/{made['id']}").status_code == 204
    assert send(client, "DELETE", f"webhooks/{made['id']}").status_code == 404
    assert not Webhook.objects.exists()


def test_a_webhook_is_tried_and_says_what_came_of_it(client: Client, receiver: Receiver) -> None:
    body = {"name": "Board", "url": receiver.url, "actions": ["*"]}
    path = f"webhooks/{send(client, 'POST', 'webhooks', body).json()['id']}/try"
    assert send(client, "POST", path).json()["was_taken"] is True
    receiver.status = 500
    refused = send(client, "POST", path).json()
    assert (refused["was_taken"], "it answers 500" in refused["words"]) == (False, True)
    assert Event.objects.filter(action="webhook.try").count() == 2
    assert send(client, "POST", f"webhooks/{uuid4()}/try").status_code == 404


def test_imports_and_their_files_are_walked(client: Client, project: Project) -> None:
    delivery = Import.objects.create(
        dataset=project.dataset, project_id=project.pk, source_name="ward", created_at=timezone.now()
    )
    ImportedFile.objects.bulk_create(
        ImportedFile(delivery=delivery, path=f"{n}.png", outcome="stored") for n in range(5)
    )
    assert client.get(f"{API}projects/{project.pk}/imports").json()["imports"][0]["source_name"] == "ward"
    path = f"{API}imports/{delivery.pk}/files"
    first = client.get(path, {"size": 3}).json()
    rest = client.get(path, {"size": 3, "cursor": first["next"]}).json()
    assert [one["path"] for one in first["files"] + rest["files"]] == [f"{n}.png" for n in range(5)]
    assert rest["next"] is None


def test_a_held_file_is_discarded_and_brought_back(client: Client, project: Project) -> None:
    digest = uuid4().hex * 2
    default_storage.save(f"quarantine/{digest[:2]}/{digest}.png", ContentFile(b"\x89PNG"))
    held = QuarantinedFile.objects.create(
        dataset=project.dataset,
        project_id=project.pk,
        source_digest=digest,
        kind=QuarantinedFile.Kind.PIXELS,
        reason="(0028,0301) Burned In Annotation is YES",
        created_at=timezone.now(),
    )
    listed = client.get(f"{API}projects/{project.pk}/quarantine").json()["files"]
    assert [one["id"] for one in listed] == [str(held.pk)]
    assert send(client, "POST", f"quarantine/{held.pk}/discard").json()["state"] == "discarded"
    again = send(client, "POST", f"quarantine/{held.pk}/discard")
    assert (again.status_code, again.json()["code"]) == (422, "refused")
    assert send(client, "POST", f"quarantine/{held.pk}/return").json()["state"] == "held"


def test_storage_health_and_settings_are_told_without_a_secret(
    client: Client, project: Project, settings: Settings
) -> None:
    settings.OIDC_CLIENT_SECRET = settings.EMAIL_HOST_PASSWORD = "kept to ourselves"
    quota = send(client, "PUT", f"projects/{project.pk}/storage", {"quota_cases": 5}).json()
    assert (quota["quota_cases"], quota["cases"]) == (5, 0)
    assert client.get(f"{API}health").json()["unapplied_migrations"] == []
    told = client.get(f"{API}settings").content.decode() + client.get("/settings").content.decode()
    assert "FOVEA_OIDC_CLIENT_SECRET" in told
    assert "kept to ourselves" not in told
    assert settings.SECRET_KEY not in told


def test_nobody_is_found_by_what_no_text_has_and_such_a_cursor_is_refused(
    client: Client, project: Project
) -> None:
    assert client.get(f"{API}people", {"words": "a\0b"}).json()["people"] == []
    assert client.get("/people", {"q": "a\0b"}).status_code == 200
    cursor = base64.urlsafe_b64encode(json.dumps(["a\0b", str(uuid4())]).encode()).decode()
    assert client.get(f"{API}people", {"cursor": cursor}).json()["code"] == "cursor_invalid"
    cases = client.get(f"{API}projects/{project.pk}/cases", {"site": "a\0b"})
    assert (cases.status_code, cases.json()["cases"]) == (200, [])
