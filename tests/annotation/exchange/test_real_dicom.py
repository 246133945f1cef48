"""Real DICOM of many kinds, conformant and broken: each file ends as its table of expectations says."""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from tests.annotation.exchange.conftest import Deliver, outcomes

SUSPICIOUS = ("US", "SC", "XC", "OT", "ES", "")
LOOKS_SUSPICIOUS = ("Secondary Capture", "Ultrasound", "VL ")
SAME_UID_OTHER_CONTENT = {"pydicom/liver_1frame.dcm", "pydicom/liver_expb_1frame.dcm"}


def rows(folder: Path) -> Iterator[dict[str, str]]:
    with (folder / "labels.csv").open(newline="") as stream:
        yield from csv.DictReader(stream)


def needs_eyes(row: dict[str, str]) -> bool:
    """Whether the de-identification rule holds such an image for a human."""
    named = any(word in row["sop_class"] for word in LOOKS_SUSPICIOUS)
    return row["modality"] in SUSPICIOUS or (named and row["modality"] != "SM")


@pytest.mark.parametrize("name", ["dicom_valid", "dicom_odd"])
def test_every_file_ends_as_expected(deliver: Deliver, real_data: Path, name: str) -> None:
    delivery, report = deliver(real_data / name)
    found = outcomes(delivery)
    assert report.total == len(found) == delivery.total
    wrong = [row["path"] for row in rows(real_data / name) if not as_expected(row, *found[row["path"]])]
    assert wrong == []


def test_packed_images_are_the_same_images(deliver: Deliver, real_data: Path, settings: Any) -> None:
    from annotation.studies import files
    from annotation.studies.models import Instance

    settings.PACKED_FRAMES = True
    deliver(real_data / "dicom_valid")
    packed = 0
    for image in Instance.objects.all():
        name = files.instance_name(image.digest)
        length = image.pixel_offset + image.frames * image.frame_bytes
        whole = files.read_span(name, 0, length + 16)
        assert hashlib.sha256(whole).hexdigest() == image.digest
        last = files.frame_span(image.digest, image.pixel_offset, image.frame_bytes, image.frames)
        assert last.read() == whole[last.offset : last.offset + last.length]
        packed += default_storage.exists(files.other_form(name))
        assert default_storage.exists(name) != default_storage.exists(files.other_form(name))
    assert packed > 30


def test_what_was_derived_from_another_series_is_stored_and_is_no_case(
    deliver: Deliver, real_data: Path
) -> None:
    from annotation.projects.models import Case
    from annotation.studies.models import Series

    deliver(real_data / "dicom_valid")
    assert Series.objects.filter(modality="SEG").exists()
    assert not Case.objects.filter(series__modality__in=["SEG", "RTDOSE"]).exists()


def test_importing_real_dicom_twice_changes_nothing(deliver: Deliver, real_data: Path) -> None:
    _, first = deliver(real_data / "dicom_valid")
    _, again = deliver(real_data / "dicom_valid")
    assert again.stored == 0
    assert again.duplicate == first.stored + first.duplicate
    assert again.quarantined == first.quarantined


def test_a_real_series_is_one_case_in_reading_order(deliver: Deliver, real_data: Path) -> None:
    from annotation.projects.models import Case
    from annotation.studies.selectors import frames_of
    from tests.factories import a_user

    _, report = deliver(real_data / "chest_ct")
    assert report.stored == 34
    case = Case.objects.get()
    ordered = frames_of(a_user(is_admin=True), case.pk)
    heights = [one.attributes["ImagePositionPatient"][2] for one in ordered]
    assert len(heights) == 34
    assert heights == sorted(heights)


def as_expected(row: dict[str, str], outcome: str, reason: str) -> bool:
    """One row against one outcome; a quarantined file always has a reason."""
    if outcome == "quarantined" and not reason:
        return False
    return EXPECTED[row["expect"]](row, outcome, reason)


def decodes(row: dict[str, str], outcome: str, reason: str) -> bool:
    """Stored (or the same image in another encoding is), or held for the reason that the rule gives."""
    if row["path"] in SAME_UID_OTHER_CONTENT:
        return "SOP Instance UID is stored already" in reason
    if needs_eyes(row):
        return (
            (outcome == "quarantined" and "text in its pixels" in reason)
            or "hold text" in reason
            or "not NO" in reason
        )
    return outcome in ("stored", "duplicate")


def is_refused(_row: dict[str, str], outcome: str, reason: str) -> bool:
    return outcome == "quarantined" and "text in its pixels" not in reason


def names_its_syntax(row: dict[str, str], outcome: str, reason: str) -> bool:
    return outcome == "quarantined" and row["transfer_syntax"] in reason


def has_no_pixels(_row: dict[str, str], outcome: str, reason: str) -> bool:
    return outcome == "quarantined" and reason.startswith("no pixels")


def has_no_pixels_or_is_no_image(_row: dict[str, str], outcome: str, reason: str) -> bool:
    return outcome == "quarantined" and reason.startswith(("no pixels", "not an image"))


def either(_row: dict[str, str], _outcome: str, _reason: str) -> bool:
    return True


EXPECTED = {
    "decode": decodes,
    "unsupported_ts_clean_error": names_its_syntax,
    "no_pixels": has_no_pixels,
    "must_fail_cleanly": is_refused,
    "odd_no_pixels": has_no_pixels_or_is_no_image,
    "odd_pixels_ok": either,
    "decode_or_clean_error": either,
}
