"""STOW-RS: one door for all; the answer is the standard's."""

from contextlib import ExitStack
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries, Settings

from annotation.exchange import dicomweb_store
from annotation.projects.models import Case, Project
from annotation.studies.models import Import, Instance, QuarantinedFile
from audit.models import Event
from tests import phantoms
from tests.annotation.api.dicomweb.conftest import Program, body

FAILED, KEPT, OTHER = "00081198", "00081199", "0008119A"
ORIGINAL = "1.2.826.0.1.3680043.10"


def codes(answer: Any, sequence: str, tag: str) -> list[int]:
    return [item[tag]["Value"][0] for item in answer.json().get(sequence, {}).get("Value", [])]


def test_what_is_stored_is_de_identified_and_named_so(program: Program, project: Project) -> None:
    answer = program.store(phantoms.series(3))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/dicom+json")
    kept = answer.json()[KEPT]["Value"]
    uids = {item["00081155"]["Value"][0] for item in kept}
    assert uids == set(Instance.objects.values_list("sop_instance_uid", flat=True))
    assert ORIGINAL not in answer.content.decode()
    assert all(item["00081190"]["Value"][0].endswith(item["00081155"]["Value"][0]) for item in kept)
    assert Case.objects.filter(project=project).count() == 1


def test_storing_again_changes_nothing_and_warns(program: Program) -> None:
    program.store(phantoms.series(3))
    again = program.store(phantoms.series(3))
    assert again.status_code == 202
    assert codes(again, KEPT, "00081196") == [0xB700] * 3
    assert Instance.objects.count() == 3


def test_what_is_held_fails_under_its_de_identified_name(program: Program) -> None:
    held = phantoms.dicom(phantoms.a_slice(7, modality="US"))
    answer = program.store([held, *phantoms.series(1)])
    assert answer.status_code == 202
    assert codes(answer, FAILED, "00081197") == [0xC700]
    assert "held" in answer["Warning"]
    assert ORIGINAL not in answer.content.decode()
    assert QuarantinedFile.objects.get().kind == "pixels"


def test_a_sender_does_not_wait_for_the_search_for_text(program: Program, settings: Settings) -> None:
    settings.FIND_TEXT = True
    program.store([phantoms.dicom(phantoms.a_slice(7, modality="US"))])
    assert QuarantinedFile.objects.get().text_boxes is None


def test_where_nothing_is_stored_it_is_a_conflict_with_the_reason_of_each(program: Program) -> None:
    other_syntax = bytearray(phantoms.dicom(phantoms.a_slice(1)))
    place = other_syntax.find(b"1.2.840.10008.1.2.1\0")
    other_syntax[place : place + 20] = b"1.2.840.10008.1.2.9\0"
    answer = program.store([b"not an image", bytes(other_syntax)])
    assert answer.status_code == 409
    assert codes(answer, OTHER, "00081197") == [0xC000]
    assert codes(answer, FAILED, "00081197") == [0xC122]
    assert QuarantinedFile.objects.count() == 2


def test_a_picture_that_calls_itself_dicom_waits_for_eyes(program: Program) -> None:
    answer = program.store([phantoms.png(phantoms.chest())])
    assert answer.status_code == 409
    assert QuarantinedFile.objects.get().kind == "pixels"


def test_only_the_study_of_the_address_is_taken(program: Program) -> None:
    mine, other = phantoms.a_slice(1), phantoms.a_slice(2)
    other.StudyInstanceUID = f"{ORIGINAL}.998.2"
    answer = program.store([phantoms.dicom(mine), phantoms.dicom(other)], f"/studies/{mine.StudyInstanceUID}")
    assert answer.status_code == 202
    assert codes(answer, FAILED, "00081197") == [0xA900]
    study = Instance.objects.get().series.study.study_instance_uid
    assert program.store([phantoms.dicom(phantoms.a_slice(3))], f"/studies/{study}").status_code == 200


def test_each_request_is_one_event_and_an_hour_s_requests_are_one_delivery(program: Program) -> None:
    for number in (1, 2, 3):
        program.store([phantoms.dicom(phantoms.a_slice(number))])
    delivery = Import.objects.get()
    assert (delivery.total, delivery.stored, delivery.files.count()) == (3, 3, 3)
    assert Event.objects.filter(action="dicomweb.store", object_id=str(delivery.pk)).count() == 3


def test_the_database_is_asked_as_often_for_ten_as_for_twenty(
    program: Program, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    program.store([phantoms.dicom(phantoms.a_slice(100))])
    with CaptureQueriesContext(connection) as ten:
        program.store([phantoms.dicom(phantoms.a_slice(number)) for number in range(1, 11)])
    with django_assert_num_queries(len(ten)):
        program.store([phantoms.dicom(phantoms.a_slice(number)) for number in range(11, 31)])


@pytest.mark.parametrize(
    ("kind", "sent", "status"),
    [
        ("application/dicom", b"", 415),
        ('multipart/related; type="application/dicom+json"; boundary=b1', b"", 415),
        ('multipart/related; type="application/dicom"', b"x", 400),
        ('multipart/related; type="application/dicom"; boundary=b1', b"x", 400),
        ('multipart/related; type="application/dicom"; boundary=b1', b"--b1--\r\n", 400),
        ('multipart/related; type="application/dicom"; boundary=b1', body([b"x"])[:-6], 400),
        ('multipart/related; type="application/dicom"; boundary=b1', body([b"x"], kind=b"text/plain"), 415),
    ],
)
def test_a_wrong_body_is_named(program: Program, kind: str, sent: bytes, status: int) -> None:
    path = f"{program.root}/studies"
    answer = program.client.post(path, sent, content_type=kind, headers=program.bearer())
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert not Instance.objects.exists()


def test_a_full_intake_asks_to_come_again(program: Program, settings: Settings) -> None:
    with ExitStack() as taken:
        for _ in range(settings.STOW_REQUESTS_AT_ONCE):
            taken.enter_context(dicomweb_store.a_place())
        answer = program.store(phantoms.series(1))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert program.store(phantoms.series(1)).status_code == 200


def test_a_part_larger_than_a_file_may_be_is_refused(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.exchange.multipart.FILE_BYTES", 1000)
    assert program.store(phantoms.series(1)).status_code == 413


def test_a_body_larger_than_an_upload_may_be_is_refused(program: Program, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    assert program.store(phantoms.series(1)).status_code == 413
    assert not Instance.objects.exists()


def test_parts_that_outgrow_memory_come_in_whole(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.exchange.multipart.IN_MEMORY_BYTES", 600)
    monkeypatch.setattr("annotation.exchange.multipart.BLOCK_BYTES", 97)
    assert program.store(phantoms.series(2)).status_code == 200
    stored = Instance.objects.get(instance_number=2)
    wanted = phantoms.a_slice(2).PixelData
    with default_storage.open(f"instances/{stored.digest[:2]}/{stored.digest}.dcm") as file:
        assert file.read().endswith(wanted)


def test_readers_and_staff_do_not_store(reading: Program, staff: Program, project: Project) -> None:
    assert reading.store(phantoms.series(1)).status_code == 403  # a token that only reads
    assert staff.store(phantoms.series(1)).status_code == 403
    assert Event.objects.filter(action="access.denied", outcome="denied").count() == 2
