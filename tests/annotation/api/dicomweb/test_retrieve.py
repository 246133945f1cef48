"""WADO-RS: files, metadata, bulk data, frames, as they are stored."""

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from accounts.models import User
from annotation.api.dicomweb import answers
from annotation.api.dicomweb.answers import Part
from annotation.exchange.dicomweb_headers import UnreadableHeaderError, as_json, value_at
from annotation.projects.models import Project
from annotation.studies import files
from annotation.studies.models import Instance
from audit.models import Event
from tests import factories, phantoms
from tests.annotation.api.dicomweb.conftest import Ct, Program, a_program, content, parts

OCTETS, DICOM = "application/octet-stream", "application/dicom"


def in_parts(kind: str, syntax: str = "") -> str:
    return f'multipart/related; type="{kind}"' + (f"; transfer-syntax={syntax}" if syntax else "")


@pytest.mark.parametrize("level", ["study", "series", "first"])
def test_files_come_back_with_the_pixels_that_were_sent(ct: Ct, reading: Program, level: str) -> None:
    answer = reading.get(getattr(ct, level), in_parts(DICOM))
    got = [dcmread(io.BytesIO(one)) for one in parts(answer)]
    assert [one.InstanceNumber for one in got] == ([1] if level == "first" else [1, 2, 3])
    for one in got:
        sent = np.frombuffer(phantoms.a_slice(int(one.InstanceNumber)).PixelData, np.int16)
        assert np.array_equal(one.pixel_array.ravel(), sent)
        assert one.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"


def test_the_length_of_an_answer_in_parts_is_told_beforehand(ct: Ct, reading: Program) -> None:
    for path, kind in ((ct.study, DICOM), (f"{ct.first}/frames/1,1", OCTETS)):
        answer = reading.get(path, in_parts(kind))
        assert int(answer["Content-Length"]) == len(content(answer))


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("{first}", "application/dicom", 200),
        ("{first}", "*/*", 200),
        ("{study}", "application/dicom", 406),
        ("{study}", 'multipart/related; type="application/dicom"; transfer-syntax=*', 200),
        ("{study}", 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1', 200),
        ("{study}", "multipart/related; type=application/dicom; transfer-syntax=1.2.840.10008.1.2.5", 406),
        ("{first}/frames/1", 'multipart/related; type="application/octet-stream"', 200),
        ("{first}/frames/1", 'multipart/related; type="*/*"', 200),
        ("{first}/frames/1", 'multipart/related; type="image/jp2"', 406),
        ("{first}/frames/1", "multipart/related; type=image/jls, multipart/related; type=*/*; q=0.1", 200),
        ("{first}/frames/1,2", "application/octet-stream", 406),
        ("{first}/frames/0", "*/*", 400),
        ("{first}/frames/a", "*/*", 400),
        ("{first}/frames/2", "*/*", 404),
        ("{first}/metadata", "application/dicom+json", 200),
        ("{first}/metadata", "application/dicom+xml", 406),
        ("{first}/bulkdata/7FE00010", "*/*", 200),
        ("{first}/bulkdata/00100010", "*/*", 404),
        ("{first}/bulkdata/7FE00008", "*/*", 404),
        ("/studies/2.25.1", "*/*", 404),
        ("/studies/2.25.1/metadata", "*/*", 404),
        ("/studies/../etc", "*/*", 404),
    ],
)
def test_what_is_not_there_or_not_offered_is_said(
    ct: Ct, reading: Program, path: str, accept: str, status: int
) -> None:
    answer = reading.get(path.format(study=ct.study, first=ct.first), accept)
    assert answer.status_code == status
    assert status == 200 or answer["Content-Type"] == "application/problem+json"


def test_frames_are_the_stored_bytes_in_the_order_asked_for(reading: Program, project: Project) -> None:
    [case] = factories.some_cases(project, frames=3)
    instance = case.series.instances.get()
    path = (
        f"/studies/{case.series.study.study_instance_uid}/series/{case.series.series_instance_uid}"
        f"/instances/{instance.sop_instance_uid}/frames"
    )
    stored = files.read_whole(files.instance_name(instance.digest))[factories.OFFSET :]
    each = factories.ROWS * factories.COLUMNS
    wanted = [stored[(number - 1) * each : number * each] for number in (3, 1)]
    assert parts(reading.get(f"{path}/3,1", in_parts(OCTETS))) == wanted
    assert content(reading.get(f"{path}/2", OCTETS)) == stored[each : 2 * each]


