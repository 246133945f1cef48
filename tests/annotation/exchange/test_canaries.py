"""Canaries in every kind of image: every place that a patient could be left in is searched for them.

They are at 82 positions of the header in each of eight modalities, and in the metadata of PNG and JPEG.
"""

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from annotation.exchange.quarantine import clear_quarantined, discard_quarantined
from annotation.projects.models import Case, Project
from annotation.studies.models import Dataset, Import, ImportedFile, Instance, QuarantinedFile
from tests import phantoms
from tests.annotation.exchange.conftest import Deliver, write
from tests.annotation.studies.canaries import canary, found_in, plant
from tests.factories import a_client, a_user

MODALITIES = ("CT", "MR", "PT", "DX", "XA", "CR", "US", "OT")
WORD = canary(0).decode()


def images(root: Path) -> None:
    """One image of each modality, a second of each that must be discarded, pictures, and a damaged file."""
    for number, modality in enumerate(MODALITIES, start=1):
        made, preamble = plant(phantoms.a_slice(number, modality=modality))
        made.SeriesInstanceUID, made.PatientID = f"1.2.826.0.1.3680043.10.997.{number}", WORD
        content = phantoms.dicom(made, preamble=preamble)
        write(root, f"{modality}.dcm", content)
        write(root, f"damaged/{modality}.dcm", content[: len(content) // 2])
    notes = PngInfo()
    notes.add_text("Author", WORD)
    stream = io.BytesIO()
    Image.fromarray(phantoms.chest(1)).save(stream, "PNG", pnginfo=notes)
    write(root, "picture.png", stream.getvalue() + WORD.encode())
    write(root, "picture.jpg", phantoms.jpeg(phantoms.chest(2), comment=WORD.encode()))


def stored_files(folder: str = "") -> Iterator[tuple[str, bytes]]:
    """Every file of the store but those in quarantine."""
    folders, names = default_storage.listdir(folder)
    for name in names:
        with default_storage.open(f"{folder}{name}") as stored:
            yield f"{folder}{name}", stored.read()
    for name in folders:
        if f"{folder}{name}" != "quarantine":
            yield from stored_files(f"{folder}{name}/")


def database() -> bytes:
    """Every row of every table, as text: audit log, jobs and what the broker is sent among them."""
    rows: list[object] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows.append((table, cursor.fetchall()))
    return repr(rows).encode()


def pages(client: Client, project: Project, delivery: Import) -> Iterator[tuple[str, bytes]]:
    """What an administrator is shown and can download, and what an error says."""
    of_project = {"project_id": project.pk}
    of_delivery = {"import_id": delivery.pk}
    addresses = [reverse(name, kwargs=of_project) for name in ("project", "quarantine", "import")]
    addresses += [reverse(name, kwargs=of_delivery) for name in ("import-report", "certificate")]
    addresses += [f"{reverse('import-table', kwargs=of_delivery)}?as={kind}" for kind in ("csv", "json")]
    addresses += [f"{reverse('certificate', kwargs=of_delivery)}?as={kind}" for kind in ("html", "json")]
    quarantine = reverse("quarantine", kwargs=of_project)
    addresses += [f"{quarantine}?show={state}" for state in ("cleared", "discarded")]
    addresses += [reverse("audit"), f"/imports/{project.pk}", "/nowhere"]
    for address in addresses:
        yield address, client.get(address).content


@pytest.fixture(params=[False, True], ids=["originals not kept", "originals kept"])
def keeps(request: pytest.FixtureRequest) -> bool:
    """Whether the data set keeps originals."""
    return bool(request.param)


@pytest.fixture
def everything(
    keeps: bool,
    deliver: Deliver,
    project: Project,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> dict[str, bytes]:
    """Deliver, decide on what is held, look at every page; then gather every place."""
    Dataset.objects.filter(pk=project.dataset_id).update(keeps_originals=keeps)
    images(tmp_path / "delivery")
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    delivery, _ = deliver(tmp_path / "delivery")
    admin = a_user(is_admin=True)
    held = list(QuarantinedFile.objects.filter(kind=QuarantinedFile.Kind.PIXELS))
    for one in held:
        clear_quarantined(quarantined_id=one.pk, by=admin, now=timezone.now(), masks=[[0, 0, 4, 4]])
    for other in QuarantinedFile.objects.filter(kind=QuarantinedFile.Kind.REJECTED):
        discard_quarantined(quarantined_id=other.pk, by=admin, now=timezone.now())
    client = a_client(admin)
    client.raise_request_exception = False
    places = dict(pages(client, project, delivery)) | dict(stored_files())
    for case in Case.objects.filter(project=project):
        for name in ("thumbnail", "hanging"):
            places[f"{name} {case.number}"] = client.get(f"/api/v1/cases/{case.pk}/{name}").content
    return places | {
        "database": database(),
        "cache": repr(getattr(cache, "_cache", {})).encode(),
        "log": caplog.text.encode(),
    }


def test_every_image_came_in_or_was_refused_with_a_reason(
    everything: dict[str, bytes],
    keeps: bool,
) -> None:
    assert Instance.objects.count() == len(MODALITIES) + 2
    assert not ImportedFile.objects.exclude(outcome="stored").filter(reason="").exists()
    kept = Instance.objects.filter(original_bytes__isnull=False).count()
    sealed = [content for place, content in everything.items() if place.startswith("originals/")]
    assert kept == len(sealed) == (len(MODALITIES) + 2 if keeps else 0)
    assert len(everything) > 30, "pages, files, database, cache and log are all there"


def test_no_canary_is_anywhere_outside_of_quarantine(everything: dict[str, bytes]) -> None:
    left = {place: found_in(content) for place, content in everything.items() if found_in(content)}
    assert left == {}, everything["log"] if "log" in left else ""
