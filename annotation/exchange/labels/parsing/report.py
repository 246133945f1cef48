"""DICOM SR after TID 1500: measurement groups as regions with their attributes, choices and numbers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from pydicom.dataset import Dataset

from annotation.exchange.labels.parsing.coded import names_of, reader_of, split_name
from annotation.exchange.labels.statements import LabelFileError, Order, Statement, Target

GROUP: Final = ("125007", "DCM")
REGION: Final = ("111030", "DCM")
TRACKING: Final = ("112039", "DCM")
FINDING: Final = ("121071", "DCM")
OBSERVER: Final = ("121008", "DCM")
NESTING: Final = 20


@dataclass
class Group:
    """What one measurement group says."""

    name: str = ""
    findings: list[str] = field(default_factory=list)
    images: list[Target] = field(default_factory=list)
    shapes: list[tuple[Target, dict[str, Any]]] = field(default_factory=list)
    strokes: list[tuple[Target, list[list[float]]]] = field(default_factory=list)
    said: list[tuple[list[str], list[str]]] = field(default_factory=list)


def read_report(found: Dataset, order: Order) -> Iterator[Statement]:
    """Give a report's statements.

    raises: LabelFileError where it has no measurement group.
    """
    names = [reader_of(found, one.get("PersonName")) for one in items_in(found) if concept(one) == OBSERVER]
    reader = next((one for one in names if one), "")
    groups = [one for one in items_in(found) if concept(one) == GROUP]
    if not groups:
        raise LabelFileError(f"{order.path} has no measurement group (TID 1500)")
    for number, item in enumerate(groups, start=1):
        yield from statements_of(group_of(item), f"{order.path}, group {number}", found, reader)


def concept(item: Dataset) -> tuple[str, str]:
    """Name what a content item is."""
    for name in item.get("ConceptNameCodeSequence", []):
        return str(name.get("CodeValue", "")), str(name.get("CodingSchemeDesignator", ""))
    return "", ""


def items_in(item: Dataset, depth: int = 0) -> Iterator[Dataset]:
    """Walk the content tree."""
    for child in item.get("ContentSequence", []):
        yield child
        if depth < NESTING:
            yield from items_in(child, depth + 1)


def group_of(item: Dataset) -> Group:
    """Read a measurement group."""
    group = Group()
    for child in item.get("ContentSequence", []):
        kind, name = str(child.get("ValueType", "")), concept(child)
        if name == TRACKING:
            group.name = str(child.get("TextValue", ""))
        elif name == FINDING and kind == "CODE":
            group.findings = names_of(child.ConceptCodeSequence[0])
        elif kind == "CODE":
            group.said.append(
                (names_of(child.ConceptNameCodeSequence[0]), names_of(child.ConceptCodeSequence[0]))
            )
        elif kind == "NUM":
            take_number(child, group)
        elif kind in ("SCOORD", "SCOORD3D"):
            group.shapes.append((image_in(child), shape_of(child)))
        elif kind == "IMAGE":
            group.images.append(image_of(child))
    return group


def take_number(item: Dataset, group: Group) -> None:
    """Take a measurement: the strokes that it was measured on, or the number itself."""
    strokes = [one for one in item.get("ContentSequence", []) if str(one.get("ValueType", "")) == "SCOORD"]
    for one in strokes:
        stroke = (image_in(one), pairs(one))
        if stroke not in group.strokes:
            group.strokes.append(stroke)
    values = item.get("MeasuredValueSequence", [])
    if values and not strokes:
        group.said.append((names_of(item.ConceptNameCodeSequence[0]), [str(values[0].NumericValue)]))


def image_of(item: Dataset) -> Target:
    """Name the image that an item refers to."""
    reference = item.ReferencedSOPSequence[0]
    frame = reference.get("ReferencedFrameNumber")
    number = frame[0] if isinstance(frame, list) else frame
    return Target(image=str(reference.ReferencedSOPInstanceUID), frame=int(number or 1))


def image_in(item: Dataset) -> Target:
    """Name the image that a region was selected from."""
    for child in item.get("ContentSequence", []):
        if str(child.get("ValueType", "")) == "IMAGE":
            return image_of(child)
    return Target()


def pairs(item: Dataset) -> list[list[float]]:
    """Read columns and rows."""
    return [[float(x), float(y)] for x, y in np.asarray(item.GraphicData, dtype=np.float64).reshape(-1, 2)]


def shape_of(item: Dataset) -> dict[str, Any]:
    """Read a region (PS3.3 C.18.6, C.18.9)."""
    if str(item.ValueType) == "SCOORD3D":
        return {"patient": np.asarray(item.GraphicData, dtype=np.float64).reshape(-1, 3).tolist()}
    points, kind = pairs(item), str(item.GraphicType)
    match kind:
        case "POINT" | "MULTIPOINT":
            return {"points": points}
        case "ELLIPSE":
            return {"ellipse": points}
        case "CIRCLE":
            (x, y), (edge_x, edge_y) = points
            away = float(np.hypot(edge_x - x, edge_y - y))
            return {"ellipse": [[x - away, y], [x + away, y], [x, y - away], [x, y + away]]}
    return {"outlines": [points]}


def statements_of(group: Group, where: str, found: Dataset, reader: str) -> Iterator[Statement]:
    """Give what a group says: of its regions, or of the case that its images belong to."""
    questions, labels = split_name(group.name)
    known = tuple(
        dict.fromkeys((*(labels if questions else ()), *group.findings, *(() if questions else labels)))
    )
    said = [[list(names), list(values)] for names, values in group.said]
    study = str(found.get("StudyInstanceUID", ""))
    for target, value in group.shapes:
        if "patient" in value:
            placed = Target(study=study)
            yield Statement(where, "contour", placed, questions, known, {"points": value["patient"]}, reader)
        else:
            yield Statement(where, "shape", target, questions, known, {**value, "said": said}, reader)
    if group.strokes:
        drawn = {"strokes": [stroke for _, stroke in group.strokes], "said": said}
        yield Statement(where, "shape", group.strokes[0][0], questions, known, drawn, reader)
    if not group.shapes and not group.strokes:
        about = group.images[0] if group.images else Target(study=study)
        for names, values in group.said:
            text = {"text": values[0]}
            yield Statement(where, "cell", about, tuple(names), tuple(values), text, reader)
