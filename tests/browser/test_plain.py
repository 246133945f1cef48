"""Without a graphics card (no WebGL2) every tool does what it does with one: acts, regions, masks, planes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, ViewportSize

from annotation.studies.door.sandbox import Sandbox
from tests.browser.shown import Admitted, Screen, admitted, screen_on
from tests.phantoms import a_slice, dicom, fill

pytestmark = pytest.mark.browser
COUNT = 7
VIEWPORT = ViewportSize(width=600, height=600)
POINTER = ["window", "zoom", "pan", "scroll", "probe", "magnify"]
REGIONS = ["point", "line", "bidirectional", "angle", "cobb", "box", "ellipse", "polygon", "freehand"]
MASKS = ["brush", "sphere", "eraser", "threshold", "scissors"]
ASKED = """
window.told = [];
stage.onRegions(change => window.told.push(change));
stage.setActiveLabel({ question: 'q', label: 'l', colour: '#ff8c42' });
stage.setMaskQuestion('seg', [{ value: 'a', label: 'A', colour: '#ff8c42' }]);
stage.setBrush({ diameterMm: 8, lowest: 200, highest: 900 });
"""


@pytest.fixture(scope="module")
def series() -> Iterator[list[Admitted]]:
    """Slices with a slope of values, so that thresholds and planes have something to choose from."""
    with Sandbox(1) as door:
        rows, columns = np.indices((48, 48))
        files = []
        for number in range(COUNT):
            made = a_slice(number + 1, modality="MR")
            fill(made, (rows * 20 + columns + number * 10).astype(np.int16))
            made.RescaleIntercept, made.WindowCenter, made.WindowWidth = 0, 500, 1000
            made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
            made.ImagePositionPatient = [0, 0, 2.0 * number]
            made.PixelSpacing = [1, 1]
            files.append(admitted(door, dicom(made)))
        yield files


def told(screen: Screen) -> dict[str, Any]:
    """What the stage says of itself, without the names that are made by chance."""
    return {name: value for name, value in screen.stage.view().items() if name not in ("frameId", "selected")}


def all_acts(screen: Screen) -> list[Any]:
    """Use every tool the same way; returns what each has led to."""
    stage, found = screen.stage, list[Any]()
    stage.run(ASKED)
    for nth, tool in enumerate(POINTER):
        stage.run("stage.use(value)", tool)
        stage.drag((300, 300), (340 + nth, 320))
        found.append((tool, told(screen)))
    for act in ("rotate()", "flip('horizontal')", "invert()", "reset()"):
        stage.run(f"stage.{act}")
        found.append((act, told(screen)))
    for nth, tool in enumerate(REGIONS):
        stage.run("stage.use(value)", tool)
        at = 90 + 45 * nth
        stage.drag((at, 150), (at + 30, 160), (at + 8, 185))
        stage.click((at + 35, 200), (at + 5, 220))
        stage.run("stage.finishDrawing(); stage.cancelDrawing()")
        kinds = "return told.at(-1)?.regions.map(({ kind, region }) => [kind, region.points]) ?? []"
        found.append((tool, stage.run(kinds)))
    for nth, tool in enumerate(MASKS):
        stage.run("stage.use(value)", tool)
        at = 120 + 60 * nth
        stage.drag((at, 380), (at + 50, 380), (at + 50, 430), (at, 430))
        found.append((tool, stage.run("return stage.mask('seg')")))
    stage.run("stage.copyToSlice(1)")
    found.append(("undo", stage.run("await stage.undo(); await stage.redo(); return stage.mask('seg')")))
    stage.run("await stage.setLayout('mpr'); await stage.turnPlanes(20)")
    stage.settle()
    found.append(("mpr", told(screen)))
    return found


def test_every_tool_leads_to_the_same_without_a_graphics_card(
    chromium: Browser, series: list[Admitted], built: Path
) -> None:
    found = []
    for webgl in (True, False):
        page = chromium.new_page(viewport=VIEWPORT)
        page.set_default_timeout(60_000)
        with screen_on(page, built, webgl=webgl) as screen:
            assert page.evaluate("bench.isPlain") is not webgl
            screen.open(series, at=COUNT // 2)
            page.wait_for_function("n => bench.stage.view().loaded === n", arg=COUNT)
            found.append(all_acts(screen))
    with_card, without = found
    assert without == with_card
    drawn = dict(without)
    assert {kind for kind, _ in drawn["freehand"]} >= set(REGIONS) - {"cobb"}
    assert all(drawn[tool] is not None for tool in MASKS)
    assert drawn["mpr"]["isTurned"]
