"""RT structure sets (PS3.3 A.19): regions and masks as contours in the patient, one set a reader and case."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, RTStructureSetStorage

from annotation.exchange.out.archive import Archive, Report
from annotation.exchange.out.contours import filled, outlines_of
from annotation.exchange.out.drawn import CLOSED, drawings_in, outline, paintings_in
from annotation.exchange.out.frozen import Frozen, FrozenCase, Progress, Said
from annotation.exchange.out.rules import DifferenceError, LeftOutError, uid_of
from annotation.exchange.out.sources import (
    IDENTITY,
    MANUFACTURER,
    MODEL,
    creator_of,
    export_readings,
    file_of,
    references_differ,
    sources_of,
)
from annotation.exchange.placement import in_patient, on_frame
from annotation.studies.pictures import Picture

Points = NDArray[np.float64]
SERIES_NUMBER: Final = 9003
NEAR_MM: Final = 0.01
COLOURS: Final = ((228, 26, 28), (55, 126, 184), (77, 175, 74), (152, 78, 163), (255, 127, 0), (166, 86, 40))
DETACHED_STUDY: Final = "1.2.840.10008.3.1.2.3.1"


@dataclass
class Structure:
    """One region of interest: its contours in pixels, each on a frame; voxels by frame where it is a mask.

    meaning: the question that it answers and the label, with a colon between.
    """

    name: str
    meaning: str
    contours: list[tuple[Picture, Points]] = field(default_factory=list)
    voxels: dict[tuple[str, int], NDArray[np.bool_]] = field(default_factory=dict)


def export_rtstruct(frozen: Frozen, archive: Archive, report: Report, progress: Progress) -> None:
    """Write each reader's newest regions and masks as structure sets.

    raises: DifferenceError.
    """

    def files(case: FrozenCase, said: Said) -> Iterator[tuple[str, bytes]]:
        structures = list(structures_of(case, said))
        if structures:
            yield f"{case.name}/{said.reader}.dcm", written(frozen, case, said, structures)
            report.count("structures", len(structures))

    export_readings(frozen, archive, report, progress, files, what="structure sets")


def structures_of(case: FrozenCase, said: Said) -> Iterator[Structure]:
    """Give what encloses pixels: a structure a region, and one a class of a mask."""
    for number, one in enumerate(drawings_in(case, said), start=1):
        if one.question.kind in CLOSED:
            points = outline(one.question.kind, one.region.points)
            meaning = f"{one.question.key}:{one.label.value}"
            yield Structure(f"{one.label.value} {number}"[:64], meaning, [(one.picture, points)])
    for painting in paintings_in(case, said):
        for label in painting.question.classes:
            meaning = f"{painting.question.key}:{label.value}"
            structure = Structure(f"{painting.question.key} {label.value}"[:64], meaning)
            for place, plane in zip(painting.places, painting.voxels(label.value), strict=True):
                picture = case.pictures[place]
                if plane.any():
                    structure.contours += [(picture, points) for points in outlines_of(plane)]
                    structure.voxels[picture.key] = plane
            if structure.contours:
                yield structure


def written(frozen: Frozen, case: FrozenCase, said: Said, structures: list[Structure]) -> bytes:
    """Write a structure set, read back and compared.

    raises: DifferenceError, LeftOutError where its images do not say where they lie.
    """
    pictures = {picture.key: picture for one in structures for picture, _ in one.contours}
    if any("ImagePositionPatient" not in one.attributes for one in pictures.values()):
        raise LeftOutError("its images do not say where they lie: contours in the patient need that")
    sources = sources_of(case, [uid for uid, _ in pictures])
    if "FrameOfReferenceUID" not in sources[0]:
        raise LeftOutError("(0020,0052) Frame of Reference UID is absent: contours in the patient need it")
    made = set_of(frozen, case, said, structures, sources)
    content = file_of(made, said)
    check(case, content, structures, sources)
    return content


def set_of(
    frozen: Frozen, case: FrozenCase, said: Said, structures: list[Structure], sources: list[Dataset]
) -> FileDataset:
    """Make a structure set."""
    names = (case.line["case"], said.reader)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = RTStructureSetStorage
    meta.MediaStorageSOPInstanceUID = UID(uid_of(frozen.digest, "rtstruct", *names))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    for keyword in IDENTITY:
        if keyword in sources[0]:
            made[keyword] = sources[0][keyword]
    made.SOPClassUID, made.SOPInstanceUID = RTStructureSetStorage, meta.MediaStorageSOPInstanceUID
    made.Modality, made.SeriesNumber, made.InstanceNumber = "RTSTRUCT", SERIES_NUMBER, 1
    made.SeriesInstanceUID = UID(uid_of(frozen.digest, "rtstruct series", *names))
    made.SeriesDescription = "Fovea: regions and masks"
    made.Manufacturer, made.ManufacturerModelName, made.OperatorsName = MANUFACTURER, MODEL, creator_of(said)
    made.StructureSetLabel = "READING"
    made.StructureSetDate, made.StructureSetTime = "", ""
    made.ApprovalStatus = "UNAPPROVED"
    frame = str(sources[0].FrameOfReferenceUID)
    made.FrameOfReferenceUID, made.PositionReferenceIndicator = frame, ""
    made.ReferencedFrameOfReferenceSequence = Sequence([referenced_frame(frame, sources)])
    made.StructureSetROISequence, made.ROIContourSequence = Sequence(), Sequence()
    made.RTROIObservationsSequence = Sequence()
    for number, one in enumerate(structures, start=1):
        made.StructureSetROISequence.append(roi_of(number, one, frame))
        made.ROIContourSequence.append(contours_of(case, number, one))
        made.RTROIObservationsSequence.append(observation_of(number, said))
    return made


def referenced_frame(frame: str, sources: list[Dataset]) -> Dataset:
    """Refer to study, series and images (PS3.3 C.8.8.5)."""
    series, study, referenced = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = sources[0].SeriesInstanceUID
    series.ContourImageSequence = Sequence([image_of(one.SOPClassUID, one.SOPInstanceUID) for one in sources])
    study.ReferencedSOPClassUID = DETACHED_STUDY
    study.ReferencedSOPInstanceUID = sources[0].StudyInstanceUID
    study.RTReferencedSeriesSequence = Sequence([series])
    referenced.FrameOfReferenceUID = frame
    referenced.RTReferencedStudySequence = Sequence([study])
    return referenced


def image_of(sop_class_uid: str, sop_instance_uid: str, frame: int = 0) -> Dataset:
    """Refer to an image, or to one frame of it."""
    found = Dataset()
    found.ReferencedSOPClassUID, found.ReferencedSOPInstanceUID = sop_class_uid, sop_instance_uid
    if frame:
        found.ReferencedFrameNumber = frame
    return found


def roi_of(number: int, one: Structure, frame: str) -> Dataset:
    """Name a structure."""
    roi = Dataset()
    roi.ROINumber, roi.ReferencedFrameOfReferenceUID, roi.ROIName = number, frame, one.name
    roi.ROIDescription, roi.ROIGenerationAlgorithm = one.meaning[:1024], "MANUAL"
    return roi


def contours_of(case: FrozenCase, number: int, one: Structure) -> Dataset:
    """Write a structure's contours, each with the image that it was drawn on."""
    found = Dataset()
    found.ROIDisplayColor = list(COLOURS[(number - 1) % len(COLOURS)])
    found.ReferencedROINumber = number
    found.ContourSequence = Sequence()
    for place, (picture, points) in enumerate(one.contours, start=1):
        stored = case.instances[picture.sop_instance_uid]
        frame = picture.frame if stored["frames"] > 1 else 0
        contour = Dataset()
        contour.ContourImageSequence = Sequence(
            [image_of(stored["sop_class_uid"], picture.sop_instance_uid, frame)]
        )
        contour.ContourGeometricType = "CLOSEDPLANAR_XOR" if one.voxels else "CLOSED_PLANAR"
        contour.NumberOfContourPoints, contour.ContourNumber = len(points), place
        contour.ContourData = [decimal(value) for value in in_patient(picture.attributes, points).ravel()]
        found.ContourSequence.append(contour)
    return found


