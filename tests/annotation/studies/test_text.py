"""Burned-in text: found where it is, not where it is not, and never by a process that matters."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from annotation.studies.door.sandbox import Server, in_memory
from annotation.studies.door.text import Box, TextFinder, boxes_of, joined
from annotation.studies.door.verdict import Shown

LINES = (
    ("DOE^JANE 1961-02-03", (12, 8), 18),
    ("St. Mary Hospital", (380, 10), 15),
    ("ID 482917", (14, 452), 13),
)


def fan(seed: int = 0) -> np.ndarray:
    """A speckled fan as ultrasound shows it: (row, column), 8 bit."""
    y, x = np.mgrid[0:480, 0:640]
    inside = (np.hypot(x - 320, y + 60) < 480) & (np.abs(np.arctan2(x - 320, y + 60)) < 0.6)
    speckle = np.random.default_rng(seed).gamma(2, 22, (480, 640)) + 30
    return np.where(inside, speckle, 4).clip(0, 255).astype(np.uint8)


def with_lines(pixels: np.ndarray) -> np.ndarray:
    picture = Image.fromarray(pixels)
    for text, place, size in LINES:
        ImageDraw.Draw(picture).text(place, text, fill=235, font=ImageFont.load_default(size))
    return np.asarray(picture)


def found(finder: TextFinder, pixels: np.ndarray, shown: Shown) -> list[Box] | None:
    with in_memory("preview") as stream:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        stream.write(buffer.getvalue())
        return finder.boxes(stream, shown)


def test_every_line_of_text_has_its_box_in_the_image_s_own_pixels() -> None:
    with TextFinder() as finder:
        boxes = found(finder, with_lines(fan()), Shown(1280, 960, 1))
    assert boxes is not None
    for text, (left, top), size in LINES:
        width = ImageDraw.Draw(Image.new("L", (1, 1))).textlength(text, ImageFont.load_default(size))
        middle = (2 * (left + width / 2), 2 * (top + size * 0.6))
        assert any(
            box.left <= middle[0] < box.right and box.top <= middle[1] < box.bottom for box in boxes
        ), text


def test_an_image_without_text_has_no_box() -> None:
    with TextFinder() as finder:
        assert found(finder, fan(), Shown(640, 480, 1)) == []


def test_text_of_any_of_three_pictures_is_found() -> None:
    side_by_side = np.concatenate([fan(), with_lines(fan()), fan()], axis=1)
    with TextFinder() as finder:
        boxes = found(finder, side_by_side, Shown(640, 480, 3))
    assert boxes is not None
    assert len(boxes) >= len(LINES)
    assert all(box.right <= 640 for box in boxes)


def test_a_picture_that_kills_the_child_is_not_searched_and_the_next_one_is() -> None:
    with TextFinder() as finder:
        with in_memory("preview") as stream:
            stream.write(b"no picture")
            assert finder.boxes(stream, Shown(640, 480, 1)) is None
        assert found(finder, fan(), Shown(640, 480, 1)) == []


def test_a_server_that_ended_while_nobody_asked_is_replaced() -> None:
    with TextFinder() as finder:
        assert found(finder, fan(), Shown(640, 480, 1)) == []
        assert finder._server is not None
        finder._server._process.kill()
        finder._server._process.wait()
        assert found(finder, fan(), Shown(640, 480, 1)) == []


def test_where_the_library_is_not_wanted_nothing_is_searched() -> None:
    with TextFinder(wanted=False) as finder:
        assert found(finder, with_lines(fan()), Shown(640, 480, 1)) is None


def test_the_searching_child_is_confined_like_the_door_s() -> None:
    server = Server("annotation.studies.door.text_child")
    try:
        assert set(server.confinement) <= {"no network", "read-only code"}
    finally:
        server.close()


def test_boxes_are_read_within_the_image_whatever_the_child_says() -> None:
    told = b'{"width": 100, "height": 50, "boxes": [[-9, -9, 400, 12], [60, 20, 50, 30]]}'
    assert boxes_of(told, Shown(200, 100, 1)) == [Box(0, 0, 200, 29)]
    with pytest.raises((ValueError, KeyError, TypeError)):
        boxes_of(b'{"width": "x"}', Shown(200, 100, 1))


def test_overlapping_boxes_become_one() -> None:
    boxes = [Box(0, 0, 10, 10), Box(30, 30, 40, 40), Box(9, 9, 31, 31), Box(50, 0, 60, 5)]
    assert joined(boxes) == [Box(0, 0, 40, 40), Box(50, 0, 60, 5)]
