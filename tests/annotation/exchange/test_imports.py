"""A delivery becomes cases; every file is counted; doing it twice changes nothing."""

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.exchange.archives import DeliveryError
from annotation.exchange.imports import admit_delivery, finish_delivery, open_delivery
from annotation.projects.models import Case, Project
from annotation.queue.models import Entry
from annotation.studies.models import Import, Instance, Patient, QuarantinedFile, Series
from audit.models import Event
from jobs.models import Job
from tests import phantoms
from tests.annotation.exchange.conftest import Deliver, outcomes, write
from tests.annotation.studies.canaries import canary, plant

TABLES = (Patient, Series, Instance, QuarantinedFile, Case, Entry)


def counts() -> list[int]:
    return [table._default_manager.count() for table in TABLES]


def files_in_the_store() -> dict[str, bytes]:
    root = Path(default_storage.path(""))
    return {str(one.relative_to(root)): one.read_bytes() for one in root.rglob("*") if one.is_file()}


def quiet(_fraction: float, _message: str) -> None:
    """Tell nobody."""


def test_every_file_is_counted_with_what_became_of_it(deliver: Deliver, folder: Path) -> None:
    delivery, report = deliver(folder)
    assert (report.stored, report.duplicate, report.quarantined) == (7, 0, 2)
    assert (delivery.state, delivery.total) == (Import.State.DONE, 9)
    found = outcomes(delivery)
    assert found["pictures/0.png"] == ("stored", "")
    assert found["us.dcm"][0] == "quarantined"
    assert "Modality US" in found["us.dcm"][1]
    assert found["notes.txt"] == (
        "quarantined",
        "not an image Fovea reads (DICOM, NIfTI, NRRD, MetaImage, PNG, JPEG, TIFF)",
    )
    assert "labels.csv" not in found, "the table is used, not counted"


def test_importing_twice_changes_nothing(deliver: Deliver, folder: Path) -> None:
    deliver(folder)
    before, stored_before = counts(), files_in_the_store()
    _, report = deliver(folder)
    assert (report.stored, report.duplicate, report.quarantined) == (0, 7, 2)
    assert counts() == before
    assert files_in_the_store() == stored_before


def test_a_series_is_one_case_and_a_picture_is_one(deliver: Deliver, folder: Path, project: Project) -> None:
    deliver(folder)
    cases = Case.objects.filter(project=project)
    assert cases.count() == 5
    series = Series.objects.get(modality="CT")
    assert series.instances.count() == 3
    assert len(series.content_digest) == 64


def test_the_table_holds_out_its_test_patients_and_keeps_patients_together(
    deliver: Deliver, folder: Path, project: Project
) -> None:
    delivery, _ = deliver(folder)
    files = (
        delivery.files.select_related("instance__series__study__patient").in_bulk(field_name="pk").values()
    )
    patients = {one.path: one.instance.series.study.patient for one in files if one.instance}
    assert patients["pictures/0.png"] == patients["pictures/1.png"]
    assert patients["pictures/0.png"] != patients["pictures/3.png"]
    held = Case.objects.get(project=project, patient=patients["pictures/2.png"])
    assert held.stream == Case.Stream.HELD_OUT
    assert not Entry.objects.filter(case=held).exists()
    assert Entry.objects.count() == 4


def test_the_patient_s_own_id_is_nowhere(deliver: Deliver, folder: Path) -> None:
    deliver(folder)
    assert not Patient.objects.filter(pseudonym__in=["a", "b", "c", "PHANTOM-1"]).exists()


def test_an_interrupted_import_goes_on_where_it_stopped(folder: Path, project: Project) -> None:
    delivery = open_delivery(project=project, source_name="x", requested_by=None, now=timezone.now())
    half = folder.parent / "half"
    shutil.copytree(folder / "pictures", half / "pictures")
    write(half, "other.txt", b"so that pictures is not the only folder")
    admit_delivery(delivery.pk, source=half, progress=quiet)
    (folder / "other.txt").write_bytes(b"so that pictures is not the only folder")
    for _ in range(2):
        admit_delivery(delivery.pk, source=folder, progress=quiet)
    report = finish_delivery(delivery.pk, now=timezone.now())
    assert (report.stored, report.duplicate, report.quarantined) == (7, 0, 3)
    assert finish_delivery(delivery.pk, now=timezone.now()) == report
    assert Job.objects.filter(name="embed").count() == 1


