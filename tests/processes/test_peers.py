"""A PACS of the field's own on the loopback: studies are picked at Orthanc, fetched, and compared."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from django.utils import timezone
from pydicom import dcmread

from accounts.models import User
from annotation.exchange import imports
from annotation.exchange.peers.client import Wish, search
from annotation.exchange.peers.models import Peer, Pull
from annotation.exchange.peers.pulls import ask_pull, fetch_studies
from annotation.exchange.peers.services import Described, save_peer
from annotation.studies import files
from annotation.studies.models import Import, Instance
from audit.models import Event
from jobs.models import Job, State
from mlworker import runtime
from tests import factories
from tests.browser.serving import free_port
from tests.processes.orthanc import Orthanc, dcmtk, running_orthanc

pytestmark = [pytest.mark.processes, pytest.mark.peers]


@pytest.fixture(scope="module")
def ct_files(real_data: Path) -> list[Path]:
    return sorted((real_data / "chest_ct").rglob("*.dcm"))


@pytest.fixture(scope="module")
def dicom_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def orthanc(
    tmp_path_factory: pytest.TempPathFactory, ct_files: list[Path], dicom_port: int
) -> Iterator[Orthanc]:
    """Run an Orthanc that holds a CT, and answers one who asks by DIMSE."""
    asker = {"asker": ["ASKER", "127.0.0.1", free_port()]}
    with running_orthanc(tmp_path_factory.mktemp("pacs"), asker, dicom_port=dicom_port) as running:
        for file in ct_files:
            running.post("/instances", file.read_bytes())
        yield running


@pytest.fixture
def admin(db: None) -> User:
    return factories.a_user(is_admin=True)


@pytest.fixture
def peer(orthanc: Orthanc, admin: User) -> Peer:
    told = Described("PACS", dicomweb_url=orthanc.dicomweb)
    return save_peer(peer_id=None, described=told, by=admin, now=timezone.now(), address="")


@pytest.mark.django_db(transaction=True)
def test_picked_studies_come_in_with_every_pixel(peer: Peer, admin: User, ct_files: list[Path]) -> None:
    project, sent = factories.a_project(), [dcmread(file) for file in ct_files]
    [found] = search(peer, Wish(patient_id=str(sent[0].PatientID), modality="CT"))
    assert (found.uid, found.instances) == (sent[0].StudyInstanceUID, len(sent))
    delivery = ask_pull(project=project, peer=peer, studies=[found.uid], by=admin, now=timezone.now())
    job = Job.objects.get(name="pull_studies")
    runtime.run(job.pk)
    job.refresh_from_db()
    delivery.refresh_from_db()
    assert (job.state, delivery.state, delivery.stored) == (State.DONE, Import.State.DONE, len(sent))
    assert Pull.objects.get().wanted == ""
    names = [files.instance_name(one.digest) for one in Instance.objects.all()]
    stored = [dcmread(io.BytesIO(files.read_whole(name))) for name in names]
    by_number = {int(one.InstanceNumber): one.pixel_array for one in stored}
    assert all(np.array_equal(by_number[int(one.InstanceNumber)], one.pixel_array) for one in sent)
    paths = delivery.files.values_list("path", flat=True)
    told = str([*paths, *Event.objects.values_list("object_id", "details")])
    assert not any(str(uid) in told for one in sent for uid in (found.uid, one.SOPInstanceUID))


@pytest.mark.django_db
def test_the_worklist_lists_what_findscu_finds(
    peer: Peer, orthanc: Orthanc, dicom_port: int, tmp_path: Path
) -> None:
    asked = ["-aet", "ASKER", "-aec", "ORTHANC", "127.0.0.1", dicom_port, "-S", "-X", "-od", tmp_path]
    keys = ("QueryRetrieveLevel=STUDY", "StudyInstanceUID", "PatientID", "ModalitiesInStudy=CT")
    answer = dcmtk("findscu", *asked, *(word for key in keys for word in ("-k", key)))
    assert answer.returncode == 0, answer.stderr
    answered = [dcmread(path) for path in tmp_path.glob("rsp*.dcm")]
    listed = search(peer, Wish(modality="CT"))
    assert len(listed) == len(answered) == 1
    assert {(one.uid, one.patient_id) for one in listed} == {
        (str(one.StudyInstanceUID), str(one.PatientID)) for one in answered
    }


@pytest.mark.django_db(transaction=True)
def test_a_pull_that_was_cut_off_goes_on_and_counts_each_file_once(
    peer: Peer, admin: User, ct_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH_FILES", 8)
    uid = str(dcmread(ct_files[0], stop_before_pixels=True).StudyInstanceUID)
    delivery = ask_pull(project=factories.a_project(), peer=peer, studies=[uid], by=admin, now=timezone.now())
    pull, told = Pull.objects.get(), []

    def breaks_off(_fraction: float, message: str) -> None:
        told.append(message)
        if len(told) == 2:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        fetch_studies(pull.pk, progress=breaks_off)
    delivery.refresh_from_db()
    assert 0 < delivery.stored < len(ct_files)
    fetch_studies(pull.pk, progress=breaks_off)
    delivery.refresh_from_db()
    assert delivery.stored == delivery.files.count() == delivery.total == len(ct_files)
    assert told[-1] == f"study 1 of 1: {len(ct_files)} files"
