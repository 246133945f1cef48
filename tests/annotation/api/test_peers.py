"""Peers, pulls and sendings by program: described, searched, fetched from, sent to; labels handed in."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import KeptAnswer, Role, User
from annotation.exchange.labels.models import LabelImport
from annotation.exchange.out.models import Export
from annotation.exchange.peers.models import Peer, Pull
from annotation.exchange.peers.sealing import unsealed
from annotation.exchange.sending.models import Sending
from annotation.projects.models import Project
from audit.models import Event
from jobs.models import Job
from tests import factories
from tests.annotation.api.programs import API, at, client, me, refusal, send
from tests.annotation.exchange.test_peers import ROW, UID, Archive, serving

__all__ = ["client", "me"]
pytestmark = pytest.mark.django_db
PACS = {"name": "PACS", "dicomweb_url": "https://pacs.example.org/dicom-web/"}


def test_a_peer_is_added_once_a_key_changed_listed_and_forgotten(client: Client, project: Project) -> None:
    key = {"Idempotency-Key": "one"}
    first, again = (send(client, "POST", "peers", PACS | {"secret": "s3cret"}, **key) for _ in range(2))
    assert (first.status_code, first.json()["has_secret"]) == (201, True)
    assert again["Idempotent-Replayed"] == "true"
    assert "s3cret" not in first.content.decode()
    path = f"peers/{first.json()['id']}"
    kept = send(client, "PUT", path, PACS | {"user_name": "viewer", "project": str(project.pk)}).json()
    assert (kept["user_name"], kept["has_secret"], kept["project"]) == ("viewer", True, str(project.pk))
    assert unsealed(Peer.objects.get().secret) == "s3cret"
    assert send(client, "PUT", path, PACS | {"secret": ""}).json()["has_secret"] is False
    send(client, "POST", "peers", PACS | {"name": "Archive"})
    page = client.get(f"{API}peers?size=1").json()
    rest = client.get(f"{API}peers?size=1&cursor={page['next']}").json()
    assert [page["peers"][0]["name"], rest["peers"][0]["name"], rest["next"]] == ["Archive", "PACS", None]
    assert send(client, "DELETE", path).status_code == 204
    assert send(client, "DELETE", path).status_code == 404
    assert Event.objects.filter(action="peer.remove").count() == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (PACS | {"name": ""}, "name: "),
        (PACS | {"port": 70000}, "port: "),
        (PACS | {"project": "00000000-0000-0000-0000-000000000001"}, "project: "),
        (PACS | {"dicomweb_url": "ftp://x"}, "DICOMweb address"),
        ({"name": "PACS"}, "Give a DICOMweb address, an AE title, or both."),
        (PACS | {"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_with_a_peer_is_named(client: Client, body: dict[str, Any], words: str) -> None:
    status, detail = refusal(send(client, "POST", "peers", body))
    assert (status, words in detail) == (422, True)
    assert not Peer.objects.exists()


def test_a_peer_is_asked_whether_it_answers_and_searched_and_nothing_of_it_is_kept(
    client: Client, project: Project
) -> None:
    archive = Archive(body=json.dumps([ROW]).encode())
    with serving(archive) as url:
        peer = send(client, "POST", "peers", PACS | {"dicomweb_url": url}).json()["id"]
        assert send(client, "POST", f"peers/{peer}/check").json()["answers"] is True
        body = {"peer": peer, "patient_name": "CANARY*"}
        found = send(client, "POST", at(project, "pulls/search"), body, **{"Idempotency-Key": "look"})
    [study] = found.json()["studies"]
    assert (study["uid"], study["patient_id"], found.json()["is_cut"]) == (UID, "P-17", False)
    assert found["Cache-Control"] == "no-store"
    again = send(client, "POST", at(project, "pulls/search"), body, **{"Idempotency-Key": "look"})
    assert (again.status_code, again.json()["code"]) == (409, "made_before")
    assert KeptAnswer.objects.filter(key="look").count() == 1
    event = Event.objects.get(action="peer.search")
    assert event.details == {"project": str(project.pk), "found": 1}
    with serving(Archive(status=500)) as url:
        Peer.objects.update(dicomweb_url=url)
        assert send(client, "POST", f"peers/{peer}/check").json()["answers"] is False
        status, detail = refusal(send(client, "POST", at(project, "pulls/search"), body))
    assert (status, detail.startswith("peer: "), "CANARY" in detail) == (422, True, False)


def test_studies_are_fetched_as_a_delivery_once_a_key(client: Client, project: Project) -> None:
    peer = send(client, "POST", "peers", PACS).json()["id"]
    wide = send(client, "POST", at(project, "pulls/search"), {"peer": peer, "patient_name": "*"})
    assert refusal(wide)[1].startswith("Say whom or what to look for")
    body, key = {"peer": peer, "studies": [UID]}, {"Idempotency-Key": "pull"}
    first, again = (send(client, "POST", at(project, "pulls"), body, **key) for _ in range(2))
    assert (first.status_code, first.json()["source_name"]) == (202, "PACS")
    assert again.json() == first.json()
    assert Job.objects.get(name="pull_studies").arguments == {"pull_id": str(Pull.objects.get().pk)}
    wrong = send(client, "POST", at(project, "pulls"), {"peer": peer, "studies": ["no uid"]})
    assert refusal(wrong) == (422, "studies: pick 1 to 100 studies")
    gone = send(client, "POST", at(project, "pulls"), {"peer": str(uuid4()), "studies": [UID]})
    assert gone.status_code == 404


def an_export(project: Project, me: User, format_: str = "dicom-seg") -> Export:
    name = default_storage.save(f"exports/{uuid4()}.zip", ContentFile(b"zip"))
    now = timezone.now()
    return Export.objects.create(
        project=project,
        format=format_,
        requested_by=me,
        created_at=now,
        file_name=name,
        file_bytes=3,
        expires_at=now + timedelta(days=1),
    )


def test_an_export_is_sent_once_a_key_and_its_sendings_are_listed(
    client: Client, project: Project, me: User
) -> None:
    peer = send(client, "POST", "peers", PACS).json()["id"]
    export = an_export(project, me)
    path, body = f"exports/{export.pk}/sendings", {"peer": peer, "way": "stow"}
    first, again = (send(client, "POST", path, body, **{"Idempotency-Key": "s"}) for _ in range(2))
    assert (first.status_code, first.json()["state"], first.json()["peer"]) == (202, "queued", "PACS")
    assert again["Idempotent-Replayed"] == "true"
    Sending.objects.update(results={"a.dcm": "", "b.dcm": "it is too large"})
    [line] = client.get(API + path).json()["sendings"]
    assert (line["taken"], line["refused"]) == (1, {"b.dcm": "it is too large"})
    assert refusal(send(client, "POST", path, body | {"way": "c_store"}))[0] == 422
    assert refusal(send(client, "POST", path, body | {"peer": str(uuid4())}))[0] == 404
    table = an_export(project, me, "csv")
    told = refusal(send(client, "POST", f"exports/{table.pk}/sendings", body))
    assert told[1].startswith("a PACS takes DICOM objects alone")


def test_exports_are_listed_page_by_page_in_as_many_queries_for_many(
    client: Client, project: Project, me: User
) -> None:
    made = [an_export(project, me) for _ in range(3)]
    first = client.get(API + at(project, "exports?size=2")).json()
    rest = client.get(API + at(project, f"exports?size=2&cursor={first['next']}")).json()
    shown = [one["id"] for one in first["exports"] + rest["exports"]]
    assert shown == [str(one.pk) for one in reversed(made)]
    with CaptureQueriesContext(connection) as few:
        client.get(API + at(project, "exports?size=1"))
    with CaptureQueriesContext(connection) as many:
        client.get(API + at(project, "exports?size=3"))
    assert len(few) == len(many)


@pytest.fixture
def staff(project: Project) -> Client:
    cache.clear()
    return factories.a_client(factories.a_member(project, Role.ML_STAFF))


def handed(client: Client, project: Project, key: str = "", **said: str) -> Any:
    told = {"source_name": "Labeler", "format": "csv", "mapping": "label=finding", **said}
    file = SimpleUploadedFile("given.csv", b"path,label\na.png,normal\n")
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(API + at(project, "label-imports"), told | {"file": file}, headers=headers)


def test_labels_are_handed_in_once_a_key_followed_and_agreed_to(staff: Client, project: Project) -> None:
    first, again = (handed(staff, project, "labels") for _ in range(2))
    assert (first.status_code, first.json()["state"], first.json()["use"]) == (202, "checking", "kept")
    assert again["Idempotent-Replayed"] == "true"
    made = LabelImport.objects.get()
    assert (made.mapping, Job.objects.filter(name="import_labels").count()) == ({"label": "finding"}, 1)
    path = at(project, f"label-imports/{made.pk}")
    assert "is being checked" in refusal(send(staff, "POST", f"{path}/agreement"))[1]
    lines = [["line 2", 1, "new", ""], ["line 3", None, "unmatched", "no case has this image"]]
    LabelImport.objects.update(state="checked", lines=lines, counts={"new": 1, "unmatched": 1})
    page = staff.get(f"{API}{path}/lines?size=1").json()
    rest = staff.get(f"{API}{path}/lines?size=1&after={page['next']}").json()
    assert (page["lines"][0]["case"], rest["lines"][0]["outcome"], rest["next"]) == (1, "unmatched", 0)
    agreed = send(staff, "POST", f"{path}/agreement")
    assert (agreed.status_code, agreed.json()["state"]) == (202, "writing")
    assert staff.get(API + path).json()["counts"] == {"new": 1, "unmatched": 1}
    assert send(staff, "POST", f"{path}/discard").status_code == 422


def test_labels_are_discarded_and_listed(staff: Client, project: Project) -> None:
    for name in ("One", "Two"):
        handed(staff, project, source_name=name)
    LabelImport.objects.filter(source_name="One").update(state="checked")
    one = LabelImport.objects.get(source_name="One")
    assert send(staff, "POST", at(project, f"label-imports/{one.pk}/discard")).json()["state"] == "discarded"
    first = staff.get(API + at(project, "label-imports?size=1")).json()
    rest = staff.get(API + at(project, f"label-imports?size=1&cursor={first['next']}")).json()
    assert [first["imports"][0]["source_name"], rest["imports"][0]["source_name"]] == ["Two", "One"]
    assert staff.get(API + at(project, f"label-imports/{uuid4()}")).status_code == 404


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"source_name": ""}, "source_name: Say whose labels these are."),
        ({"format": "xls"}, "format: "),
        ({"use": "all"}, "use: "),
        ({"mapping": "label finding"}, "mapping: "),
        ({"mapping": "label=tumour"}, "asks no question"),
    ],
)
def test_what_is_wrong_with_labels_is_named(
    staff: Client, project: Project, said: dict[str, str], words: str
) -> None:
    status, detail = refusal(handed(staff, project, **said))
    assert (status, words in detail) == (422, True)
    assert not LabelImport.objects.exists()
