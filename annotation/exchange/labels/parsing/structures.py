"""RT structure sets (PS3.3 A.19): outlines in the patient, a region of interest each."""

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from pydicom.dataset import Dataset

from annotation.exchange.labels.parsing.coded import reader_of, split_name
from annotation.exchange.labels.statements import Order, Statement, Target

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")


def read_structures(found: Dataset, order: Order) -> Iterator[Statement]:
    """Give a structure set's statements."""
    rois = {int(one.ROINumber): one for one in found.get("StructureSetROISequence", [])}
    reader = reader_of(found, found.get("OperatorsName"))
    for contours in found.get("ROIContourSequence", []):
        roi = rois.get(int(contours.ReferencedROINumber), Dataset())
        name = str(roi.get("ROIName", ""))
        questions, labels = split_name(str(roi.get("ROIDescription", "")))
        known = tuple(dict.fromkeys((*(labels if questions else ()), name, re.sub(r"\s*\d+$", "", name))))
        for place, one in enumerate(contours.get("ContourSequence", []), start=1):
            where = f'{order.path}, "{name}", contour {place}'
            target = target_of(found, one)
            kind = str(one.get("ContourGeometricType", ""))
            if kind not in CLOSED:
                text = f"(3006,0042) Contour Geometric Type is {kind}: only closed outlines are taken"
                yield Statement(where, "problem", target, value={"text": text})
                continue
            points = np.asarray(one.ContourData, dtype=np.float64).reshape(-1, 3)
            value = {"points": points.tolist()}
            yield Statement(where, "contour", target, questions, known, value, reader)


def target_of(found: Dataset, contour: Dataset) -> Target:
    """Say which image an outline is on, and which series it belongs to."""
    series = [
        str(one.SeriesInstanceUID)
        for frame in found.get("ReferencedFrameOfReferenceSequence", [])
        for study in frame.get("RTReferencedStudySequence", [])
        for one in study.get("RTReferencedSeriesSequence", [])
    ]
    about = Target(series=series[0] if series else "", study=str(found.get("StudyInstanceUID", "")))
    for image in contour.get("ContourImageSequence", []):
        uid = str(image.ReferencedSOPInstanceUID)
        return replace(about, image=uid, frame=int(image.get("ReferencedFrameNumber") or 1))
    return about
