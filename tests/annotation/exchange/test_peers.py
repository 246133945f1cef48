"""Peers: what may be said of them, how their secrets lie, and whom we call."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from accounts.models import User
from annotation.exchange.peers.client import FoundStudy, PeerAwayError, PeerError, Wish, search
from annotation.exchange.peers.models import Peer, Pull
from annotation.exchange.peers.rules import PeerRefusedError
from annotation.exchange.peers.sealing import SealBrokenError, seal, unsealed
from annotation.exchange.peers.services import Described, save_peer
from annotation.projects.models import Project
from annotation.studies.models import Import
from audit.models import Event
from jobs.models import Job
from tests import factories

pytestmark = pytest.mark.django_db
NAME, UID = "CANARY^ANNA", "1.2.840.4711.1"
ROW = {
    "0020000D": {"vr": "UI", "Value": [UID]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": NAME}]},
    "00100020": {"vr": "LO", "Value": ["P-17"]},
    "00080061": {"vr": "CS", "Value": ["CT", "PT"]},
    "00201208": {"vr": "IS", "Value": [12]},
}


@dataclass
class Archive:
    """A server that answers every request in one way, and keeps what came."""

    status: int = 200
    body: bytes = b"[]"
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def serving(archive: Archive) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            archive.asked.append((self.path, dict(self.headers)))
            self.send_response(archive.status)
            for name, value in archive.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(archive.body)))
            self.end_headers()
            self.wfile.write(archive.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/dicom-web"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def admin() -> User:
    return factories.a_user(is_admin=True)


def a_peer(admin: User, **more: Any) -> Peer:
    told = {"name": "PACS", "dicomweb_url": "https://pacs.example.org/dicom-web/"} | more
    return save_peer(
        peer_id=None, described=Described(**told), by=admin, now=timezone.now(), address="127.0.0.1"
    )


def changed(peer: Peer, admin: User, **more: Any) -> Peer:
    described = Described(**({"name": "PACS"} | more))
    return save_peer(peer_id=peer.pk, described=described, by=admin, now=timezone.now(), address="")


def test_a_secret_is_sealed_and_bound_to_the_installation() -> None:
    sealed = seal("open sesame")
    assert "sesame" not in sealed
    assert unsealed(sealed) == "open sesame"
    with override_settings(SECRET_KEY="another"), pytest.raises(SealBrokenError):
        unsealed(sealed)
    with override_settings(SECRET_KEY="newer", SECRET_KEY_FALLBACKS=["older"]):
        assert unsealed(seal("x")) == "x"


def test_a_secret_stays_with_the_host_that_it_was_typed_for(admin: User) -> None:
    peer = a_peer(admin, secret="open sesame")
    peer = changed(peer, admin, dicomweb_url="https://pacs.example.org/other")
    assert unsealed(peer.secret) == "open sesame"
    peer = changed(peer, admin, dicomweb_url="https://evil.example.org/dicom-web")
    assert peer.secret == ""
    assert list(Event.objects.filter(object_type="peer").values_list("action", flat=True)) == [
        *("peer.add", "peer.change", "peer.change"),
    ]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"dicomweb_url": "file:///etc/passwd"}, "begins with http"),
        ({"dicomweb_url": "https://user:pass@pacs/x"}, "without a name"),
        ({"dicomweb_url": "https://pacs/x?y=1"}, "without a name"),
        ({"dicomweb_url": "https:///x"}, "names a host"),
        ({"dicomweb_url": "", "ae_title": ""}, "or both"),
        ({"ae_title": "A\\B"}, "AE title"),
        ({"host": "a b"}, "host"),
        ({"ae_title": "CT1", "sends": True}, "a project for its images"),
    ],
)
def test_what_is_no_peer_is_refused_in_words(admin: User, told: dict[str, Any], words: str) -> None:
    with pytest.raises(PeerRefusedError, match=words):
        a_peer(admin, **told)


def test_a_search_says_who_we_are_and_reads_what_comes(admin: User) -> None:
    archive = Archive(body=json.dumps([ROW, {"0020000D": {"vr": "UI", "Value": ["../admin"]}}]).encode())
    with serving(archive) as url:
        peer = a_peer(admin, dicomweb_url=url, user_name="fovea", secret="s")
        [found] = search(peer, Wish(patient_name="CANARY*"))
    assert found == FoundStudy(UID, "CANARY ANNA", "P-17", "", "CT PT", "", 12)
    [(path, headers)] = archive.asked
    assert path.startswith("/dicom-web/studies?PatientName=CANARY")
    assert headers["Authorization"] == "Basic Zm92ZWE6cw=="


def test_a_redirect_to_another_host_is_not_followed(admin: User) -> None:
    other = Archive(body=b"[]")
    with (
        serving(other) as elsewhere,
        serving(Archive(302, headers={"Location": elsewhere})) as url,
        pytest.raises(PeerError, match="redirects are not followed"),
    ):
        search(a_peer(admin, dicomweb_url=url, secret="s"), Wish(patient_id="1"))
    assert other.asked == []


@pytest.mark.parametrize(
    ("archive", "kind", "words"),
    [
        (Archive(401), PeerError, "refuses our user name"),
        (Archive(503), PeerAwayError, "cannot answer now"),
        (Archive(200, b"<html>"), PeerError, "not DICOM JSON"),
        (Archive(200, b"{}"), PeerError, "not DICOM JSON"),
    ],
)
def test_what_a_peer_does_wrong_is_said_in_words(
    admin: User, archive: Archive, kind: type[PeerError], words: str
) -> None:
    with serving(archive) as url, pytest.raises(kind, match=words):
        search(a_peer(admin, dicomweb_url=url), Wish(patient_id="1"))


def test_a_peer_that_is_away_is_asked_again_later(admin: User) -> None:
    with serving(Archive()) as url:
        peer = a_peer(admin, dicomweb_url=url)
    with pytest.raises(PeerAwayError, match="does not answer"):
        search(peer, Wish(patient_id="1"))


@pytest.fixture
def project() -> Project:
    return factories.a_project()


def test_what_is_searched_for_is_kept_nowhere(
    admin: User, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    browser = factories.a_client(admin)
    with serving(Archive(body=json.dumps([ROW]).encode())) as url:
        peer = a_peer(admin, dicomweb_url=url)
        told = {"peer": str(peer.pk), "patient_name": "CANARY*", "patient_id": "P-17"}
        answer = browser.post(f"/projects/{project.pk}/pull/search", told)
    assert NAME.replace("^", " ") in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    event = Event.objects.get(action="peer.search")
    assert event.details == {"project": str(project.pk), "found": 1}
    assert "CANARY" not in caplog.text
    assert "P-17" not in caplog.text


def test_nobody_asks_for_everything(admin: User, project: Project) -> None:
    with serving(Archive()) as url:
        peer = a_peer(admin, dicomweb_url=url)
        told = {"peer": str(peer.pk), "patient_name": "*", "modality": "CT"}
        answer = factories.a_client(admin).post(f"/projects/{project.pk}/pull/search", told)
    assert answer.status_code == 422
    assert "Say whom or what to look for" in answer.content.decode()


def test_what_is_picked_is_sealed_until_it_is_fetched(admin: User, project: Project) -> None:
    peer = a_peer(admin)
    told = {"peer": str(peer.pk), "study": [UID, UID, "1.2.3"]}
    answer = factories.a_client(admin).post(f"/projects/{project.pk}/pull/start", told)
    pull = Pull.objects.get()
    assert answer["Location"] == f"/imports/{pull.delivery_id}"
    assert json.loads(unsealed(pull.wanted)) == [UID, "1.2.3"]
    assert UID not in json.dumps([pull.wanted, Job.objects.get(name="pull_studies").arguments])
    assert Event.objects.get(action="peer.pull").details["studies"] == 2


def test_studies_without_a_uid_are_refused(admin: User, project: Project) -> None:
    told = {"peer": str(a_peer(admin).pk), "study": ["../../etc"]}
    answer = factories.a_client(admin).post(f"/projects/{project.pk}/pull/start", told)
    assert answer.status_code == 422
    assert not Import.objects.exists()


def test_a_peer_is_added_changed_and_removed_in_the_browser(admin: User, project: Project) -> None:
    browser: Client = factories.a_client(admin)
    answer = browser.post("/peers/new", {"name": "CT 1", "ae_title": "CT1", "host": "10.1.2.3"})
    assert answer["Location"].startswith("/confirm")
    browser.post("/confirm", {"password": factories.PASSWORD, "next": "/peers"})
    sent = {"name": "CT 1", "ae_title": "CT1", "host": "10.1.2.3", "sends": "on", "project": project.pk}
    assert browser.post("/peers/new", sent).status_code == 302
    peer = Peer.objects.get()
    assert (peer.sends, peer.project) == (True, project)
    page = browser.get(f"/peers/{peer.pk}").content.decode()
    assert "10.1.2.3" in page
    assert browser.post(f"/peers/{peer.pk}", sent | {"host": ""}).status_code == 422
    assert browser.post(f"/peers/{peer.pk}/remove").status_code == 302
    assert not Peer.objects.exists()
