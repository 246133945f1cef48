"""What viewer and workers need of a stored image, by DICOM keyword; what is absent stays absent."""

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from annotation.studies.door.shared import NOT_ASKED, SharedElement

ATTRIBUTES = {
    tag_for_keyword(keyword): keyword
    for keyword in Path(__file__).with_name("attributes.txt").read_text().split()
}

# Functional groups (PS3.3 C.7.6.16) that say where a frame lies and how its values are read.
GROUPS = (
    "PixelMeasuresSequence",
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelValueTransformationSequence",
    "FrameVOILUTSequence",
    "SegmentIdentificationSequence",
    "PlanePositionSlideSequence",
)


def attributes_of(described: Dataset) -> dict[str, Any]:
    """Attributes as JSON: numbers are numbers, several values are lists, sequences are lists of objects.

    Shared functional groups stand at the top as if the image had one frame; those of single frames are in
    "PerFrame", one object a frame.
    """
    held = cast("Collection[DataElement]", described.values())  # nothing of it is raw: it was made here
    elements = {int(element.tag): element for element in held}
    found = _said({keyword: elements[tag] for tag, keyword in ATTRIBUTES.items() if tag in elements})
    shared = described.get("SharedFunctionalGroupsSequence")
    if shared:
        found = _groups(shared[0]) | found
    per_frame = described.get("PerFrameFunctionalGroupsSequence")
    if per_frame:
        found["PerFrame"] = [_groups(frame) for frame in per_frame]
    return found


def _groups(frame: Dataset) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for keyword in GROUPS:
        for item in frame.get(keyword) or ():
            found |= _plain(item)
    return found


def _plain(item: Dataset) -> dict[str, Any]:
    return _said({str(element.keyword): element for element in item})


def _said(elements: Mapping[str, DataElement]) -> dict[str, Any]:
    values = {keyword: _json(element) for keyword, element in elements.items()}
    return {keyword: value for keyword, value in values.items() if value not in (None, "", [])}


def _json(element: DataElement) -> object:
    if not isinstance(element, SharedElement):
        return _as_json(element)
    if element.as_json is NOT_ASKED:
        element.as_json = _as_json(element)
    return element.as_json


def _as_json(element: DataElement) -> object:
    value = element.value
    if element.VR == "SQ":
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return [int.from_bytes(value[place : place + 2], "little") for place in range(0, len(value), 2)]
    if isinstance(value, MultiValue | list | tuple):
        return [_scalar(item) for item in value]
    return _scalar(value)


def _scalar(value: object) -> object:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return None if value is None else str(value)
