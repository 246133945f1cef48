"""The C-STORE receiver with its peers: dcmtk's storescu and Orthanc, on the loopback."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.utils import timezone
from pydicom import dcmread

from annotation.exchange.peers import receiver, spool
from annotation.exchange.peers.models import Peer
from annotation.exchange.peers.receiver import Receiver
from annotation.exchange.peers.services import Described, save_peer
from annotation.exchange.peers.spool import Spool, files_in
from annotation.projects.models import Project
from annotation.studies import files
from annotation.studies.models import Import, Instance
from audit.models import Event
from jobs.models import Job
from mlworker import runtime
from tests import factories
from tests.browser.serving import free_port
from tests.processes.orthanc import dcmtk, running_orthanc

pytestmark = [
    pytest.mark.processes,
    pytest.mark.peers,
    pytest.mark.django_db(transaction=True),
    # pynetdicom leaves the file of an association that was ended to be closed when it is forgotten.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SECONDS = 120


@pytest.fixture(scope="module")
def ct_files(real_data: Path) -> list[Path]:
    return sorted((real_data / "chest_ct").rglob("*.dcm"))


@pytest.fixture
def project(db: None) -> Project:
    return factories.a_project()


@pytest.fixture
def peer(project: Project) -> Peer:
    """A scanner that may send."""
    admin = factories.a_user(is_admin=True)
    told = Described("CT 1", ae_title="CT1", host="127.0.0.1", sends=True, project=project)
    return save_peer(peer_id=None, described=told, by=admin, now=timezone.now(), address="")


@pytest.fixture
def port(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Our receiver's port."""
    tmp_path_factory.getbasetemp()  # made before the receiver says where this process's temporary files go
    chosen = free_port()
    shutil.rmtree(settings.HOME.received, ignore_errors=True)
    with Receiver(settings.HOME.received, title="FOVEA", host="127.0.0.1", port=chosen):
        yield chosen


def sent(
    port: int, paths: list[Path], *, calling: str = "CT1", called: str = "FOVEA"
) -> subprocess.CompletedProcess[str]:
    return dcmtk("storescu", "-v", "-aet", calling, "-aec", called, "127.0.0.1", port, *paths)


def acknowledged(answer: subprocess.CompletedProcess[str]) -> int:
    """Count the files that the receiver said it has."""
    return (answer.stdout + answer.stderr).count("Received Store Response (Success)")


