"""DICOMweb with its peers on a running system: dicomweb-client and Orthanc, with real files."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from pydicom import dcmread

from tests.browser.serving import Fovea, serving
from tests.processes.orthanc import running_orthanc

pytestmark = [pytest.mark.processes, pytest.mark.peers]

NEW_SERVICE = """
from django.utils import timezone
from accounts.models import User
from accounts.tokens import Wish, make_token
from annotation.projects.services import create_project
admin, _ = User.objects.get_or_create(username="admin", defaults={{"is_admin": True}})
project = create_project(name={name!r}, choices=[("a", "A"), ("b", "B")], prompt="?", now=timezone.now())
wish = Wish({name!r}, ["dicomweb:read", "dicomweb:write"], 1)
print(project.pk, make_token(user=admin, wish=wish, now=timezone.now())[1])
"""
CLEAR_ALL = """
from contextlib import suppress
from django.utils import timezone
from accounts.models import User
from annotation.exchange.quarantine import NotClearableError, clear_quarantined
from annotation.studies.models import QuarantinedFile
for held in QuarantinedFile.objects.filter(project_id={project!r}, kind="pixels"):
    with suppress(NotClearableError):  # another file of the set has its SOP Instance UID
        clear_quarantined(quarantined_id=held.pk, by=User.objects.get(username="admin"), now=timezone.now())
