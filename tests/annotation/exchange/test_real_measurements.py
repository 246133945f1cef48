"""What is measured on real images equals what pydicom says of the very files that were stored."""

from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.pixels.processing import apply_modality_lut

from annotation.projects.questions import questions_of
from annotation.projects.regions import Region
from annotation.readings.measuring import Stack, measured, stack_of
from annotation.studies import files
from annotation.studies.models import Instance, Series
from tests.annotation.exchange.conftest import Deliver

ASKED = questions_of(
    [{"key": "box", "prompt": "Where?", "kind": "box", "labels": [{"value": "n", "label": "N"}]}]
)


def a_box(instance: Instance, frame: int) -> Region:
    """A box over the middle of a frame, its edges between pixels."""
    rows, columns = int(instance.attributes["Rows"]), int(instance.attributes["Columns"])
    low, high = [columns // 4, rows // 3], [columns - columns // 4, rows - rows // 3]
    points = [[float(value) for value in corner] for corner in (low, high)]
    return Region(id=str(uuid4()), label="n", image=instance.sop_instance_uid, frame=frame, points=points)


def by_pydicom(instance: Instance, region: Region) -> np.ndarray:
    """Pixels in the box, in the units of the modality."""
    stored = dcmread(BytesIO(files.read_whole(files.instance_name(instance.digest))))
    pixels = stored.pixel_array if instance.frames == 1 else stored.pixel_array[region.frame - 1]
    (left, top), (right, bottom) = ([int(value) for value in point] for point in region.points)
    return np.asarray(apply_modality_lut(pixels, stored)[top:bottom, left:right], dtype=np.float64)


def measures_of(stack: Stack, region: Region) -> dict[str, Any]:
    return dict(measured(ASKED, {"box": [region.model_dump()]}, stack)[region.id])


def is_grey(instance: Instance) -> bool:
    return int(instance.attributes.get("SamplesPerPixel", 1)) == 1 and "PerFrame" not in instance.attributes


@pytest.mark.parametrize("name", ["dicom_valid", "chest_ct"])
def test_statistics_of_real_images_are_those_of_pydicom(deliver: Deliver, real_data: Path, name: str) -> None:
    deliver(real_data / name)
    compared = 0
    for series in Series.objects.prefetch_related("instances"):
        stack = stack_of(series)
        for instance in filter(is_grey, list(series.instances.all())[:6]):
            region = a_box(instance, instance.frames)
            values, found = by_pydicom(instance, region), measures_of(stack, region)
            assert (found["min"], found["max"]) == pytest.approx((values.min(), values.max())), instance
            assert (found["mean"], found["deviation"]) == pytest.approx((values.mean(), values.std()))
            assert found["pixels"] == values.size
            compared += 1
    assert compared >= 5


def test_areas_of_real_images_follow_their_pixel_spacing(deliver: Deliver, real_data: Path) -> None:
    deliver(real_data / "chest_ct")
    stack = stack_of(Series.objects.prefetch_related("instances").get())
    instance = Instance.objects.all()[0]
    region = a_box(instance, 1)
    row, column = instance.attributes["PixelSpacing"]
    (left, top), (right, bottom) = region.points
    found = measures_of(stack, region)
    assert found["area_mm2"] == pytest.approx((right - left) * column * (bottom - top) * row)
    assert found["spacing"] == "patient"
    assert stack.thickness_mm is not None
    heights = sorted(one.attributes["ImagePositionPatient"][2] for one in stack.pictures)
    assert stack.thickness_mm.sum() == pytest.approx(heights[-1] - heights[0], rel=0.1)