def until(is_so: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def waiting(project: Project, peer: Peer) -> int:
    return len(files_in(settings.HOME.received / str(project.pk) / str(peer.pk)))


def imported() -> Import:
    """Do the job that the receiver asks for."""
    until(lambda: Job.objects.filter(name="import_received", state="queued").exists())
    runtime.run(Job.objects.filter(name="import_received", state="queued").latest("created_at").pk)
    return Import.objects.latest("created_at")


def test_what_storescu_sends_comes_in_with_every_pixel(
    port: int, project: Project, peer: Peer, ct_files: list[Path]
) -> None:
    answer = sent(port, ct_files[:6])
    assert answer.returncode == 0, answer.stderr
    assert acknowledged(answer) == 6
    assert waiting(project, peer) == 6
    delivery = imported()
    assert (delivery.source_name, delivery.stored, delivery.total) == ("C-STORE: CT 1", 6, 6)
    assert waiting(project, peer) == 0
    stored = [
        dcmread(settings.HOME.files / files.instance_name(one.digest)) for one in Instance.objects.all()
    ]
    by_number = {int(one.InstanceNumber): one.pixel_array for one in stored}
    for one in map(dcmread, ct_files[:6]):
        np.testing.assert_array_equal(by_number[int(one.InstanceNumber)], one.pixel_array)
    [event] = Event.objects.filter(action="peer.associate")
    assert (event.outcome, event.object_id) == ("ok", str(peer.pk))
    sent(port, ct_files[:6])
    again = imported()
    assert (again.pk, again.duplicate) == (delivery.pk, 6)


def test_strangers_are_rejected_and_audited(
    port: int, project: Project, peer: Peer, ct_files: list[Path]
) -> None:
    assert sent(port, ct_files[:1], calling="SOMEBODY").returncode != 0
    assert sent(port, ct_files[:1], called="OTHER").returncode != 0
    Peer.objects.update(host="192.0.2.1")
    assert sent(port, ct_files[:1]).returncode != 0
    assert waiting(project, peer) == 0
    outcomes = Event.objects.filter(action="peer.associate").order_by("sequence")
    assert list(outcomes.values_list("outcome", flat=True)) == ["denied", "ok", "denied"]


def test_a_full_intake_says_out_of_resources(
    port: int, project: Project, peer: Peer, ct_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MOST_WAITING", 0)
    answer = sent(port, ct_files[:1])
    assert (
        "A700" in (answer.stdout + answer.stderr).upper() or "OutOfResources" in answer.stdout + answer.stderr
    )
    assert waiting(project, peer) == 0
    monkeypatch.setattr(spool, "MOST_WAITING", 10)
    assert sent(port, ct_files[:1]).returncode == 0


def test_a_file_beyond_the_limit_ends_the_association(
    port: int, project: Project, peer: Peer, ct_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "FILE_BYTES", 100_000)
    monkeypatch.setattr(receiver, "SLACK_BYTES", 0)
    # storescu's exit status tells of the end only where it comes before the last of the file has left.
    assert acknowledged(sent(port, ct_files[:1])) == 0
    assert waiting(project, peer) == 0
    monkeypatch.undo()
    assert acknowledged(sent(port, ct_files[:1])) == 1


def test_orthanc_pushes_to_us(port: int, peer: Peer, ct_files: list[Path], tmp_path: Path) -> None:
    Peer.objects.update(ae_title="ORTHANC")
    with running_orthanc(tmp_path, {"fovea": ["FOVEA", "127.0.0.1", port]}) as orthanc:
        for file in ct_files[:4]:
            orthanc.post("/instances", file.read_bytes())
        orthanc.post("/modalities/fovea/echo", {})
        orthanc.post("/modalities/fovea/store", {"Resources": orthanc.get("/studies")})
    assert imported().stored == 4


def test_movescu_has_a_pacs_move_a_study_to_us(
    port: int, peer: Peer, ct_files: list[Path], tmp_path: Path
) -> None:
    Peer.objects.update(ae_title="ORTHANC")
    listens = free_port()
    known = {"fovea": ["FOVEA", "127.0.0.1", port], "asker": ["ASKER", "127.0.0.1", free_port()]}
    with running_orthanc(tmp_path, known, dicom_port=listens) as orthanc:
        for file in ct_files[:4]:
            orthanc.post("/instances", file.read_bytes())
        study = str(dcmread(ct_files[0], stop_before_pixels=True).StudyInstanceUID)
        asked = ["-aet", "ASKER", "-aec", "ORTHANC", "-aem", "FOVEA", "127.0.0.1", listens]
        keys = ["-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}"]
        answer = dcmtk("movescu", "-v", *asked, *keys)
    assert answer.returncode == 0, answer.stderr
    assert "Success" in answer.stdout + answer.stderr
    assert imported().stored == 4


def test_what_was_acknowledged_survives_the_receiver(
    peer: Peer, project: Project, ct_files: list[Path], tmp_path: Path
) -> None:
    kept = Spool(tmp_path / "received")
    kept.prepare()
    copy = kept.incoming / "one"
    shutil.copy(ct_files[0], copy)
    kept.keep(copy, project.pk, peer.pk)
    (kept.incoming / "half").write_bytes(b"half a file")
    Spool(tmp_path / "received").prepare()
    [folder] = kept.folders()
    assert [one.size for one in files_in(folder)] == [ct_files[0].stat().st_size]
    assert list(kept.incoming.iterdir()) == []


def test_what_no_sender_finishes_is_dropped_in_time(tmp_path: Path) -> None:
    kept = Spool(tmp_path)
    kept.prepare()
    for name, age in (("old", spool.ABANDONED_SECONDS + 60), ("new", 0)):
        (kept.incoming / name).write_bytes(b"half a file")
        when = time.time() - age
        os.utime(kept.incoming / name, (when, when))
    kept.drop_abandoned()
    assert [one.name for one in kept.incoming.iterdir()] == ["new"]
