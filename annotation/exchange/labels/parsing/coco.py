"""COCO: boxes, outlines and run-length masks by category (Lin 2014)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from annotation.exchange.coco_runs import pixels_of
from annotation.exchange.labels.parsing.drawn import mask_value
from annotation.exchange.labels.statements import LabelFileError, Order, Statement, Target


def read_coco(content: bytes, order: Order) -> Iterator[Statement]:
    """Give an annotation file's statements.

    raises: LabelFileError.
    """
    try:
        found = json.loads(content)
        images = {one["id"]: one for one in found["images"]}
        names = {one["id"]: str(one["name"]) for one in found["categories"]}
        annotations = list(found["annotations"])
    except (ValueError, KeyError, TypeError):
        raise LabelFileError(
            f"{order.path} is no COCO file: it needs images, annotations and categories, each with an id"
        ) from None
    for place, one in enumerate(annotations, start=1):
        where = f"annotation {one.get('id', place) if isinstance(one, dict) else place}"
        try:
            image = images[one["image_id"]]
            target, name, value = target_of(image), names[one["category_id"]], value_of(one)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            yield Statement(where, "problem", Target(), value={"text": told(error)})
            continue
        yield Statement(where, "shape", target, (), (name,), value)


def told(error: Exception) -> str:
    """Say what is wrong with an annotation."""
    words = str(error)[:80] or type(error).__name__
    return f"it cannot be read ({words}): give image_id, category_id, and bbox or segmentation"


def target_of(image: Mapping[str, Any]) -> Target:
    """Say which image it is: by the UID that our own exports give, else by its file name."""
    uid = str(image.get("sop_instance_uid") or "")
    return Target(image=uid, frame=int(image.get("frame") or 1), paths=(str(image["file_name"]),))


def value_of(one: Mapping[str, Any]) -> dict[str, Any]:
    """Read what was drawn.

    raises: KeyError, TypeError, ValueError.
    """
    value: dict[str, Any] = {}
    drawn = one.get("segmentation")
    if isinstance(drawn, dict):
        value |= mask_value(pixels_of(drawn))
    elif drawn:
        value["outlines"] = [pairs(part) for part in drawn]
    if one.get("bbox"):
        left, top, wide, high = (float(side) for side in one["bbox"])
        value["box"] = [left, top, left + wide, top + high]
    if not value:
        raise ValueError("nothing is drawn")
    return value


def pairs(flat: list[float]) -> list[list[float]]:
    """Pair numbers up: columns and rows."""
    if len(flat) < 6 or len(flat) % 2:
        raise ValueError(f"an outline has {len(flat)} numbers")
    return [[float(x), float(y)] for x, y in zip(flat[::2], flat[1::2], strict=True)]
