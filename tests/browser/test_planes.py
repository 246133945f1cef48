"""Planes turned around their crossing: what is seen lies where it is in the patient, lengths are true."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, ViewportSize

from annotation.projects.masks import written
from annotation.studies.door.sandbox import Sandbox
from tests.browser.reading import urlopen_data
from tests.browser.shown import Admitted, Screen, admitted, screen_on
from tests.phantoms import a_slice, dicom, fill

pytestmark = pytest.mark.browser
SHAPE = (31, 49, 41)
SPACING_MM = np.array([2.5, 0.7, 0.9])
TURN = 30.0
# From the middle to each ball, mm: (z, y, x), in the coronal plane turned by TURN about the slices' normal.
BALL = np.array([15.0, 10 * np.sin(np.deg2rad(TURN)), 10 * np.cos(np.deg2rad(TURN))])
APART_MM = 2 * float(np.linalg.norm(BALL))


def balls() -> NDArray[np.float64]:
    """Two soft balls, seen whole only where a plane goes through both: (z, y, x)."""
    places = np.moveaxis(np.indices(SHAPE), 0, -1) * SPACING_MM
    middle = (np.array(SHAPE) - 1) / 2 * SPACING_MM
    far = [((places - middle - side * BALL) ** 2).sum(axis=-1) for side in (-1, 1)]
    return np.asarray(1000 * sum(np.exp(-one / (2 * 2.0**2)) for one in far))


@pytest.fixture(scope="module")
def series() -> Iterator[list[Admitted]]:
    """An axial series of anisotropic voxels."""
    with Sandbox(1) as door:
        files = []
        for number, values in enumerate(balls()):
            made = a_slice(number + 1, modality="MR")
            fill(made, values.astype(np.int16))
            made.RescaleIntercept, made.WindowCenter, made.WindowWidth = 0, 500, 1000
            made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
            made.ImagePositionPatient = [0, 0, SPACING_MM[0] * number]
            made.PixelSpacing = list(SPACING_MM[1:])
            files.append(admitted(door, dicom(made)))
        yield files


@pytest.fixture
def screen(chromium: Browser, series: list[Admitted], built: Path) -> Iterator[Screen]:
    page = chromium.new_page(viewport=ViewportSize(width=800, height=600))
    page.set_default_timeout(60_000)
    with screen_on(page, built, webgl=False) as opened:
        opened.open(series, at=len(series) // 2)
        page.wait_for_function("n => bench.stage.view().loaded === n", arg=len(series))
        opened.stage.run("await stage.setLayout('mpr'); await stage.setWindow({ center: 500, width: 1000 })")
        opened.stage.settle()
        yield opened


def picture(screen: Screen, pane: int) -> NDArray[np.float64]:
    """Grey values of a pane, in the picture's own pixels."""
    url = screen.stage.page.evaluate(
        "n => document.querySelectorAll('.pane')[n].querySelector('.surface canvas').toDataURL()", pane
    )
    with urlopen_data(url) as image:
        return np.asarray(Image.open(image).convert("L"), dtype=np.float64)