def test_a_body_by_itself_can_be_had_in_ranges_and_is_named(ct: Ct, reading: Program) -> None:
    path = f"{ct.first}/frames/1"
    whole = reading.get(path, OCTETS)
    every, name = content(whole), whole["ETag"]
    some = reading.get(path, OCTETS, Range="bytes=10-19")
    assert (some.status_code, content(some)) == (206, every[10:20])
    assert some["Content-Range"] == f"bytes 10-19/{len(every)}"
    assert content(reading.get(path, OCTETS, Range="bytes=-4")) == every[-4:]
    assert reading.get(path, OCTETS, Range=f"bytes={len(every)}-").status_code == 416
    assert reading.get(path, OCTETS, **{"If-None-Match": name}).status_code == 304
    assert reading.get(path, in_parts(OCTETS), **{"If-None-Match": name}).status_code == 200


def test_an_empty_block_ends_no_answer() -> None:
    part = Part(OCTETS, lambda: [b"", b"one ", b"", b"two"], None)
    answer = answers.in_parts(OCTETS, [part, part], name="one", length=None)
    assert parts(answer) == [b"one two"] * 2


def test_metadata_is_the_header_that_is_stored(ct: Ct, reading: Program) -> None:
    told = reading.get(f"{ct.series}/metadata")
    [file] = parts(reading.get(ct.first, in_parts(DICOM)))
    stored = dcmread(io.BytesIO(file))
    by_tag = {f"{one.tag:08X}": one for one in stored}
    row = next(row for row in rows(told) if row["00200013"]["Value"] == [1])
    assert set(row) == set(by_tag)
    again = Dataset.from_json(row, bulk_data_uri_handler=lambda _uri: stored.PixelData)
    for tag, element in by_tag.items():
        assert row[tag]["vr"] == element.VR
        assert again[element.tag].value == element.value or element.is_empty, tag


def test_bulk_data_is_where_the_metadata_says(ct: Ct, reading: Program) -> None:
    [row] = rows(reading.get(f"{ct.first}/metadata"))
    address = row["7FE00010"]["BulkDataURI"]
    path = address.partition(reading.root)[2]
    assert address.startswith("http://testserver/api/dicomweb/")
    assert parts(reading.get(path, in_parts(OCTETS))) == [phantoms.a_slice(1).PixelData]


def test_metadata_that_the_sender_has_is_not_sent_again(ct: Ct, reading: Program) -> None:
    name = reading.get(f"{ct.study}/metadata")["ETag"]
    assert reading.get(f"{ct.study}/metadata", **{"If-None-Match": name}).status_code == 304


def rows(answer: Any) -> list[dict[str, Any]]:

    return list(json.loads(content(answer)))


def test_headers_with_tables_and_nested_sequences_are_read_whole(program: Program) -> None:
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [1024, 0, 16], "OD"
    table.add_new("LUTData", "OW", bytes(range(256)) * 8)
    made = phantoms.a_slice(5)
    made.ModalityLUTSequence = Sequence([table])
    assert program.store([phantoms.dicom(made)]).status_code == 200
    stored = Instance.objects.get()
    header = files.read_span(files.instance_name(stored.digest), 0, stored.pixel_offset)
    told = as_json(header, lambda path: f"at/{path}")
    item = told["00283000"]["Value"][0]
    assert item["00283006"] == {"vr": "OW", "BulkDataURI": "at/00283000/0/00283006"}
    assert value_at(header, "00283000/0/00283006") == bytes(range(256)) * 8
    assert told["00120064"]["Value"][0]["00080100"]["Value"] == ["113100"]