print(QuarantinedFile.objects.filter(project_id={project!r}, state="cleared").count())
"""


@dataclass(frozen=True)
class Service:
    """A project's DICOMweb and a token for it."""

    system: Fovea
    project: str
    key: str

    @property
    def url(self) -> str:
        return f"{self.system.url}/api/dicomweb/projects/{self.project}"

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def client(self) -> DICOMwebClient:
        session = requests.Session()
        session.headers.update(self.bearer)
        return DICOMwebClient(self.url, session=session)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fovea]:
    """Serve an empty system."""
    with serving(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def service(system: Fovea, request: pytest.FixtureRequest) -> Service:
    project, key = system.run(NEW_SERVICE.format(name=request.node.name[:60])).split()
    return Service(system, project, key)


@pytest.fixture(scope="module")
def ct_files(real_data: Path) -> list[Path]:
    return sorted((real_data / "chest_ct").rglob("*.dcm"))


def test_a_real_ct_comes_back_pixel_by_pixel(service: Service, ct_files: list[Path]) -> None:
    client = service.client()
    sent = [dcmread(file) for file in ct_files]
    answer = client.store_instances(sent)
    assert len(answer.ReferencedSOPSequence) == len(sent) == 34
    assert "FailedSOPSequence" not in answer
    [study] = client.search_for_studies(search_filters={"ModalitiesInStudy": "CT"})
    uid = study["0020000D"]["Value"][0]
    [series] = client.search_for_series(uid)
    got = {int(one.InstanceNumber): one for one in client.iter_series(uid, series["0020000E"]["Value"][0])}
    for one in sent:
        assert np.array_equal(got[int(one.InstanceNumber)].pixel_array, one.pixel_array)


def test_every_reading_call_of_the_client_works(service: Service, ct_files: list[Path]) -> None:
    client = service.client()
    client.store_instances([dcmread(file) for file in ct_files[:3]])
    found = client.search_for_instances(limit=2, get_remaining=True, fields=["all"])
    assert len(found) == 3
    study, series, instance = (found[0][tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
    metadata = client.retrieve_instance_metadata(study, series, instance)
    assert (
        len(client.retrieve_study_metadata(study)) == len(client.retrieve_series_metadata(study, series)) == 3
    )
    whole = client.retrieve_instance(study, series, instance)
    [frame] = client.retrieve_instance_frames(study, series, instance, [1])
    [bulk] = client.retrieve_bulkdata(metadata["7FE00010"]["BulkDataURI"])
    assert bytes(frame) == bytes(bulk) == whole.PixelData
    jpeg = client.retrieve_instance_rendered(study, series, instance, media_types=("image/jpeg",))
    png = client.retrieve_instance_frames_rendered(study, series, instance, [1], media_types=("image/png",))
    assert jpeg.startswith(b"\xff\xd8\xff")
    assert png.startswith(b"\x89PNG")


@pytest.mark.timeout(1200)
@pytest.mark.filterwarnings("ignore:The pixel data is")  # of files that are padded as they came
def test_every_kind_of_conformant_file_comes_back_pixel_by_pixel(service: Service, real_data: Path) -> None:
    folder = real_data / "dicom_valid"
    with (folder / "labels.csv").open(newline="") as stream:
        paths = [folder / row["path"] for row in csv.DictReader(stream) if row["expect"] == "decode"]
    held = codes_of(post(service, *(path.read_bytes() for path in paths))).count(0xC700)
    cleared = int(service.system.run(CLEAR_ALL.format(project=service.project)))
    assert 0 < cleared <= held
    again = {path: stored_one(service, path.read_bytes()) for path in paths}
    headers = {path: dcmread(path, stop_before_pixels=True, force=True) for path in paths}
    named = {path: str(header.get("SOPInstanceUID", path)) for path, header in headers.items()}
    admitted = [named[path] for path, uid in again.items() if uid is not None]
    assert set(admitted) == set(named.values())  # of files that share a name, one content is there
    client = service.client()
    rows = {row["00080018"]["Value"][0]: row for row in client.search_for_instances(limit=5000)}
    stored = {path: rows[uid] for path, uid in again.items() if uid is not None}
    wrong = [path.name for path, row in stored.items() if not comes_back(client, row, path)]
    assert wrong == []


def post(service: Service, *contents: bytes) -> httpx.Response:
    """Store files as they are on the disk: writing them anew could change them."""
    head = b"--x\r\nContent-Type: application/dicom\r\n\r\n"
    kind = 'multipart/related; type="application/dicom"; boundary=x'
    return httpx.post(
        f"{service.url}/studies",
        content=b"".join(head + one + b"\r\n" for one in contents) + b"--x--\r\n",
        headers=service.bearer | {"Content-Type": kind},
        timeout=900,
    )


def codes_of(answer: httpx.Response) -> list[int]:
    """Reasons of the failures."""
    failed = answer.json().get("00081198", {}).get("Value", [])
    return [one["00081197"]["Value"][0] for one in failed]


def stored_one(service: Service, content: bytes) -> str | None:
    """Store a file that is there already: by which UID it is known."""
    kept = post(service, content).json().get("00081199", {}).get("Value")
    return kept[0]["00081155"]["Value"][0] if kept else None


def comes_back(client: DICOMwebClient, row: dict[str, dict[str, Any]], path: Path) -> bool:
    """Whether what is retrieved decodes to what was stored, and its frames are its bytes."""
    study, series, instance = (row[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
    got, sent = client.retrieve_instance(study, series, instance), dcmread(path, force=True)
    numbers = list(range(1, row["00280008"]["Value"][0] + 1))
    frames = client.retrieve_instance_frames(study, series, instance, numbers)
    keyword = next(name for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if name in got)
    same_bytes = b"".join(map(bytes, frames)) == got[keyword].value[: sum(map(len, frames))]
    if "PALETTE" in str(sent.PhotometricInterpretation):
        return bool(same_bytes and got.pixel_array.shape[-1] == 3)
    return bool(same_bytes and np.array_equal(got.pixel_array, sent.pixel_array))


def test_orthanc_pushes_to_us_and_pulls_from_us(
    service: Service, ct_files: list[Path], tmp_path: Path
) -> None:
    server = {"Url": f"{service.url}/", "HttpHeaders": service.bearer}
    with running_orthanc(tmp_path / "one", fovea=server) as sender:
        for file in ct_files[:6]:
            sender.post("/instances", file.read_bytes())
        done = sender.post("/dicom-web/servers/fovea/stow", {"Resources": sender.get("/studies")})
        assert done["InstancesCount"] == "6" or done["InstancesCount"] == 6
    client = service.client()
    [study] = client.search_for_studies()
    uid = study["0020000D"]["Value"][0]
    assert study["00201208"]["Value"] == [6]
    with running_orthanc(tmp_path / "two", fovea=server) as receiver:
        receiver.post("/dicom-web/servers/fovea/retrieve", {"Resources": [{"Study": uid}]})
        names = receiver.get("/instances")
        pulled = [dcmread(io.BytesIO(receiver.file(name))) for name in names]
    sent = {int(one.InstanceNumber): one for one in map(dcmread, ct_files[:6])}
    assert len(pulled) == 6
    for one in pulled:
        assert one.StudyInstanceUID == uid
        assert np.array_equal(one.pixel_array, sent[int(one.InstanceNumber)].pixel_array)


def test_an_answer_of_many_frames_does_not_fill_the_server_s_memory(
    service: Service, ct_files: list[Path]
) -> None:
    client = service.client()
    client.store_instances([dcmread(ct_files[0])])
    [row] = client.search_for_instances()
    study, series, instance = (row[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
    many = ",".join(["1"] * 2000)
    address = f"{service.url}/studies/{study}/series/{series}/instances/{instance}/frames/{many}"
    accept = {"Accept": 'multipart/related; type="application/octet-stream"'}
    server = server_of(service.system)
    before, most, total = server.memory_info().rss, 0, 0
    with httpx.stream("GET", address, headers=service.bearer | accept, timeout=120) as answer:
        for block in answer.iter_raw():
            total += len(block)
            most = max(most, server.memory_info().rss)
    assert total == int(answer.headers["content-length"]) > 2000 * 512 * 512 * 2
    assert most - before < 200 * 2**20


def server_of(system: Fovea) -> psutil.Process:
    """Find the web process by its port."""
    port = int(system.url.rpartition(":")[2])
    listening = [one for one in psutil.net_connections("tcp") if one.laddr and one.laddr.port == port]
    return psutil.Process(next(one.pid for one in listening if one.status == "LISTEN" and one.pid))
