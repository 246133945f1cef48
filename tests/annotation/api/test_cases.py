"""The order of slices: along their normal, in mm."""

from typing import Any

from annotation.studies.models import Instance
from annotation.studies.pictures import in_reading_order

# Oblique: rows run along x, columns down (0, 0.6, 0.8); the normal is (0, -0.8, 0.6).
OBLIQUE = [1.0, 0.0, 0.0, 0.0, 0.6, 0.8]


def a_slice(number: int, **attributes: Any) -> Instance:
    return Instance(instance_number=number, sop_instance_uid=f"1.{number}", attributes=attributes)


def placed(number: int, position: list[float]) -> Instance:
    return a_slice(number, ImageOrientationPatient=OBLIQUE, ImagePositionPatient=position)


def test_slices_are_sorted_by_position_whatever_their_numbers_say() -> None:
    stack = [placed(1, [0.0, -8.0, 6.0]), placed(2, [0.0, 0.0, 0.0]), placed(3, [0.0, -4.0, 3.0])]
    assert [one.instance_number for one in in_reading_order(stack)] == [2, 3, 1]


def test_images_without_a_position_are_sorted_by_number() -> None:
    stack = [a_slice(2), a_slice(3), a_slice(1)]
    assert [one.instance_number for one in in_reading_order(stack)] == [1, 2, 3]