@pytest.mark.parametrize(
    "path", ["00283000", "00283000/1/00283006", "00283000/x/00283006", "7FE00010", "", "zz"]
)
def test_no_value_stands_at_another_path(path: str) -> None:
    with pytest.raises(KeyError):
        value_at(bytes(132) + b"\x28\0\0\x30SQ\0\0\0\0\0\0", path)


@pytest.mark.parametrize(
    "damage",
    [
        b"\x08\0\x20\0DA\xff\0",  # longer than the header
        b"\x08\0\x20",  # breaks off
        b"\x28\0\0\x30SQ\0\0\xff\xff\xff\xff",  # no length
        b"\x28\0\0\x30SQ\0\0\x08\0\0\0\xfe\xff\0\xe0\xff\0\0\0",  # an item longer than its sequence
        b"\x28\0\0\x30SQ\0\0\x08\0\0\0\x08\0\x20\0DA\0\0",  # no item
    ],
)
def test_a_damaged_header_is_refused(damage: bytes) -> None:
    with pytest.raises(UnreadableHeaderError):
        as_json(bytes(132) + damage, str)


def test_values_are_written_as_the_json_model_has_them() -> None:
    header = bytes(132) + b"".join(
        [
            b"\x08\0\x08\0CS\x08\0A\\\\B C\0\0",
            b"\x18\0\x50\0DS\x04\x001.50",
            b"\x20\0\x13\0IS\x02\x007 ",
            b"\x28\0\x09\0AT\x04\0\x18\0\x63\x10",
            b"\x28\0\x10\0US\x02\0\x00\x02",
            b"\x10\0\x10\0PN\x04\0P^1 ",
            b"\x10\0\x30\0DA\0\0",
            b"\x42\0\x11\0OB\0\0\x02\0\0\0hi",
        ]
    )
    assert as_json(header, str) == {
        "00080008": {"vr": "CS", "Value": ["A", None, "B C"]},
        "00180050": {"vr": "DS", "Value": [1.5]},
        "00200013": {"vr": "IS", "Value": [7]},
        "00280009": {"vr": "AT", "Value": ["00181063"]},
        "00280010": {"vr": "US", "Value": [512]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "P^1"}]},
        "00100030": {"vr": "DA"},
        "00420011": {"vr": "OB", "InlineBinary": base64.b64encode(b"hi").decode()},
    }


@pytest.mark.parametrize(
    ("path", "action"),
    [
        ("{study}", "retrieve"),
        ("{first}", "retrieve"),
        ("{series}/metadata", "metadata"),
    ],
)
def test_every_fetch_is_one_event(ct: Ct, reading: Program, path: str, action: str) -> None:
    before = Event.objects.count()
    for _ in range(2):
        reading.get(path.format(study=ct.study, series=ct.series, first=ct.first))
    events = Event.objects.order_by("sequence")[before:]
    assert [one.action for one in events] == [f"dicomweb.{action}"] * 2
    assert all(one.details["project"] in reading.root and one.details["token"] for one in events)


def test_looking_at_a_study_is_one_event_however_many_frames(ct: Ct, reading: Program) -> None:
    before = Event.objects.count()
    for path in ("{first}/frames/1", "{first}/bulkdata/7FE00010", "{first}/rendered", "{study}/thumbnail"):
        for _ in range(2):
            assert reading.get(path.format(study=ct.study, first=ct.first)).status_code == 200
    [event] = Event.objects.order_by("sequence")[before:]
    uid = ct.study.rpartition("/")[2]
    assert (event.action, event.object_type, event.object_id) == ("dicomweb.view", "study", uid)
    cache.clear()  # the hour is over
    reading.get(f"{ct.first}/frames/1")
    assert Event.objects.count() == before + 2


def test_another_project_s_images_are_not_found(ct: Ct, admin: User) -> None:
    other = factories.a_project()
    elsewhere = a_program(admin, other)
    for path in (ct.study, ct.first, f"{ct.first}/frames/1", f"{ct.study}/metadata", f"{ct.first}/rendered"):
        assert elsewhere.get(path).status_code == 404
    stranger = a_program(factories.a_reader(other), Project.objects.exclude(pk=other.pk).get())
    assert stranger.get("/studies").status_code == 404
    assert Event.objects.filter(action="access.denied").count() == 1