def observation_of(number: int, said: Said) -> Dataset:
    """Say who saw a structure."""
    found = Dataset()
    found.ObservationNumber = found.ReferencedROINumber = number
    found.RTROIInterpretedType, found.ROIInterpreter = "", creator_of(said)
    return found


def decimal(value: float) -> str:
    """Write a number in the 16 characters of a decimal string (PS3.5 6.2)."""
    return f"{value:.6f}" if abs(value) < 1e8 else f"{value:.9g}"


def check(case: FrozenCase, content: bytes, structures: list[Structure], sources: list[Dataset]) -> None:
    """Read a structure set back: every point within 0.01 mm, every voxel of a mask.

    raises: DifferenceError.
    """
    read = dcmread(BytesIO(content))
    differs = references_differ(study_apart(read), sources)
    if differs:
        raise DifferenceError(case.number, differs)
    for one, again in zip(structures, read.ROIContourSequence, strict=True):
        drawn: dict[tuple[str, int], list[Points]] = {}
        for (picture, points), contour in zip(one.contours, again.ContourSequence, strict=True):
            placed = np.asarray(contour.ContourData, dtype=np.float64).reshape(-1, 3)
            off = float(np.linalg.norm(placed - in_patient(picture.attributes, points), axis=1).max())
            if off > NEAR_MM:
                raise DifferenceError(case.number, f'"{one.name}" lies {off:.4f} mm off in RTSTRUCT')
            drawn.setdefault(picture.key, []).append(on_frame(picture.attributes, placed))
        for key, plane in one.voxels.items():
            wrong = int((filled(drawn[key], plane.shape) != plane).sum())
            if wrong:
                raise DifferenceError(case.number, f'{wrong} voxels of "{one.name}" differ in RTSTRUCT')


def study_apart(read: Dataset) -> Dataset:
    """Give a set without its reference to the study, which is no image."""
    for frame in read.ReferencedFrameOfReferenceSequence:
        for study in frame.RTReferencedStudySequence:
            del study.ReferencedSOPInstanceUID
    return read
