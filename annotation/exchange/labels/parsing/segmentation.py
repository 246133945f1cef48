"""DICOM segmentations (PS3.3 A.51), binary or labelmap: a mask a segment and frame."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from annotation.exchange.labels.parsing.coded import names_of, reader_of, split_name
from annotation.exchange.labels.parsing.drawn import mask_value
from annotation.exchange.labels.statements import LabelFileError, Order, Statement, Target


@dataclass(frozen=True)
class Segment:
    """What one number of a segmentation means."""

    questions: tuple[str, ...]
    labels: tuple[str, ...]


def read_segmentation(found: Dataset, order: Order) -> Iterator[Statement]:
    """Give a segmentation's statements.

    raises: LabelFileError.
    """
    kind = str(found.get("SegmentationType", ""))
    if kind not in ("BINARY", "LABELMAP"):
        raise LabelFileError(
            f"{order.path}: (0062,0001) Segmentation Type is {kind or 'absent'}: give BINARY or LABELMAP"
        )
    segments = {int(one.SegmentNumber): segment_of(one) for one in found.SegmentSequence}
    reader = reader_of(found, found.get("ContentCreatorName"))
    frames = np.atleast_3d(found.pixel_array)
    if found.pixel_array.ndim == 2:
        frames = found.pixel_array[None]
    shared = found.SharedFunctionalGroupsSequence[0]
    for place, groups in enumerate(found.PerFrameFunctionalGroupsSequence):
        target, placed = target_of(found, groups, shared)
        for number, pixels in drawn_in(frames[place], groups, shared, kind=kind):
            segment = segments.get(number)
            if segment is not None:
                where = f"{order.path}, frame {place + 1}, segment {number}"
                value = mask_value(pixels) | placed
                yield Statement(where, "shape", target, segment.questions, segment.labels, value, reader)


def segment_of(one: Dataset) -> Segment:
    """Read what a segment is called."""
    questions, labels = split_name(str(one.get("TrackingID", "")))
    coded = [name for item in one.get("SegmentedPropertyTypeCodeSequence", []) for name in names_of(item)]
    return Segment(questions, tuple(dict.fromkeys((*labels, str(one.SegmentLabel), *coded))))


def drawn_in(
    pixels: NDArray[Any], groups: Dataset, shared: Dataset, *, kind: str
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Give the segments of a frame."""
    if kind == "LABELMAP":
        for number in np.unique(pixels).tolist():
            if number:
                yield int(number), pixels == number
        return
    for source in (groups, shared):
        for item in source.get("SegmentIdentificationSequence", []):
            yield int(item.ReferencedSegmentNumber), pixels > 0
            return


def target_of(found: Dataset, groups: Dataset, shared: Dataset) -> tuple[Target, dict[str, Any]]:
    """Say which image a frame is of: by reference, or by where it lies."""
    series = found.get("ReferencedSeriesSequence") or [Dataset()]
    about = Target(
        series=str(series[0].get("SeriesInstanceUID", "")), study=str(found.get("StudyInstanceUID", ""))
    )
    for derivation in groups.get("DerivationImageSequence", []):
        for source in derivation.get("SourceImageSequence", []):
            frame = source.get("ReferencedFrameNumber")
            number = frame[0] if isinstance(frame, list) else frame
            uid = str(source.ReferencedSOPInstanceUID)
            return replace(about, image=uid, frame=int(number or 1)), {}
    return about, {"placed": placed_by(groups, shared)}


def placed_by(groups: Dataset, shared: Dataset) -> dict[str, list[float]]:
    """Read where a frame lies.

    raises: LabelFileError where it does not say so.
    """
    try:
        return {
            "position": values_of(groups, shared, "PlanePositionSequence", "ImagePositionPatient"),
            "orientation": values_of(groups, shared, "PlaneOrientationSequence", "ImageOrientationPatient"),
            "spacing": values_of(groups, shared, "PixelMeasuresSequence", "PixelSpacing"),
        }
    except StopIteration:
        raise LabelFileError("a frame names no source image, and does not say where it lies") from None


def values_of(groups: Dataset, shared: Dataset, sequence: str, keyword: str) -> list[float]:
    """Find numbers in a frame's own groups, else in the shared ones."""
    items = (item for source in (groups, shared) for item in source.get(sequence, []))
    return [float(value) for value in next(items)[keyword].value]
