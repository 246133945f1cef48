"""Stored images as what derived DICOM objects refer to, and derived objects without a clock."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import UID

from annotation.exchange.out.archive import Archive, Report
from annotation.exchange.out.frozen import Frozen, FrozenCase, Progress, Said
from annotation.exchange.out.rules import LeftOutError, uid_of

MANUFACTURER: Final = "Fovea"
MODEL: Final = "Fovea"
VERSION: Final = "1"
SERIAL: Final = "0"
EMPTY_IF_ABSENT: Final = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)
IDENTITY: Final = (
    *EMPTY_IF_ABSENT,
    "StudyInstanceUID",
    "SpecificCharacterSet",
    "PatientIdentityRemoved",
    "LongitudinalTemporalInformationModified",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
)
DATES: Final = ("ContentDate", "InstanceCreationDate", "SeriesDate", "StructureSetDate")
TIMES: Final = ("ContentTime", "InstanceCreationTime", "SeriesTime", "StructureSetTime")
DRAWN_UIDS: Final = ("DimensionOrganizationUID",)
Files = Callable[[FrozenCase, Said], Iterable[tuple[str, bytes]]]
MOMENTS: Final = ("ObservationDateTime", "ContributionDateTime")


def export_readings(
    frozen: Frozen, archive: Archive, report: Report, progress: Progress, files: Files, *, what: str
) -> None:
    """Write the files of each reader's newest answers, and list what cannot be said in them.

    raises: DifferenceError.
    """
    for case in frozen.walked(progress):
        for said in case.newest():
            try:
                for name, content in files(case, said):
                    archive.add(name, content)
                    report.count(what)
            except LeftOutError as error:
                report.leave_out(case.number, str(error))


def sources_of(case: FrozenCase, sop_instance_uids: Iterable[str]) -> list[Dataset]:
    """Read stored headers, with what every study must have (type 2) there, if empty."""
    return [source_of(case, uid) for uid in dict.fromkeys(sop_instance_uids)]


def source_of(case: FrozenCase, sop_instance_uid: str) -> Dataset:
    """Read one stored header."""
    header = case.header(sop_instance_uid)
    for keyword in EMPTY_IF_ABSENT:
        if keyword not in header:
            setattr(header, keyword, "")
    is_placed = "ImagePositionPatient" in header or "PerFrameFunctionalGroupsSequence" in header
    if not is_placed and "FrameOfReferenceUID" in header:
        del header.FrameOfReferenceUID  # it says nothing where no position is given
    return header


def creator_of(said: Said) -> str:
    """Name a reader as PN does: by pseudonym."""
    return f"Reader^{said.reader}"


def file_of(made: Dataset, said: Said) -> bytes:
    """Write a derived object: its dates are the reading's, and none of its UIDs is drawn."""
    without_clock(made, said.at)
    without_chance(made)
    stream = BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def without_clock(made: Dataset, at: datetime | None) -> None:
    """Set every time at which something was made to the reading's own, in sequences too."""
    moment = at or datetime(1970, 1, 1)  # noqa: DTZ001  DICOM's DA and TM know no zone
    for element in made.iterall():
        if element.keyword in DATES:
            element.value = moment.strftime("%Y%m%d")
        elif element.keyword in TIMES:
            element.value = moment.strftime("%H%M%S.%f")
        elif element.keyword in MOMENTS:
            element.value = moment.strftime("%Y%m%d%H%M%S.%f")


def without_chance(made: Dataset) -> None:
    """Name anew what highdicom names by a random UID, by the object's own: the same one, the same UID."""
    names: dict[str, str] = {}
    for element in made.iterall():
        if element.keyword in DRAWN_UIDS and element.value:
            drawn = str(element.value)
            names.setdefault(drawn, uid_of(str(made.SOPInstanceUID), element.keyword, len(names)))
            element.value = UID(names[drawn])


def references_differ(made: Dataset, sources: Sequence[Dataset]) -> str:
    """Say where an object refers to an image that is not its source; nothing where all agree."""
    known = {str(one.SOPInstanceUID): str(one.SOPClassUID) for one in sources}
    for element in made.iterall():
        if element.keyword != "ReferencedSOPInstanceUID" or not element.value:
            continue
        if str(element.value) not in known:
            return f"it refers to an image that the case does not have: {element.value}"
    return ""


@contextmanager
def pseudonyms_allowed() -> Iterator[None]:
    """Let names have one part: pseudonyms of patients do, and an object's must be that of its images."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is unlikely to represent the intended person name.*")
        yield
