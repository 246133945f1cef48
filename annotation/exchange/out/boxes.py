"""Pascal VOC and YOLO: boxes a picture; read back and compared."""

import io
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from scipy import ndimage

from annotation.exchange.out.archive import Archive, Report
from annotation.exchange.out.frozen import Frozen, Progress
from annotation.exchange.out.objects import Box, Found, Sheet, box_of, categories_of, sheets_of
from annotation.exchange.out.rules import TEST, TRAIN, VALIDATION, DifferenceError

NEAR_PIXELS = 0.01
WHOLE_PIXEL = 1.0
SIDES = ("xmin", "ymin", "xmax", "ymax")
YOLO_PARTS = {TRAIN: "train", VALIDATION: "val", TEST: "test"}


def boxes_of(sheet: Sheet) -> list[tuple[str, Box]]:
    """Give a picture's boxes: a region's own, and one around each connected piece of a mask."""
    return [(one.category, box) for one in sheet.found for box in _boxes(one)]


def _boxes(one: Found) -> list[Box]:
    if one.pixels is None:
        return [one.box]
    pieces, count = ndimage.label(one.pixels, structure=np.ones((3, 3)))
    return [box_of(pieces == piece) for piece in range(1, count + 1)]


def export_voc(frozen: Frozen, archive: Archive, report: Report, progress: Progress) -> None:
    """Write JPEGImages/ (PNG, without loss), Annotations/, SegmentationClass/ and ImageSets/Main/.

    raises: DifferenceError.
    """
    numbers = {name: n for n, name in enumerate(categories_of(frozen), start=1)}
    listed: dict[str, list[str]] = {TRAIN: [], VALIDATION: [], TEST: []}
    sheets = sheets_of(frozen, archive, report, progress, paths=lambda _part, name: f"JPEGImages/{name}.png")
    for part, path, sheet in sheets:
        listed[part].append(sheet.name)
        text = voc_of(sheet, path.rpartition("/")[2])
        check_voc(sheet, text)
        archive.add(f"Annotations/{sheet.name}.xml", text)
        if any(one.pixels is not None for one in sheet.found):
            archive.add(f"SegmentationClass/{sheet.name}.png", class_picture(sheet, numbers))
    for part, names in listed.items():
        archive.add(f"ImageSets/Main/{part}.txt", "".join(f"{name}\n" for name in names))
    archive.add("labels.txt", "".join(f"{number} {name}\n" for name, number in numbers.items()))


def voc_of(sheet: Sheet, file_name: str) -> str:
    """Write one picture's annotation: whole pixels from 1, both ends inside the box."""
    root = ET.Element("annotation")
    ET.SubElement(root, "filename").text = file_name
    source = ET.SubElement(root, "source")
    ET.SubElement(source, "database").text = "Fovea"
    ET.SubElement(source, "image").text = image_name(sheet)
    size = ET.SubElement(root, "size")
    depth = 1 if sheet.plane.ndim == 2 else 3
    for name, value in (("width", sheet.width), ("height", sheet.height), ("depth", depth)):
        ET.SubElement(size, name).text = str(value)
    has_mask = any(one.pixels is not None for one in sheet.found)
    ET.SubElement(root, "segmented").text = str(int(has_mask))
    for category, box in boxes_of(sheet):
        described = ET.SubElement(root, "object")
        for name, text in (
            ("name", category),
            ("pose", "Unspecified"),
            ("truncated", "0"),
            ("difficult", "0"),
        ):
            ET.SubElement(described, name).text = text
        bounds = ET.SubElement(described, "bndbox")
        for name, value in zip(SIDES, whole(box), strict=True):
            ET.SubElement(bounds, name).text = str(value)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def image_name(sheet: Sheet) -> str:
    """Name the stored frame that a picture shows."""
    return f"{sheet.picture.sop_instance_uid}#{sheet.picture.frame}"


def whole(box: Box) -> tuple[int, int, int, int]:
    """Give the pixels that a box touches: first and last column and row, from 1."""
    left, top, right, bottom = box
    return int(np.floor(left)) + 1, int(np.floor(top)) + 1, int(np.ceil(right)), int(np.ceil(bottom))


