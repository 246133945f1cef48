"""Labels sent to a PACS of the field's own on the loopback: each object taken, and taken once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Role, User
from annotation.exchange.out.models import Export
from annotation.exchange.out.services import request_export
from annotation.exchange.peers.models import Peer
from annotation.exchange.peers.services import Described, save_peer
from annotation.exchange.sending.models import Sending
from annotation.exchange.sending.services import request_sending
from annotation.projects.models import Project
from annotation.projects.rules import ForbiddenError, RefusedError
from audit.models import Event
from jobs.models import Job, State
from tests import factories, phantoms
from tests.annotation.exchange.conftest import write
from tests.annotation.exchange.out.conftest import (
    a_drawing_project,
    do_job,
    drawn_on,
    imported,
    read_all,
)
from tests.browser.serving import free_port
from tests.processes.orthanc import Orthanc, dcmtk, running_orthanc

pytestmark = [pytest.mark.processes, pytest.mark.peers, pytest.mark.django_db]
TITLE = "ORTHANC"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Orthanc]:
    with running_orthanc(tmp_path_factory.mktemp("pacs"), dicom_port=port) as running:
        yield running


@pytest.fixture
def admin() -> User:
    return factories.a_user(is_admin=True)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A series that a reader drew everything on."""
    made = a_drawing_project()
    for number, content in enumerate(phantoms.series(3)):
        write(tmp_path / "in", f"{number}.dcm", content)
    imported(made, tmp_path / "in")
    read_all(made, drawn_on)
    return made


def exported(project: Project, admin: User, name: str) -> Export:
    made = request_export(project=project, name=name, snapshot=None, by=admin, now=timezone.now())
    do_job(made.job_id)
    made.refresh_from_db()
    return made


def a_peer(admin: User, **told: Any) -> Peer:
    described = Described("PACS", **told)
    return save_peer(peer_id=None, described=described, by=admin, now=timezone.now(), address="")


def sent(export: Export, peer: Peer, way: str, admin: User) -> tuple[Sending, Job]:
    sending = request_sending(export=export, peer=peer, way=way, by=admin, now=timezone.now())
    job = do_job(sending.job_id)
    sending.refresh_from_db()
    return sending, job


def kinds_in(orthanc: Orthanc) -> list[str]:
    return sorted(
        orthanc.get(f"/series/{one}")["MainDicomTags"]["Modality"] for one in orthanc.get("/series")
    )


def read_without_complaint(orthanc: Orthanc, kind: str, folder: Path) -> None:
    """Every object of a kind goes through dcmdump without a warning and says that nobody is named in it."""
    instances = [
        one
        for series in orthanc.get("/series?expand")
        if series["MainDicomTags"]["Modality"] == kind
        for one in series["Instances"]
    ]
    for one in instances:
        (folder / "one.dcm").write_bytes(orthanc.file(one))
        told = dcmtk("dcmdump", "-M", folder / "one.dcm")
        assert (told.returncode, told.stderr) == (0, "")
        assert "PatientIdentityRemoved" in told.stdout
    assert instances


@pytest.mark.parametrize(
    "asked",
    [("stow", "dicom-seg", "SEG"), ("stow", "dicom-sr", "SR"), ("c_store", "dicom-rtstruct", "RTSTRUCT")],
)
def test_every_object_of_an_export_is_taken_and_named(
    project: Project,
    admin: User,
    orthanc: Orthanc,
    port: int,
    tmp_path: Path,
    asked: tuple[str, str, str],
) -> None:
    way, name, kind = asked
    peer = a_peer(admin, dicomweb_url=orthanc.dicomweb, ae_title=TITLE, host="127.0.0.1", port=port)
    before = kinds_in(orthanc).count(kind)
    sending, job = sent(exported(project, admin, name), peer, way, admin)
    assert (job.state, sending.error, sending.refused) == (State.DONE, "", {})
    assert sending.taken == 1
    assert kinds_in(orthanc).count(kind) == before + 1
    actions = Event.objects.filter(action__startswith="export.sen").values_list("action", flat=True)
    assert list(actions) == ["export.send", "export.sent"]
    read_without_complaint(orthanc, kind, tmp_path)


def test_a_peer_that_does_not_answer_is_asked_again_later(project: Project, admin: User) -> None:
    peer = a_peer(admin, dicomweb_url=f"http://127.0.0.1:{free_port()}")
    sending, job = sent(exported(project, admin, "dicom-sr"), peer, "stow", admin)
    assert (job.message, sending.finished_at) == ("Will be tried again", None)
    assert "does not answer" in job.error


def test_a_peer_that_does_not_know_its_title_refuses_in_words(
    project: Project, admin: User, orthanc: Orthanc, port: int
) -> None:
    del orthanc
    peer = a_peer(admin, ae_title="ANOTHER", host="127.0.0.1", port=port)
    sending, job = sent(exported(project, admin, "dicom-sr"), peer, "c_store", admin)
    assert job.state == State.DONE
    assert "refuses" in sending.error


def test_only_administrators_send_and_only_objects_and_where_there_is_an_address(
    project: Project, admin: User
) -> None:
    peer, now = a_peer(admin, ae_title=TITLE), timezone.now()
    export = exported(project, admin, "dicom-sr")
    staff = factories.a_member(project, Role.ML_STAFF)
    with pytest.raises(ForbiddenError):
        request_sending(export=export, peer=peer, way="stow", by=staff, now=now)
    with pytest.raises(RefusedError, match="no address"):
        request_sending(export=export, peer=peer, way="stow", by=admin, now=now)
    peer.dicomweb_url = "http://127.0.0.1"
    with pytest.raises(RefusedError, match="expired"):
        request_sending(export=export, peer=peer, way="stow", by=admin, now=now + timedelta(days=9))
    a_table = Export.objects.create(project=project, format="csv", created_at=now)
    with pytest.raises(RefusedError, match="DICOM objects alone"):
        request_sending(export=a_table, peer=peer, way="stow", by=admin, now=now)