def test_new_images_are_to_be_encoded_and_the_audit_knows(deliver: Deliver, folder: Path) -> None:
    delivery, _ = deliver(folder)
    job = Job.objects.get(name="embed")
    assert job.arguments == {"dataset_id": str(delivery.dataset_id)}
    actions = list(Event.objects.filter(object_id=str(delivery.pk)).values_list("action", flat=True))
    assert actions == ["import.open", "import.done"]


def test_other_content_under_a_known_uid_is_held(deliver: Deliver, tmp_path: Path) -> None:
    changed = phantoms.a_slice(1)
    changed.PixelData = bytes(len(changed.PixelData))
    write(tmp_path, "d/1.dcm", phantoms.dicom(phantoms.a_slice(1)))
    write(tmp_path, "d/2.dcm", phantoms.dicom(changed))
    delivery, _ = deliver(tmp_path / "d")
    assert outcomes(delivery)["2.dcm"] == (
        "quarantined",
        "(0008,0018) SOP Instance UID is stored already with other content",
    )


def test_a_lossless_re_encoding_is_the_same_image(deliver: Deliver, tmp_path: Path) -> None:
    again = phantoms.a_slice(1)
    again.InstitutionName = "Another hospital"
    write(tmp_path, "d/1.dcm", phantoms.dicom(phantoms.a_slice(1)))
    write(tmp_path, "d/2.dcm", phantoms.dicom(again))
    delivery, report = deliver(tmp_path / "d")
    assert (report.stored, report.duplicate) == (1, 1)
    assert outcomes(delivery)["2.dcm"] == ("duplicate", "")


def test_links_are_counted_and_not_followed(deliver: Deliver, tmp_path: Path) -> None:
    write(tmp_path, "secret.png", phantoms.png(phantoms.chest()))
    write(tmp_path, "d/real.png", phantoms.png(phantoms.chest(1)))
    (tmp_path / "d/link.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "d/loop").symlink_to(tmp_path / "d")
    delivery, report = deliver(tmp_path / "d")
    assert (report.stored, report.quarantined) == (1, 2)
    assert outcomes(delivery)["link.png"] == ("quarantined", "a link: links are not followed")


def test_pictures_wait_where_the_sender_does_not_vouch_for_them(deliver: Deliver, folder: Path) -> None:
    _, report = deliver(folder, pictures_cleared=False)
    assert (report.stored, report.quarantined) == (3, 6)
    assert QuarantinedFile.objects.filter(kind=QuarantinedFile.Kind.PIXELS, has_preview=True).count() == 5


def test_a_source_that_is_not_there_is_an_error(deliver: Deliver, tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="no such folder"):
        deliver(tmp_path / "nothing")


def test_a_batch_takes_few_queries_however_many_files(deliver: Deliver, tmp_path: Path) -> None:
    for number in range(60):
        write(tmp_path, f"d/{number:02d}.png", phantoms.png(phantoms.chest(number)))
    with CaptureQueriesContext(connection) as captured:
        deliver(tmp_path / "d")
    assert len(captured) <= 73, "opening, one batch, closing: about one query a file"


@pytest.mark.django_db
def test_no_canary_reaches_database_files_or_log(
    deliver: Deliver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for number, modality in enumerate(("CT", "MR", "PT", "DX", "XA", "CR"), start=1):
        made, preamble = plant(phantoms.a_slice(number, modality=modality))
        made.SeriesInstanceUID += f".{number}"
        write(tmp_path, f"d/{modality}.dcm", phantoms.dicom(made, preamble=preamble))
    before = set(files_in_the_store())
    _, report = deliver(tmp_path / "d")
    assert report.stored == 6
    word, made_now = canary(0)[:6], files_in_the_store()
    assert [name for name, content in made_now.items() if name not in before and word in content] == []
    assert [row for row in rows_of_every_table() if word.decode() in row] == []
    assert word.decode() not in caplog.text


def rows_of_every_table() -> list[str]:
    rows: list[Any] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows += cursor.fetchall()
    return [str(row) for row in rows]


def test_the_secret_is_not_handed_to_the_child() -> None:
    from annotation.studies.keys import dataset_key

    dataset = Project().id
    assert settings.DEIDENTIFICATION_SECRET.encode() not in dataset_key(dataset)
    assert dataset_key(dataset) != dataset_key(Project().id)
