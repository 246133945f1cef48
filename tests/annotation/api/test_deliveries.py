"""Images in by program: announced, sent in pieces and started, with a session or a token."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.scopes import Scope
from accounts.tokens import Wish, make_token
from annotation.exchange import sent, uploads
from annotation.projects.models import Project
from annotation.studies.models import Import
from audit.models import Event
from jobs.models import Job
from tests import factories
from tests.annotation.api.programs import API, send

pytestmark = pytest.mark.django_db
FILES = [{"path": "labels.csv", "size": 3}, {"path": "x/1.png", "size": 2}]


@pytest.fixture
def me() -> User:
    cache.clear()
    return factories.a_user(is_admin=True)


def a_token(user: User, scope: Scope = Scope.IMPORT) -> dict[str, str]:
    _, key = make_token(user=user, wish=Wish("sender", [scope.value], 1), now=timezone.now())
    return {"Authorization": f"Bearer {key}"}


def announced(client: Client, project: Project, files: Any = FILES, **headers: str) -> Any:
    body = {"source_name": "ward-3", "modality": "DX", "pictures_cleared": True, "files": files}
    return send(client, "POST", f"projects/{project.pk}/imports", body, **headers)


def put(client: Client, import_id: str, spans: str, content: bytes, **headers: str) -> Any:
    return client.put(
        f"{API}imports/{import_id}/pieces",
        content,
        content_type="application/octet-stream",
        headers={"Upload-Pieces": spans} | headers,
    )


def test_the_same_bytes_for_another_place_are_another_request(me: User, project: Project) -> None:
    program, key = factories.a_client(me), {"Idempotency-Key": "pieces"}
    delivery = announced(
        program, project, [{"path": "a.csv", "size": 3}, {"path": "b.csv", "size": 3}]
    ).json()["id"]
    assert put(program, delivery, "0:0:3", b"abc", **key).status_code == 204
    refused = put(program, delivery, "1:0:3", b"abc", **key)
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_conflict")


def test_a_token_sends_a_delivery_and_follows_it_without_a_session(me: User, project: Project) -> None:
    program, key = factories.a_client(csrf=True), a_token(me)
    told = announced(program, project, **key)
    assert (told.status_code, told.json()["piece_bytes"]) == (201, uploads.PIECE_BYTES)
    delivery = told.json()["id"]
    early = send(program, "POST", f"imports/{delivery}/start", **key)
    assert (early.status_code, early.json()["code"]) == (409, "out_of_order")
    for _ in range(2):
        assert put(program, delivery, "0:0:3,1:0:2", b"abc12", **key).status_code == 204
    first, again = (send(program, "POST", f"imports/{delivery}/start", **key) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()["source_name"]) == (202, 202, "ward-3")
    assert Job.objects.get(name="import_delivery").arguments == {"import_id": delivery}
    folder = uploads.source_of(settings.HOME.spool, Import.objects.get().pk)
    assert sorted(one.name for one in folder.rglob("*.*")) == ["1.png", "labels.csv"]
    assert program.get(f"{API}imports/{delivery}", headers=key).json()["state"] == "waiting"
    assert program.get(f"{API}imports/{delivery}/files", headers=key).json()["files"] == []
    event = Event.objects.get(action="import.start")
    assert (event.actor, event.remote_address) == (str(me.pk), "127.0.0.1")


def test_a_token_of_another_scope_or_of_no_administrator_sends_nothing(me: User, project: Project) -> None:
    program = factories.a_client()
    other = announced(program, project, **a_token(me, Scope.EXPORT))
    assert (other.status_code, other.json()["detail"]) == (403, "the token is not for import")
    reader = announced(program, project, **a_token(factories.a_reader(project)))
    assert (reader.status_code, reader.json()["code"]) == (403, "forbidden")
    assert announced(program, project, Authorization="Bearer fovea_nothing").status_code == 401
    for path in ("peers", "people", f"projects/{project.pk}/protocol"):
        assert program.get(API + path, headers=a_token(me)).status_code == 401
    assert not Import.objects.exists()


def test_a_session_announces_once_a_key(me: User, project: Project) -> None:
    client = factories.a_client(me)
    first, again = (announced(client, project, **{"Idempotency-Key": "one"}) for _ in range(2))
    assert (first.json(), again["Idempotent-Replayed"]) == (again.json(), "true")
    assert Import.objects.count() == 1
    other = factories.a_client(factories.a_user(is_admin=True))
    assert put(other, first.json()["id"], "0:0:3", b"abc").status_code == 404
    assert put(client, str(uuid4()), "0:0:3", b"abc").status_code == 404


def test_a_start_that_failed_once_is_asked_for_again(
    me: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = factories.a_client(me)
    delivery = announced(client, project).json()["id"]
    assert put(client, delivery, "0:0:3,1:0:2", b"abc12").status_code == 204

    def broken(**_told: object) -> None:
        raise OSError("no broker")

    with monkeypatch.context() as patched:
        patched.setattr(sent, "ask", broken)
        assert send(client, "POST", f"imports/{delivery}/start").status_code == 507
    assert send(client, "POST", f"imports/{delivery}/start").status_code == 202
    assert Job.objects.get(name="import_delivery").arguments == {"import_id": delivery}
    folder = uploads.source_of(settings.HOME.spool, Import.objects.get().pk)
    assert sorted(one.name for one in folder.rglob("*.*")) == ["1.png", "labels.csv"]


def test_an_announcement_that_finds_no_room_leaves_nothing(
    me: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = factories.a_client(me)

    def full(*_told: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=9))
        answer = announced(client, project)
        assert (answer.status_code, answer.json()["code"]) == (422, "upload_refused")
        assert "free disk space" in answer.json()["detail"]
    there = set(settings.HOME.spool.iterdir())
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        assert announced(client, project).status_code == 507
    assert not Import.objects.exists()
    assert not Event.objects.filter(action="import.open").exists()
    assert set(settings.HOME.spool.iterdir()) == there


def test_a_person_announces_only_so_many_deliveries_that_are_not_sent(
    me: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent, "MOST_OPEN", 2, raising=False)
    client = factories.a_client(me)
    first, _ = (announced(client, project).json()["id"] for _ in range(2))
    refused = announced(client, project)
    assert (refused.status_code, refused.json()["code"]) == (422, "upload_refused")
    assert "2 deliveries that you announced were not sent to their end" in refused.json()["detail"]
    other = factories.a_client(factories.a_user(is_admin=True))
    assert announced(other, project).status_code == 201
    put(client, first, "0:0:3,1:0:2", b"abc12")
    assert send(client, "POST", f"imports/{first}/start").status_code == 202
    assert announced(client, project).status_code == 201


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        ([], "invalid", "files"),
        ([{"path": "a.png"}], "invalid", "files.0.size"),
        ([{"path": "../a.png", "size": 1}], "upload_refused", "leaves the folder"),
        ([{"path": "a.png", "size": 1}, {"path": "a.png", "size": 1}], "upload_refused", "the same path"),
        ([{"path": "a.png", "size": 2**50}], "upload_refused", "It is larger than"),
    ],
)
def test_what_is_wrong_with_a_list_is_said(
    me: User, project: Project, files: Any, code: str, words: str
) -> None:
    refused = announced(factories.a_client(me), project, files)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert words in refused.json()["detail"]
    assert refused["Content-Type"] == "application/problem+json"
    assert not Import.objects.exists()


def test_pieces_that_do_not_fit_are_refused(me: User, project: Project) -> None:
    client = factories.a_client(me)
    delivery = announced(client, project).json()["id"]
    assert put(client, delivery, "nonsense", b"abc").json()["code"] == "upload_refused"
    assert put(client, delivery, "0:1:2", b"bc").json()["code"] == "out_of_order"
    assert put(client, delivery, "0:0:9", b"abcabcabc").json()["code"] == "upload_refused"


def test_a_delivery_s_site_is_named_and_its_certificate_given(me: User, project: Project) -> None:
    client = factories.a_client(me)
    delivery = announced(client, project).json()["id"]
    path = f"projects/{project.pk}/imports/{delivery}/site"
    assert send(client, "PUT", path, {"site": " Site A "}).json() == {"site": "Site A"}
    assert Import.objects.get().site == "Site A"
    assert send(client, "PUT", path, {"site": "x" * 65}).status_code == 422
    other = factories.a_project()
    assert send(client, "PUT", path.replace(str(project.pk), str(other.pk)), {"site": "B"}).status_code == 404
    stated = client.get(f"{API}imports/{delivery}/certificate").json()
    assert (stated["import"], stated["certificate"]) == (delivery, "De-identification of a delivery")
    assert client.get(f"{API}imports/{uuid4()}/certificate").status_code == 404
