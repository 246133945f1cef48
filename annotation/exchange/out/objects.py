"""Objects on pictures, as detection formats know them: of reference standards, one after the other. Pure.

Coordinates are (x, y) in pixels, 0, 0 at the top left corner of the top left pixel.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.exchange.out.archive import Archive, Report
from annotation.exchange.out.drawn import CLOSED, drawings_in, outline, paintings_in
from annotation.exchange.out.frozen import Frozen, FrozenCase, Progress, Said
from annotation.exchange.out.planes import Plane, as_png, plane_of
from annotation.exchange.out.rules import TEST, DifferenceError, ExportError, LeftOutError
from annotation.projects.questions import Regions, Segmentation
from annotation.studies.pictures import Picture

Box = tuple[float, float, float, float]
Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """One object: its class, its box (left, top, right, bottom), and its outline or its pixels."""

    category: str
    box: Box
    outline: NDArray[np.float64] | None = None
    pixels: Bits | None = None


@dataclass(frozen=True)
class Sheet:
    """One picture with its objects; name: its file's, without an ending."""

    case: FrozenCase
    picture: Picture
    name: str
    plane: Plane
    png: bytes
    found: list[Found]

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.plane.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.plane.shape[1])


def categories_of(frozen: Frozen) -> list[str]:
    """Name the classes of all that encloses pixels: "label", or "question/label" where two share it."""
    pairs = [
        (key, value)
        for key, is_closed in frozen.drawn_questions(CLOSED).items()
        if is_closed
        for value in frozen.classes_of(key)
    ]
    values = [value for _, value in pairs]
    return [value if values.count(value) == 1 else f"{key}/{value}" for key, value in pairs]


def sheets_of(
    frozen: Frozen, archive: Archive, report: Report, progress: Progress, *, paths: Callable[[str, str], str]
) -> Iterator[tuple[str, str, Sheet]]:
    """Give (part, file name, picture), each picture stored already; cases that cannot be said are left out.

    paths: part and name → where the picture lies.
    """
    known = categories_of(frozen)
    if not known:
        raise ExportError("the protocol asks for no boxes, outlines or masks: choose another format")
    for case in frozen.walked(progress):
        try:
            sheets = list(sheets_in(case, known, report))
        except LeftOutError as error:
            report.leave_out(case.number, str(error))
            continue
        for sheet in sheets:
            name = paths(case.part, sheet.name)
            archive.add(name, sheet.png)
            report.count("pictures")
            report.count("objects", len(sheet.found))
            yield case.part, name, sheet


def sheets_in(case: FrozenCase, known: list[str], report: Report) -> Iterator[Sheet]:
    """Give a case's pictures with what its reference standard shows on each.

    raises: LeftOutError where readers drew and no reference standard says what holds.
    """
    reference = case.reference()
    if reference is None and case.part != TEST:
        raise LeftOutError("it has no reference standard: its readers do not agree, or nobody has read it")
    found = objects_in(case, reference, known, report) if reference else {}
    for place, picture in enumerate(case.pictures):
        plane = plane_of(picture)
        try:
            png = as_png(plane)
        except ValueError as error:
            raise DifferenceError(case.number, str(error)) from None
        suffix = f"_{place + 1:04d}" if len(case.pictures) > 1 else ""
        yield Sheet(case, picture, f"{case.name}{suffix}", plane, png, found.get(place, []))


def objects_in(case: FrozenCase, reference: Said, known: list[str], report: Report) -> dict[int, list[Found]]:
    """Find a reference standard's objects by picture.

    raises: LeftOutError where several readers drew, so that there is no agreed drawing.
    """
    refuse_undrawn(case, reference)
    found: dict[int, list[Found]] = {}
    for drawing in drawings_in(case, reference):
        if drawing.question.kind not in CLOSED:
            report.leave_out(case.number, f"a {drawing.question.kind} encloses no pixels")
            continue
        shape = outline(drawing.question.kind, drawing.region.points)
        size = (drawing.picture.attributes["Columns"], drawing.picture.attributes["Rows"])
        inside = np.clip(shape, 0, size)
        box = (*inside.min(axis=0), *inside.max(axis=0))
        if box[0] >= box[2] or box[1] >= box[3]:
            report.leave_out(case.number, "a region lies outside of its image")
            continue
        category = category_of(drawing.question.key, drawing.label.value, known)
        left, top, right, bottom = (float(value) for value in box)
        outlined = None if drawing.question.kind == "box" else inside
        one = Found(category, (left, top, right, bottom), outline=outlined)
        found.setdefault(case.stack.places[drawing.picture.key], []).append(one)
    for painting in paintings_in(case, reference):
        for label in painting.question.classes:
            category = category_of(painting.question.key, label.value, known)
            for place, plane in zip(painting.places, painting.voxels(label.value), strict=True):
                if plane.any():
                    found.setdefault(place, []).append(Found(category, box_of(plane), pixels=plane))
    return found


def refuse_undrawn(case: FrozenCase, reference: Said) -> None:
    """Refuse a case on which readers drew something that its reference standard does not have."""
    drawn = {
        question.key
        for said in case.newest()
        for question in said.questions
        if isinstance(question, Regions | Segmentation) and said.answers.get(question.key)
    }
    if drawn - set(reference.answers):
        raise LeftOutError("several readers drew on it: its reference standard has no agreed drawing")


def category_of(key: str, value: str, known: list[str]) -> str:
    """Name a class."""
    return value if value in known else f"{key}/{value}"


def box_of(pixels: Bits) -> Box:
    """Give the box around pixels: from the first one's left edge to the last one's right."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
