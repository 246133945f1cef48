"""DICOM segmentations (PS3.3 A.51), binary or labelmap: one a reader and question, read back and compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any

import highdicom as hd
import numpy as np
from highdicom.seg import (
    SegmentAlgorithmTypeValues,
    Segmentation,
    SegmentationTypeValues,
    SegmentDescription,
    segread,
)
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from annotation.exchange.out.archive import Archive, Report
from annotation.exchange.out.coding import coded, listed
from annotation.exchange.out.drawn import Painting, paintings_in
from annotation.exchange.out.frozen import Frozen, FrozenCase, Progress, Said
from annotation.exchange.out.rules import DifferenceError, LeftOutError, slug, uid_of
from annotation.exchange.out.sources import (
    MANUFACTURER,
    MODEL,
    SERIAL,
    VERSION,
    creator_of,
    export_readings,
    file_of,
    pseudonyms_allowed,
    references_differ,
    sources_of,
)
from annotation.projects.questions import Label

SERIES_NUMBER = 9001
Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Piece:
    """What becomes one SEG: source images, and each voxel's class, from 1: (frame, row, column)."""

    sources: list[Dataset]
    labels: Labels
    classes: list[Label]
    frames: int


def export_seg(frozen: Frozen, archive: Archive, report: Report, progress: Progress, *, kind: str) -> None:
    """Write each reader's newest masks as SEG objects.

    raises: DifferenceError.
    """
    files = partial(seg_files, frozen, kind)
    export_readings(frozen, archive, report, progress, files, what="SEG objects")


def seg_files(frozen: Frozen, kind: str, case: FrozenCase, said: Said) -> Iterator[tuple[str, bytes]]:
    """Give a reading's objects, each read back and compared."""
    for painting in paintings_in(case, said):
        for number, piece in enumerate(pieces_of(case, painting), start=1):
            uids = (case.line["case"], said.reader, painting.question.key, kind)
            made = seg_of(frozen, piece, painting, said, (*uids, number))
            refuse_unmeasured(made)
            content = file_of(made, said)
            check(case, content, piece, kind)
            suffix = f"_{number}" if number > 1 else ""
            yield f"{case.name}/{said.reader}_{slug(painting.question.key)}{suffix}.dcm", content


def pieces_of(case: FrozenCase, painting: Painting) -> Iterator[Piece]:
    """Cut a mask by its sources: all single-frame images together, each multi-frame one alone."""
    classes = painting.question.classes
    labels = painting.labelmap(case, [one.value for one in classes])
    single = [place for place in painting.places if case.instances[uid_at(case, place)]["frames"] == 1]
    if single:
        sources = sources_of(case, [uid_at(case, place) for place in single])
        yield Piece(sources, labels[single], classes, 1)
    many = {uid_at(case, place): None for place in painting.places if place not in set(single)}
    for uid in many:
        places = sorted(
            (place for place, one in enumerate(case.pictures) if one.sop_instance_uid == uid),
            key=lambda place: case.pictures[place].frame,
        )
        yield Piece(sources_of(case, [uid]), labels[places], classes, len(places))


def uid_at(case: FrozenCase, place: int) -> str:
    """Name the image of a frame."""
    return case.pictures[place].sop_instance_uid


def seg_of(
    frozen: Frozen, piece: Piece, painting: Painting, said: Said, names: tuple[Any, ...]
) -> Segmentation:
    """Make one object.

    raises: LeftOutError where its sources cannot carry one.
    """
    kind = SegmentationTypeValues(names[3])
    digest = frozen.digest
    pixels: NDArray[Any] = piece.labels
    if kind == SegmentationTypeValues.BINARY:
        numbers = np.arange(1, len(piece.classes) + 1)
        pixels = (piece.labels[..., None] == numbers).astype(np.uint8)
    try:
        with pseudonyms_allowed():
            return Segmentation(
                source_images=piece.sources,
                pixel_array=pixels,
                segmentation_type=kind,
                segment_descriptions=[
                    described(one, number, digest, names) for number, one in enumerate(piece.classes, start=1)
                ],
                series_instance_uid=uid_of(digest, "seg series", *names[:4]),
                series_number=SERIES_NUMBER,
                sop_instance_uid=uid_of(digest, "seg", *names),
                instance_number=int(names[4]),
                manufacturer=MANUFACTURER,
                manufacturer_model_name=MODEL,
                software_versions=VERSION,
                device_serial_number=SERIAL,
                content_creator_name=creator_of(said),
                content_label="READING",
                content_description=painting.question.prompt[:64],
                series_description=f"Fovea: {painting.question.key}"[:64],
                omit_empty_frames=bool(piece.labels.any()),
            )
    except (ValueError, AttributeError, TypeError) as error:
        raise LeftOutError(f"a SEG cannot refer to its images: {error}") from None


def refuse_unmeasured(made: Segmentation) -> None:
    """Refuse an object whose sources lie in the patient and do not say how large their pixels are.

    raises: LeftOutError.
    """
    for groups in made.SharedFunctionalGroupsSequence:
        for measures in groups.get("PixelMeasuresSequence", []):
            if "PixelSpacing" not in measures or "SliceThickness" not in measures:
                raise LeftOutError(
                    "its images do not say how large their pixels are, or how thick slices are"
                )


def described(one: Label, number: int, digest: str, names: tuple[Any, ...]) -> SegmentDescription:
    """Describe a class, coded where the table of terms has it."""
    return SegmentDescription(
        segment_number=number,
        segment_label=one.label[:64],
        segmented_property_category=listed("category:structure"),
        segmented_property_type=coded(one.value, one.label),
        algorithm_type=SegmentAlgorithmTypeValues.MANUAL,
        tracking_uid=uid_of(digest, "segment", *names, number),
        tracking_id=f"{names[2]}:{one.value}"[:64],
    )


def check(case: FrozenCase, content: bytes, piece: Piece, kind: str) -> None:
    """Read an object back through highdicom: every voxel of every source, and every reference.

    raises: DifferenceError.
    """
    read = segread(BytesIO(content))
    differs = references_differ(read, piece.sources)
    if differs:
        raise DifferenceError(case.number, differs)
    again = labels_in(read, piece)
    if again.shape != piece.labels.shape or not np.array_equal(again, piece.labels):
        wrong = int((again != piece.labels).sum()) if again.shape == piece.labels.shape else -1
        raise DifferenceError(case.number, f"{wrong} voxels were read back otherwise from SEG ({kind})")


def labels_in(read: hd.seg.Segmentation, piece: Piece) -> Labels:
    """Give the class of each voxel of an object on its sources."""
    uids = [str(one.SOPInstanceUID) for one in piece.sources]
    options: dict[str, Any] = {
        "combine_segments": True,
        "assert_missing_frames_are_empty": True,
        "ignore_spatial_locations": True,
    }
    if piece.frames > 1:
        frames = list(range(1, piece.frames + 1))
        found = read.get_pixels_by_source_frame(uids[0], frames, **options)
    else:
        found = read.get_pixels_by_source_instance(uids, **options)
    return np.asarray(found, dtype=np.uint8)