def centres(grey: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Middles of the two balls, upper and lower, as points of the picture."""
    half = grey.shape[0] // 2
    found = []
    for first, part in ((0, grey[:half]), (half, grey[half:])):
        rows, columns = np.indices(part.shape)
        found.append(
            (
                float((columns * part).sum() / part.sum()) + 0.5,
                float((rows * part).sum() / part.sum()) + first + 0.5,
            )
        )
    return found


def on_screen(screen: Screen, pane: int, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Screen places of a pane's picture's points."""
    places = screen.stage.page.evaluate(
        "([n, points]) => { const pane = document.querySelectorAll('.pane')[n];"
        " const m = new DOMMatrix(pane.querySelector('.surface canvas').style.transform);"
        " const at = pane.getBoundingClientRect();"
        " return points.map(([x, y]) => { const p = m.transformPoint({ x, y });"
        " return [p.x + at.left, p.y + at.top] }) }",
        [pane, points],
    )
    return [(x, y) for x, y in places]


def turn(screen: Screen, degrees: float) -> None:
    screen.stage.run("await stage.turnPlanes(value)", degrees)
    screen.stage.settle()


def test_a_plane_turned_through_two_balls_shows_both_whole_and_measures_between_them(screen: Screen) -> None:
    assert picture(screen, 1).max() < 130, "the straight plane misses both"
    turn(screen, TURN)
    turned = picture(screen, 1)
    assert turned.max() > 225
    first, second = on_screen(screen, 1, centres(turned))
    screen.stage.run("stage.use('line')")
    screen.stage.drag(first, second)
    (words,) = screen.stage.page.locator(".pane svg .ruler text").all_text_contents()
    assert float(words.removesuffix(" mm")) == pytest.approx(APART_MM, abs=0.6)


def test_turning_the_other_way_misses_them(screen: Screen) -> None:
    turn(screen, -TURN)
    assert picture(screen, 1).max() < 60


def test_the_plane_that_is_turned_in_keeps_its_voxels(screen: Screen) -> None:
    before = picture(screen, 0)
    turn(screen, TURN)
    np.testing.assert_array_equal(picture(screen, 0), before)
    captions = screen.stage.page.locator(".pane-caption").all_text_contents()
    assert captions == ["Axial", "Coronal (turned)", "Sagittal (turned)"]


def test_the_handle_turns_as_the_keys_do_and_reset_puts_it_back(screen: Screen) -> None:
    straight = [picture(screen, pane) for pane in range(3)]
    turn(screen, TURN)
    by_keys = picture(screen, 1)
    screen.stage.run("stage.reset()")
    screen.stage.page.wait_for_function("!bench.stage.view().isTurned")
    screen.stage.settle()
    for pane in range(3):
        np.testing.assert_array_equal(picture(screen, pane), straight[pane])
    box = screen.stage.page.locator(".pane").first.bounding_box()
    circle = screen.stage.page.locator(".pane").first.locator("svg .turn")
    assert box is not None
    handle = [float(circle.get_attribute(name) or 0) for name in ("cx", "cy")]
    middle = on_screen(screen, 0, [(SHAPE[2] / 2, SHAPE[1] / 2)])[0]
    arm = np.array([handle[0] + box["x"], handle[1] + box["y"]]) - middle
    angle = np.deg2rad(TURN)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ arm + middle
    start = arm + middle
    screen.stage.drag((start[0], start[1]), (turned[0], turned[1]))
    screen.stage.page.wait_for_function("bench.stage.view().isTurned")
    screen.stage.settle()
    assert np.abs(picture(screen, 1) - by_keys).max() < 12


def test_with_every_plane_turned_slices_still_scroll_and_an_act_is_shown_where_it_was(screen: Screen) -> None:
    page = screen.stage.page
    screen.stage.run(
        "stage.setActiveLabel({ question: 'q', label: 'l', colour: '#ff8c42' }); stage.use('box')"
    )
    screen.stage.drag(*on_screen(screen, 0, [(8, 8), (20, 20)]))
    turn(screen, TURN)
    middle = page.locator(".pane").nth(1).bounding_box()
    assert middle is not None
    screen.stage.run("stage.use('window')")
    screen.stage.click((middle["x"] + 20, middle["y"] + 20))
    turn(screen, 20)
    captions = page.locator(".pane-caption").all_text_contents()
    assert captions == ["Axial (turned)", "Coronal (turned)", "Sagittal (turned)"]
    screen.stage.run("await stage.goTo(10)")
    assert screen.stage.view()["index"] == 10
    screen.stage.run("await stage.undo()")
    view = screen.stage.view()
    assert (view["isTurned"], view["index"], view["canRedo"]) == (False, 15, True)


def painted(screen: Screen, pane: int) -> NDArray[np.bool_]:
    """Where a pane's mask is seen, in the picture's own pixels."""
    url = screen.stage.page.evaluate(
        "n => document.querySelectorAll('.pane')[n].querySelector('.mask').toDataURL()", pane
    )
    with urlopen_data(url) as image:
        return np.asarray(Image.open(image).convert("RGBA"))[..., 3] > 0


def cut_through(classes: NDArray[np.bool_], degrees: float) -> NDArray[np.bool_]:
    """A volume (z, y, x) on the coronal plane through its middle, turned about z: (row, column)."""
    size, angle = np.array(SHAPE), np.deg2rad(degrees)
    diagonal = float(np.linalg.norm(size * SPACING_MM))
    step = max(float(SPACING_MM.min()), diagonal / 768)
    edge = int(np.ceil(diagonal / step))
    along = (np.arange(edge) + 0.5 - edge / 2) * step
    down, across = np.meshgrid(along, along, indexing="ij")
    places = np.stack([down, across * np.sin(angle), across * np.cos(angle)], axis=-1)
    voxels = np.floor(places / SPACING_MM + (size - 1) / 2 + 0.5).astype(int)
    is_inside = ((voxels >= 0) & (voxels < size)).all(axis=-1)
    z, y, x = np.moveaxis(np.clip(voxels, 0, size - 1), -1, 0)
    return np.asarray(is_inside & classes[z, y, x])


def test_a_mask_is_seen_on_a_turned_plane_where_its_voxels_are_and_is_not_painted_there(
    screen: Screen,
) -> None:
    classes = balls() > 400
    images = screen.stage.run("return frames().map(frame => frame.address.sopInstanceUid)")
    screen.stage.run(
        "stage.setMaskQuestion('seg', [{ value: 'ball', label: 'Ball', colour: '#ff8c42' }]);"
        "stage.setMask('seg', value)",
        written(SHAPE, images, {"ball": classes}),
    )
    screen.stage.settle()
    np.testing.assert_array_equal(painted(screen, 1), classes[:, SHAPE[1] // 2])
    for degrees in (TURN, -TURN / 2, -TURN / 2 - 7):
        turn(screen, degrees)
    turned = -7.0
    np.testing.assert_array_equal(painted(screen, 1), cut_through(classes, turned))
    turn(screen, TURN + 7)
    assert painted(screen, 1).sum() > 2 * cut_through(classes, turned).sum()
    np.testing.assert_array_equal(painted(screen, 1), cut_through(classes, TURN))

    box = screen.stage.page.locator(".pane").nth(1).bounding_box()
    assert box is not None
    before = screen.stage.run("return stage.mask('seg')")
    screen.stage.run("stage.use('brush')")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    screen.stage.drag(middle, (middle[0] + 20, middle[1]))
    assert screen.stage.run("return stage.mask('seg')") == before