def check_voc(sheet: Sheet, text: str) -> None:
    """Read an annotation back: every box within a pixel, since the format knows whole ones alone.

    raises: DifferenceError.
    """
    root = ET.fromstring(text)  # noqa: S314  our own text, a moment old
    read = [
        (
            one.findtext("name"),
            [int(one.findtext(f"bndbox/{name}") or 0) for name in ("xmin", "ymin", "xmax", "ymax")],
        )
        for one in root.iter("object")
    ]
    wanted = boxes_of(sheet)
    if len(read) != len(wanted):
        raise DifferenceError(sheet.case.number, "boxes are missing in what was read back from Pascal VOC")
    for (name, (left, top, right, bottom)), (category, box) in zip(read, wanted, strict=True):
        off = np.abs(np.subtract((left - 1, top - 1, right, bottom), box)).max()
        if name != category or off > WHOLE_PIXEL:
            raise DifferenceError(sheet.case.number, f"a box lies {off:.2f} pixels off in Pascal VOC")


def class_picture(sheet: Sheet, numbers: dict[str, int]) -> bytes:
    """Draw the classes of a picture's masks by their number, read back and compared.

    raises: DifferenceError.
    """
    drawn: NDArray[Any] = np.zeros((sheet.height, sheet.width), dtype=np.uint8)
    for one in sheet.found:
        if one.pixels is not None:
            drawn[one.pixels] = numbers[one.category]
    stream = io.BytesIO()
    told = PngInfo()
    told.add_text("Source", image_name(sheet))
    Image.fromarray(drawn).save(stream, "PNG", compress_level=6, pnginfo=told)
    if not np.array_equal(np.asarray(Image.open(io.BytesIO(stream.getvalue()))), drawn):
        raise DifferenceError(sheet.case.number, "a mask was read back otherwise from Pascal VOC")
    return stream.getvalue()


def export_yolo(frozen: Frozen, archive: Archive, report: Report, progress: Progress) -> None:
    """Write images/<part>/, labels/<part>/ and data.yaml.

    raises: DifferenceError.
    """
    names = categories_of(frozen)
    sheets = sheets_of(
        frozen, archive, report, progress, paths=lambda part, name: f"images/{YOLO_PARTS[part]}/{name}.png"
    )
    parts = set()
    for part, _path, sheet in sheets:
        parts.add(part)
        text = yolo_of(sheet, names)
        check_yolo(sheet, text, names)
        archive.add(f"labels/{YOLO_PARTS[part]}/{sheet.name}.txt", text)
    listed = "".join(f"{YOLO_PARTS[part]}: images/{YOLO_PARTS[part]}\n" for part in sorted(parts))
    words = "".join(f'  {number}: "{name}"\n' for number, name in enumerate(names))
    archive.add("data.yaml", f"path: .\n{listed}names:\n{words}")


def yolo_of(sheet: Sheet, names: list[str]) -> str:
    """Write one picture's boxes: class, centre and size as shares of the picture."""
    lines = []
    for category, (left, top, right, bottom) in boxes_of(sheet):
        x, y = (left + right) / 2 / sheet.width, (top + bottom) / 2 / sheet.height
        wide, high = (right - left) / sheet.width, (bottom - top) / sheet.height
        lines.append(f"{names.index(category)} {x:.8f} {y:.8f} {wide:.8f} {high:.8f}\n")
    return "".join(lines)


def check_yolo(sheet: Sheet, text: str, names: list[str]) -> None:
    """Read a picture's boxes back.

    raises: DifferenceError.
    """
    wanted = boxes_of(sheet)
    read = [line.split() for line in text.splitlines()]
    if len(read) != len(wanted):
        raise DifferenceError(sheet.case.number, "boxes are missing in what was read back from YOLO")
    for (number, *shares), (category, box) in zip(read, wanted, strict=True):
        x, y, wide, high = (float(share) for share in shares)
        sides = ((x - wide / 2), (y - high / 2), (x + wide / 2), (y + high / 2))
        again = np.multiply(sides, (sheet.width, sheet.height) * 2)
        off = float(np.abs(again - box).max())
        if names[int(number)] != category or off > NEAR_PIXELS:
            raise DifferenceError(sheet.case.number, f"a box lies {off:.3f} pixels off in YOLO")
