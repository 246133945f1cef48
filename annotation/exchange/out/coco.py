"""COCO: boxes, polygons and run-length masks (Lin 2014); read back and compared."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.exchange.coco_runs import pixels_of, runs_of
from annotation.exchange.out.archive import Archive, Report
from annotation.exchange.out.frozen import Frozen, Progress
from annotation.exchange.out.objects import Found, Sheet, categories_of, sheets_of
from annotation.exchange.out.rules import TEST, TRAIN, VALIDATION, DifferenceError

NEAR_PIXELS = 1e-6


def export_coco(frozen: Frozen, archive: Archive, report: Report, progress: Progress) -> None:
    """Write images/ and annotations/instances_<part>.json.

    raises: DifferenceError.
    """
    numbers = {name: number for number, name in enumerate(categories_of(frozen), start=1)}
    parts: dict[str, dict[str, Any]] = {part: head_of(frozen, numbers) for part in (TRAIN, VALIDATION, TEST)}
    sheets = sheets_of(frozen, archive, report, progress, paths="images/{}/{}.png".format)
    for number, (part, path, sheet) in enumerate(sheets, start=1):
        listed = parts[part]
        listed["images"].append(
            {
                "id": number,
                "file_name": path.removeprefix("images/"),
                "width": sheet.width,
                "height": sheet.height,
                "case": sheet.case.number,
                "patient": sheet.case.line["patient"],
                "sop_instance_uid": sheet.picture.sop_instance_uid,
                "frame": sheet.picture.frame,
            }
        )
        for one in sheet.found:
            key = len(listed["annotations"]) + 1
            listed["annotations"].append(written(one, key, number, numbers[one.category]))
            check(sheet, one, json.loads(json.dumps(listed["annotations"][-1])))
    for part, listed in parts.items():
        if listed["images"]:
            text = json.dumps(listed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            archive.add(f"annotations/instances_{part}.json", text)


def head_of(frozen: Frozen, numbers: dict[str, int]) -> dict[str, Any]:
    """Begin a file of annotations."""
    return {
        "info": {"description": frozen.head["name"], "version": frozen.digest},
        "licenses": [],
        "categories": [{"id": number, "name": name} for name, number in numbers.items()],
        "images": [],
        "annotations": [],
    }


def written(one: Found, key: int, image: int, category: int) -> dict[str, Any]:
    """Write one object: a mask as runs, an outline as a polygon, a box as its four sides."""
    left, top, right, bottom = one.box
    annotation: dict[str, Any] = {
        "id": key,
        "image_id": image,
        "category_id": category,
        "bbox": [left, top, right - left, bottom - top],
        "iscrowd": 0,
    }
    if one.pixels is not None:
        runs = {"size": list(one.pixels.shape), "counts": runs_of(one.pixels)}
        return annotation | {"segmentation": runs, "area": int(one.pixels.sum())}
    if one.outline is not None:
        return annotation | {
            "segmentation": [one.outline.ravel().tolist()],
            "area": area_of(one.outline),
        }
    corners = [left, top, right, top, right, bottom, left, bottom]
    return annotation | {"segmentation": [corners], "area": (right - left) * (bottom - top)}


def area_of(outline: NDArray[np.float64]) -> float:
    """Area inside a closed outline, in pixels, by the shoelace formula."""
    after = np.roll(outline, -1, axis=0)
    return abs(float(np.sum(outline[:, 0] * after[:, 1] - after[:, 0] * outline[:, 1]))) / 2


def check(sheet: Sheet, one: Found, again: dict[str, Any]) -> None:
    """Hold an object against what was read back.

    raises: DifferenceError.
    """
    left, top, wide, high = again["bbox"]
    if np.abs(np.subtract((left, top, left + wide, top + high), one.box)).max() > NEAR_PIXELS:
        raise DifferenceError(sheet.case.number, "a box was read back otherwise from COCO")
    if one.pixels is not None and not np.array_equal(pixels_of(again["segmentation"]), one.pixels):
        raise DifferenceError(sheet.case.number, "a mask was read back otherwise from COCO")
    if one.outline is not None:
        points = np.reshape(again["segmentation"][0], (-1, 2))
        if np.abs(points - one.outline).max() > NEAR_PIXELS:
            raise DifferenceError(sheet.case.number, "an outline was read back otherwise from COCO")
