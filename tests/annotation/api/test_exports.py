"""The export API: tokens with their scope, each kind of person, fetching audited once, expiry."""

import io
import zipfile
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.confirming import TYPED_AT
from accounts.models import Role, User
from accounts.tokens import Wish, make_token
from annotation.exchange.out.models import Export
from annotation.learning.drawn_models import PixelHead
from annotation.projects.models import Project
from annotation.projects.services import set_membership
from audit.models import Event
from tests import factories
from tests.annotation.api.programs import API
from tests.annotation.exchange.out.conftest import do_job, read_all

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.authorization]


@pytest.fixture
def project() -> Project:
    made = factories.a_project()
    factories.some_cases(made, 2)
    read_all(made, lambda _case: {"finding": "normal"})
    return made


@pytest.fixture
def staff(project: Project) -> User:
    return factories.a_member(project, Role.ML_STAFF)


def a_key(user: User, scope: str = "export") -> str:
    return make_token(user=user, wish=Wish("test", [scope], 1), now=timezone.now())[1]


def asked(key: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Send a request with a token and no session."""
    headers = {"authorization": f"Bearer {key}"}
    client = Client()
    if body is None:
        return client.get(API + path, headers=headers)
    return client.post(API + path, body, content_type="application/json", headers=headers)


def done(export_id: str) -> None:
    """Do an export's job here."""
    do_job(Export.objects.get(pk=export_id).job_id)


def content_of(response: HttpResponse) -> bytes:
    return b"".join(response)


def test_a_token_freezes_follows_and_fetches(project: Project, staff: User) -> None:
    key = a_key(staff)
    assert [one["name"] for one in asked(key, "exports/projects").json()] == [project.name]
    made = asked(key, f"projects/{project.pk}/exports", {"format": "csv"})
    assert (made.status_code, made.json()["state"]) == (202, "queued")
    assert asked(key, f"exports/{made.json()['id']}/file").status_code == 410
    done(made.json()["id"])
    told = asked(key, f"exports/{made.json()['id']}").json()
    assert (told["state"], told["report"]["counts"]) == ("done", {"rows": 2})
    assert told["snapshot"] == asked(key, f"projects/{project.pk}/snapshots").json()[0]["digest"]
    fetched = asked(key, f"exports/{told['id']}/file")
    with zipfile.ZipFile(io.BytesIO(content_of(fetched))) as archive:
        assert "readings.csv" in archive.namelist()
    assert fetched["Cache-Control"] == "no-store"
    (event,) = Event.objects.filter(action="export.fetch")
    assert (event.actor, event.details["format"]) == (str(staff.pk), "csv")


def test_the_same_snapshot_is_found_by_the_beginning_of_its_digest(project: Project, staff: User) -> None:
    key = a_key(staff)
    first = asked(key, f"projects/{project.pk}/exports", {"format": "csv"}).json()
    done(first["id"])
    digest = asked(key, f"exports/{first['id']}").json()["snapshot"]
    for name in ("latest", digest[:10]):
        again = asked(key, f"projects/{project.pk}/exports", {"format": "jsonl", "snapshot": name})
        assert again.json()["snapshot"] == digest
    missing = asked(key, f"projects/{project.pk}/exports", {"format": "jsonl", "snapshot": "0" * 12})
    assert missing.status_code == 404
    assert asked(key, f"projects/{project.pk}/exports", {"format": "docx"}).status_code == 422


def test_a_token_of_another_scope_takes_nothing_out(project: Project, staff: User) -> None:
    key = a_key(staff, "dicomweb:read")
    assert asked(key, "exports/projects").status_code == 403
    assert asked(key, f"projects/{project.pk}/exports", {"format": "csv"}).status_code == 403


def test_a_pixel_head_is_not_taken_out_and_it_is_said_why_and_what_can_be(
    project: Project, staff: User
) -> None:
    head = PixelHead.objects.create(
        project=project,
        question="lung",
        kind="segmentation",
        number=2,
        classes=["lung"],
        artefact_name="heads/x",
        artefact_digest="0" * 64,
        case_count=3,
        job_id=uuid4(),
        seconds=1.0,
        created_at=timezone.now(),
    )
    key = a_key(staff)
    refused = asked(key, f"projects/{project.pk}/models/{head.pk}/exports", {"format": "model-onnx"})
    told = refused.json()
    assert (refused.status_code, told["code"]) == (422, "not_portable")
    assert "pixel head 2 of “lung” is a filter bank and trees" in told["detail"]
    assert "DICOM SEG, NIfTI, COCO" in told["detail"]
    other = factories.a_project()
    set_membership(project=other, user=staff, role=Role.ML_STAFF)
    missing = asked(key, f"projects/{other.pk}/models/{head.pk}/exports", {"format": "model-onnx"})
    assert missing.status_code == 404


def test_each_kind_of_person_gets_what_their_role_says_with_a_token(project: Project, staff: User) -> None:
    export = asked(a_key(staff), f"projects/{project.pk}/exports", {"format": "csv"}).json()["id"]
    other = factories.a_project()
    people = {
        "stranger": factories.a_reader(other),
        "foreign staff": factories.a_member(other, Role.ML_STAFF),
        "reader": factories.a_reader(project),
        "staff": staff,
        "admin": factories.a_user(is_admin=True),
    }
    paths = (f"projects/{project.pk}/snapshots", f"exports/{export}", f"exports/{export}/file")
    got = {
        name: [asked(a_key(person), path).status_code for path in paths] for name, person in people.items()
    }
    assert got == {
        "stranger": [404, 404, 404],
        "foreign staff": [404, 404, 404],
        "reader": [403, 403, 403],
        "staff": [200, 200, 410],
        "admin": [200, 200, 410],
    }
    assert asked("fovea_nobody", paths[0]).status_code == 401


def test_a_session_confirms_before_it_makes_or_fetches(project: Project, staff: User) -> None:
    client = factories.a_client(staff)
    path = f"{API}projects/{project.pk}/exports"
    refused = client.post(path, {"format": "csv"}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "confirm_first")
    client.post("/confirm", {"password": factories.PASSWORD, "next": "/"})
    assert client.post(path, {"format": "csv"}, content_type="application/json").status_code == 202


def test_an_expired_export_is_gone(project: Project, staff: User) -> None:
    key = a_key(staff)
    export = asked(key, f"projects/{project.pk}/exports", {"format": "csv"}).json()["id"]
    done(export)
    Export.objects.filter(pk=export).update(expires_at=timezone.now() - timedelta(seconds=1))
    gone = asked(key, f"exports/{export}/file")
    assert (gone.status_code, gone.json()["code"]) == (410, "gone")
    assert not Event.objects.filter(action="export.fetch").exists()


def test_the_page_follows_an_export_from_asked_to_fetched(project: Project, staff: User) -> None:
    client = factories.a_client(staff)
    page = f"/projects/{project.pk}/exports"
    assert "Nothing was exported yet" in client.get(page).content.decode()
    choice = {"snapshot": "now", "format": "parquet"}
    away = client.post(f"{page}/start", choice)
    assert away["Location"].startswith("/confirm?next=")
    assert not Export.objects.exists()
    session = client.session
    session[TYPED_AT] = timezone.now().timestamp()
    session.save()
    assert client.post(f"{page}/start", choice)["Location"] == page
    export = Export.objects.get()
    assert "Waiting" in client.get(page).content.decode()
    assert client.get(f"{page}/{export.pk}/file")["Location"] == page
    done(str(export.pk))
    assert client.get(f"{page}?part=list").status_code == 204
    shown = client.get(page).content.decode()
    assert "Ready" in shown
    assert project.name in shown
    fetched = client.get(f"{page}/{export.pk}/file")
    assert content_of(fetched)[:2] == b"PK"  # type: ignore[arg-type]
    assert Event.objects.filter(action="export.fetch").count() == 1
    assert client.post(f"{page}/start", {"snapshot": "now", "format": ""}).status_code == 422
    assert client.post(f"{page}/start", {"snapshot": "0" * 64, "format": "csv"}).status_code == 422


def test_a_project_without_readings_says_what_to_do() -> None:
    project = factories.a_project()
    client = factories.a_client(factories.a_member(project, Role.ML_STAFF))
    assert "Nothing to export yet" in client.get(f"/projects/{project.pk}/exports").content.decode()
