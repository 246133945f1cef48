"""Pascal VOC: boxes in XML, masks as pictures of class numbers, and the names of these (labels.txt)."""

import io
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotation.exchange.labels.parsing.drawn import mask_value
from annotation.exchange.labels.statements import LabelFileError, Order, Statement, Target

VOID: Final = 255  # the border that Pascal VOC leaves to nobody
SIDES: Final = ("xmin", "ymin", "xmax", "ymax")
MOST_PIXELS: Final = 96 * 1024 * 1024


def read_voc(content: bytes, order: Order) -> Iterator[Statement]:
    """Give the statements of one member of a VOC folder.

    raises: LabelFileError.
    """
    if order.path.lower().endswith(".png"):
        yield from masks_in(content, order)
        return
    try:
        root = ET.fromstring(content)  # noqa: S314 - in a child without rights, memory or time to spare
    except ET.ParseError as error:
        raise LabelFileError(f"{order.path} is no XML ({str(error)[:80]}): export it again") from None
    target = target_of(root, order)
    for number, one in enumerate(root.iter("object"), start=1):
        where = f"{order.path}, object {number}"
        name = (one.findtext("name") or "").strip()
        try:
            sides = [float(one.findtext(f"bndbox/{side}") or "") for side in SIDES]
        except ValueError:
            text = "bndbox lacks a number: give xmin, ymin, xmax and ymax"
            yield Statement(where, "problem", target, value={"text": text})
            continue
        # whole pixels from 1, both ends inside the box
        box = [sides[0] - 1, sides[1] - 1, sides[2], sides[3]]
        yield Statement(where, "shape", target, (), (name,), {"box": box})


def target_of(root: ET.Element, order: Order) -> Target:
    """Say which image it is: by the UID that our exports give, its file name, or the XML's own name."""
    name = (root.findtext("filename") or "").strip()
    names = tuple(one for one in (name, PurePosixPath(order.path).name) if one)
    return named(root.findtext("source/image") or "", names)


def named(image: str, paths: tuple[str, ...]) -> Target:
    """Name an image by "UID#frame", where that is what is given; else by file."""
    uid, _, frame = image.strip().partition("#")
    is_uid = uid.replace(".", "").isdigit()
    return Target(image=uid if is_uid else "", frame=int(frame) if frame.isdigit() else 1, paths=paths)


def masks_in(content: bytes, order: Order) -> Iterator[Statement]:
    """Give the classes of a picture of class numbers."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
        if picture.mode not in ("P", "L", "1", "I", "I;16"):
            raise LabelFileError(f"{order.path} is in colour: give a palette or grey PNG of class numbers")
        values: NDArray[Any] = np.asarray(picture)
        source = str(picture.info.get("Source", ""))
    names = order.names.get("", {})
    target = named(source, (PurePosixPath(order.path).name,))
    for number in np.unique(values).tolist():
        if number and (number != VOID or str(number) in names):
            label = names.get(str(int(number)), str(int(number)))
            yield Statement(
                f"{order.path}, class {int(number)}",
                "shape",
                target,
                (),
                (label,),
                mask_value(values == number),
            )


def names_in(content: bytes) -> dict[str, dict[str, str]]:
    """Read labels.txt: a number and a name a line."""
    pairs = [line.strip().partition(" ") for line in content.decode("utf-8", "replace").splitlines()]
    return {"": {number: name.strip() for number, _, name in pairs if number.isdigit() and name.strip()}}
