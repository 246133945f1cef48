"""What is drawn and what is shown lies exactly where the pixels are: on real images, in a real browser."""

import base64
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import BrowserContext

from tests.browser.reading import Room, expected_picture, open_room, prepare
from tests.browser.serving import Fovea
from tests.browser.staging import Staged
from tests.phantoms import a_slice, chest, dicom, fill, series

pytestmark = pytest.mark.browser
READER = "viewer"
COUNT = 24
LABEL = "stage.setActiveLabel({ question: 'lesion', label: 'mass', colour: '#ff8c42' });"
LISTEN = "window.told = []; stage.onRegions(change => window.told.push(change));"
CLASSES = (
    "stage.setMaskQuestion('seg', [{ value: 'lung', label: 'Lung', colour: '#3fb0ff' },"
    " { value: 'mass', label: 'Mass', colour: '#ff5a5a' }]);"
)


@dataclass(frozen=True)
class Project:
    """A project's reader and the cases that this reader holds."""

    room: Room
    cases: list[dict[str, Any]]


def project(fovea: Fovea, context: BrowserContext, source: Path, name: str, modality: str = "OT") -> Project:
    """Import a folder and take its first cases on."""
    made = prepare(fovea, source, name, [READER], choices="yes,no", modality=modality)
    room = open_room(context, fovea, made, READER)
    return Project(room, [held["case"] for held in room.mine()["cases"]])


def copied(source: Path, target: Path, names: list[str]) -> Path:
    for name in names:
        shutil.copy(source / name, target / Path(name).name)
    return target


@pytest.fixture(scope="module")
def ct(fovea: Fovea, context: BrowserContext, real_data: Path) -> Project:
    """A real CT series of 34 slices."""
    return project(fovea, context, real_data / "chest_ct" / "Lung_Dx-A0001" / "dicom", "Viewer CT")


@pytest.fixture(scope="module")
def oblique(fovea: Fovea, context: BrowserContext, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A double-oblique series whose pixels are 0.7 × 0.9 mm, slices 2.5 mm apart."""
    folder = tmp_path_factory.mktemp("oblique")
    for number, content in enumerate(series(COUNT)):
        (folder / f"{number}.dcm").write_bytes(content)
    return project(fovea, context, folder, "Viewer oblique")


@pytest.fixture(scope="module")
def fundus(
    fovea: Fovea, context: BrowserContext, real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    folder = copied(
        real_data / "fundus_vessels" / "images", tmp_path_factory.mktemp("fundus"), ["Image_01L.jpg"]
    )
    return project(fovea, context, folder, "Viewer fundus", modality="OP")


@pytest.fixture(scope="module")
def film(
    fovea: Fovea, context: BrowserContext, real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """An angiography of 96 frames."""
    names = ["fo-dicom/HasFragmentSequence.dcm"]
    folder = copied(real_data / "dicom_valid", tmp_path_factory.mktemp("film"), names)
    return project(fovea, context, folder, "Viewer film")


@pytest.fixture(scope="module")
def negative(
    fovea: Fovea, context: BrowserContext, real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """A radiograph stored as MONOCHROME1."""
    names = ["orthanc-tests/Issue44/Monochrome1-Jpeg.dcm"]
    folder = copied(real_data / "dicom_valid", tmp_path_factory.mktemp("negative"), names)
    return project(fovea, context, folder, "Viewer negative")


def staged(project: Project, built: Path, *, webgl: bool = True) -> Staged:
    """Open the stage on the project's first case."""
    room = project.room
    room.page = room.page.context.new_page()
    room.page.on("pageerror", lambda error: room.errors.append(str(error)))
    stage = Staged(room, built)
    stage.load(webgl=webgl)
    stage.open(project.cases[0])
    return stage


@pytest.fixture(autouse=True)
def nothing_went_wrong(context: BrowserContext) -> Iterator[None]:
    yield
    for page in context.pages[1:]:
        page.close()


def points_of(stage: Staged) -> NDArray[np.float64]:
    """The points of the region that was told of last."""
    return np.array(
        stage.run(
            "const c = window.told.at(-1); return c.regions.find(r => r.region.id === c.id).region.points"
        )
    )


def drawn(stage: Staged, pane: int = 0) -> NDArray[np.float64]:
    """Grey values of a pane's plain canvas: (row, column)."""
    url = stage.page.evaluate(
        "n => document.querySelectorAll('.pane')[n].querySelector('.surface canvas').toDataURL()", pane
    )
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    return np.asarray(picture.convert("L"), dtype=np.float64)


def volume_of(room: Room, case: dict[str, Any]) -> NDArray[np.float64]:
    """All slices: (slice, row, column), modality values."""
    values: NDArray[np.float64] = np.stack([room.frame(case, nth) for nth in range(len(case["instances"]))])
    return values


def shaded(values: NDArray[np.float64], view: dict[str, Any]) -> NDArray[np.float64]:
    """PS3.3 C.11.2.1.2.1, LINEAR, as 0 – 255."""
    center, width = view["window"]["center"], view["window"]["width"]
    grey: NDArray[np.float64] = np.clip(((values - (center - 0.5)) / (width - 1) + 0.5) * 255, 0, 255)
    return grey


@pytest.mark.parametrize("turn", ["", "stage.rotate(); stage.flip('vertical'); stage.zoomBy(2)"])
def test_one_drag_draws_a_box_at_the_pixels_under_it(oblique: Project, built: Path, turn: str) -> None:
    stage = staged(oblique, built)
    stage.run(LABEL + LISTEN + "stage.use('box');" + turn)
    stage.settle()
    wanted = [(8.0, 9.0), (12.0, 15.0)]
    stage.drag(*stage.on_screen(0, wanted))
    np.testing.assert_allclose(points_of(stage), wanted, atol=0.05)
    region = stage.run("return window.told[0].regions[0].region")
    middle = oblique.cases[0]["instances"][(COUNT - 1) // 2]
    assert (region["image"], region["frame"]) == (middle["sop_instance_uid"], 1)
    assert (region["label"], region["origin"]) == ("mass", "reader")


def test_every_kind_of_region_has_its_points(ct: Project, built: Path) -> None:
    stage = staged(ct, built)
    stage.run(LABEL + LISTEN)
    for tool, places in {
        "point": [(350, 250), (350, 250)],
        "line": [(300, 100), (400, 160)],
        "bidirectional": [(150, 300), (260, 330)],
        "box": [(200, 150), (280, 220)],
        "ellipse": [(420, 200), (520, 300)],
        "freehand": [(300, 300), (340, 290), (360, 330), (310, 350)],
    }.items():
        stage.run("stage.use(value)", tool)
        stage.drag(*places)
    stage.run("stage.use('polygon')")
    stage.click((130, 100), (170, 90), (190, 140), (140, 160), (130, 100))
    stage.run("stage.use('angle')")
    stage.drag((450, 100), (500, 150))
    stage.click((560, 90))
    stage.run("stage.use('cobb')")
    stage.drag((120, 400), (180, 420))
    stage.drag((120, 450), (180, 440))
    found = stage.run("return window.told.at(-1).regions.map(r => [r.kind, r.region.points.length])")
    kinds = ["point", "line", "bidirectional", "box", "ellipse", "freehand", "polygon", "angle", "angle"]
    assert [kind for kind, _ in found] == kinds
    assert [count for kind, count in found if kind != "freehand"] == [1, 2, 4, 2, 4, 4, 3, 4]


def test_a_length_is_in_mm_of_the_patient_and_a_click_is_no_region(oblique: Project, built: Path) -> None:
    stage = staged(oblique, built)
    stage.run(LABEL + LISTEN + "stage.use('line')")
    # 6 columns of 0.9 mm and 8 rows of 0.7 mm.
    stage.drag(*stage.on_screen(0, [(5, 6), (11, 14)]))
    assert stage.page.locator(".pane svg text").all_text_contents() == [f"{np.hypot(5.4, 5.6):.1f} mm"]
    stage.run("stage.use('box')")
    stage.click((20, 20))
    stage.run("stage.cancelDrawing()")
    assert stage.run("return window.told.length") == 1


def test_without_spacing_lengths_are_pixels_and_say_so(fundus: Project, built: Path) -> None:
    stage = staged(fundus, built)
    stage.run(LABEL + "stage.use('line')")
    stage.drag(*stage.on_screen(0, [(100, 200), (130, 240)]))
    (words,) = stage.page.locator(".pane svg text").all_text_contents()
    assert words.endswith(" px")
    assert float(words.split()[0]) == pytest.approx(50, abs=1.5)
    assert stage.view()["lengths"] == "pixels"


def test_a_handle_moves_one_corner_and_an_edge_the_whole(ct: Project, built: Path) -> None:
    stage = staged(ct, built)
    stage.run(LABEL + LISTEN + "stage.use('box')")
    stage.drag((200, 150), (280, 220))
    before = points_of(stage)
    stage.drag((280, 220), (300, 240))
    moved = points_of(stage)
    stage.drag((250, 150), (260, 160))
    step = 20 / stage.page.evaluate("new DOMMatrix(document.querySelector('.mask').style.transform).a")
    np.testing.assert_allclose(moved.max(0) - before.max(0), [step, step], atol=0.01)
    np.testing.assert_allclose(points_of(stage) - moved, np.full((2, 2), step / 2), atol=0.01)
    assert stage.run("return window.told.map(change => change.how)") == ["added", "changed", "changed"]


def test_a_region_is_drawn_by_keys_alone(ct: Project, built: Path) -> None:
    stage = staged(ct, built)
    stage.run(LABEL + LISTEN + "stage.use('box'); stage.moveCursor([-60, -40]); stage.pressCursor()")
    stage.run("stage.moveCursor([90, 70]); stage.pressCursor()")
    extent = np.ptp(points_of(stage), axis=0)
    assert extent[0] / extent[1] == pytest.approx(90 / 70, rel=0.01)


def test_undo_goes_to_the_slice_first_and_shows_it(ct: Project, built: Path) -> None:
    stage = staged(ct, built)
    stage.run(LABEL + LISTEN + "stage.use('box')")
    stage.drag((200, 150), (280, 220))
    stage.run("await stage.goTo(3); window.seen = []; stage.onRegions(() => seen.push(stage.view().index))")
    stage.run("await stage.undo()")
    assert stage.run("return [window.seen, stage.view().index, stage.view().canRedo]") == [[16], 16, True]
    stage.open(ct.cases[0] | {"id": ct.cases[0]["id"]}, 4)
    stage.run("await stage.redo()")
    assert stage.view()["index"] == 16


def test_the_graphics_card_and_the_plain_canvas_show_the_same(oblique: Project, built: Path) -> None:
    pictures = []
    for webgl in (True, False):
        stage = staged(oblique, built, webgl=webgl)
        # Wide enough that nothing is cut off: between pixels one interpolates values, the other greys.
        stage.run("stage.setWindow({ center: 0, width: 4000 }); stage.rotate(); stage.flip('horizontal')")
        stage.run("stage.zoomBy(2.5, [300, 200]); stage.panBy([15, -9])")
        pictures.append(stage.screen().astype(np.float64))
    assert np.abs(pictures[0] - pictures[1]).mean() < 1.5


def test_without_webgl_regions_are_drawn_all_the_same(ct: Project, built: Path) -> None:
    stage = staged(ct, built, webgl=False)
    assert stage.page.evaluate("bench.isPlain")
    stage.run(LABEL + LISTEN + "stage.use('ellipse')")
    stage.drag((200, 150), (280, 220))
    assert len(points_of(stage)) == 4


def test_colours_are_those_of_the_photograph(fundus: Project, built: Path, real_data: Path) -> None:
    stage = staged(fundus, built)
    assert stage.view()["isColour"]
    file = Image.open(real_data / "fundus_vessels" / "images" / "Image_01L.jpg").convert("RGB")
    side = 500 * file.width // file.height
    expected = np.asarray(file.resize((side, 500), Image.Resampling.BOX), dtype=np.float64)
    left = (700 - side) // 2
    seen = stage.screen()[:, left : left + side].astype(np.float64)
    assert np.abs(seen - expected).mean() < 4


def test_low_values_of_monochrome1_are_bright(negative: Project, built: Path) -> None:
    stage = staged(negative, built)
    view = stage.view()
    assert view["isInverted"]
    case = negative.cases[0]
    window = (view["window"]["center"], view["window"]["width"])
    expected = 255 - expected_picture(negative.room.frame(case, 0), window, (500, 700))
    seen = stage.screen().mean(axis=2)
    inside = slice(160, 540)
    assert np.corrcoef(seen[:, inside].ravel(), expected[:, inside].ravel())[0, 1] > 0.99


def test_a_film_plays_at_its_speed_and_stops(film: Project, built: Path) -> None:
    stage = staged(film, built)
    assert stage.view()["cine"]["isPlaying"] is False
    first = stage.run(
        "await stage.goTo(0); stage.play(8); await new Promise(r => setTimeout(r, 1500));"
        " stage.pause(); return stage.view().index"
    )
    later = stage.run("await new Promise(r => setTimeout(r, 500)); return stage.view().index")
    assert 3 <= first <= 13
    assert later - first <= 1


def test_planes_through_a_series_are_its_voxels(ct: Project, built: Path) -> None:
    stage = staged(ct, built)
    stage.run("await stage.setLayout('mpr')")
    volume = volume_of(ct.room, ct.cases[0])
    view = stage.view()
    middle = (volume.shape[1] - 1) // 2
    np.testing.assert_allclose(drawn(stage, 0), shaded(volume[16], view), atol=0.51)
    np.testing.assert_allclose(drawn(stage, 1), shaded(volume[:, middle], view), atol=0.51)
    np.testing.assert_allclose(drawn(stage, 2), shaded(volume[:, :, middle], view), atol=0.51)
    captions = stage.page.locator(".pane-caption").all_text_contents()
    assert captions == ["Axial", "Coronal", "Sagittal"]
    stage.run("stage.setSlab(25, 'maximum')")
    stage.settle()
    np.testing.assert_allclose(drawn(stage, 0), shaded(volume[14:19].max(axis=0), view), atol=0.51)


def test_the_crosshair_moves_the_other_planes(ct: Project, built: Path) -> None:
    stage = staged(ct, built)
    stage.run("await stage.setLayout('mpr'); stage.use('probe')")
    stage.drag(*stage.on_screen(0, [(256, 256), (150.5, 300.5)]))
    volume, view = volume_of(ct.room, ct.cases[0]), stage.view()
    np.testing.assert_allclose(drawn(stage, 1), shaded(volume[:, 300], view), atol=0.51)
    np.testing.assert_allclose(drawn(stage, 2), shaded(volume[:, :, 150], view), atol=0.51)
    (words,) = stage.page.locator(".pane svg .note").all_text_contents()
    assert words == f"{volume[16, 300, 150]:g} HU · 150, 300"


def painted(stage: Staged, value: str) -> NDArray[np.bool_]:
    """Decode a class of the mask: (slice, row, column)."""
    mask = stage.run("return stage.mask('seg')")
    code, shape = base64.b64decode(mask["classes"][value]), mask["shape"]
    lengths, number, shift = [], 0, 0
    for byte in code:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            lengths.append(number)
            number, shift = 0, 0
    flags = np.arange(len(lengths)) % 2 == 1
    return np.repeat(flags, lengths).reshape(shape)


def test_a_brush_paints_the_voxels_under_it_and_no_others(oblique: Project, built: Path) -> None:
    stage = staged(oblique, built)
    stage.run(CLASSES + "stage.use('brush'); stage.setBrush({ diameterMm: 0.2 })")
    black = stage.screen()
    (place,) = stage.on_screen(0, [(7.5, 11.5)])
    stage.click(place)
    stage.run("stage.use('window')")
    assert np.argwhere(painted(stage, "lung")).tolist() == [[(COUNT - 1) // 2, 11, 7]]
    changed = np.abs(stage.screen().astype(int) - black).sum(axis=2) > 20
    rows, columns = np.nonzero(changed)
    corners = stage.on_screen(0, [(7, 11), (8, 12)])
    found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(found, [*corners[0], *corners[1]], atol=1)


def test_a_brush_is_round_in_mm_and_a_sphere_goes_through_slices(oblique: Project, built: Path) -> None:
    stage = staged(oblique, built)
    stage.run(CLASSES + "stage.use('sphere'); stage.setBrush({ diameterMm: 10 })")
    stage.click(*stage.on_screen(0, [(10.5, 12.5)]))
    k, j, i = np.mgrid[0:COUNT, 0:24, 0:20]
    far = np.sqrt(((i - 10) * 0.9) ** 2 + ((j - 12) * 0.7) ** 2 + ((k - 11) * 2.5) ** 2)
    np.testing.assert_array_equal(painted(stage, "lung"), far <= 5)


def test_a_threshold_brush_takes_only_values_in_its_range(ct: Project, built: Path) -> None:
    stage = staged(ct, built)
    brush = "stage.setBrush({ diameterMm: 60, lowest: -950, highest: -700 })"
    stage.run(CLASSES + f"stage.use('threshold'); {brush}")
    stage.drag((280, 260), (300, 300))
    found, values = painted(stage, "lung"), volume_of(ct.room, ct.cases[0])[16]
    inside = values[found[16]]
    assert found[16].sum() > 500
    assert (inside.min(), inside.max()) >= (-950, -950)
    assert inside.max() <= -700


def test_a_mask_is_the_same_after_a_round_trip_and_in_every_plane(ct: Project, built: Path) -> None:
    stage = staged(ct, built)
    stage.run(CLASSES + "stage.use('brush'); stage.setBrush({ diameterMm: 30 })")
    stage.drag((250, 250), (320, 330))
    stage.run("stage.setClass('mass'); await stage.setLayout('mpr')")
    stage.drag((540, 110), (580, 130))
    before = stage.run("return stage.mask('seg')")
    assert not (painted(stage, "lung") & painted(stage, "mass")).any()
    stage.run("stage.setMask('seg', null)")
    assert stage.run("return stage.mask('seg')") is None
    stage.run("stage.setMask('seg', value)", before)
    assert stage.run("return stage.mask('seg')") == before
    assert len(np.unique(np.argwhere(painted(stage, "mass"))[:, 1])) == 1


def test_copies_gaps_and_islands(ct: Project, built: Path) -> None:
    stage = staged(ct, built)
    stage.run(CLASSES + "stage.use('brush'); stage.setBrush({ diameterMm: 30 })")
    stage.drag((250, 250), (255, 250))
    stage.run("stage.copyToSlice(1)")
    stage.page.wait_for_function("bench.stage.view().index === 17")
    first = painted(stage, "lung")
    np.testing.assert_array_equal(first[17], first[16])
    stage.run("await stage.goTo(20)")
    stage.drag((250, 250), (255, 250))
    assert stage.run("return stage.fillBetween()") == 2
    np.testing.assert_array_equal(painted(stage, "lung")[18], first[16])
    stage.run("stage.setBrush({ diameterMm: 4 })")
    stage.click((480, 120))
    assert stage.run("return stage.removeIslands()") > 0
    assert stage.run("return stage.removeIslands()") == 0
    stage.run("for (let n = 0; n < 6; n += 1) await stage.undo()")
    assert stage.run("return [stage.mask('seg'), stage.view().canUndo]") == [None, False]


def test_a_locked_class_stays_and_a_hidden_one_is_not_seen(ct: Project, built: Path) -> None:
    stage = staged(ct, built)
    clean = stage.screen()
    stage.run(CLASSES + "stage.use('brush'); stage.setBrush({ diameterMm: 30 })")
    stage.drag((250, 250), (255, 250))
    before = painted(stage, "lung")
    stage.run("stage.setClass('mass'); stage.setClassStyle('lung', { isLocked: true, isVisible: false })")
    stage.drag((240, 250), (270, 250))
    np.testing.assert_array_equal(painted(stage, "lung"), before)
    stage.run("stage.setClassStyle('mass', { isVisible: false }); stage.use('window')")
    stage.page.mouse.move(5, 5)
    assert np.abs(stage.screen().astype(int) - clean).mean() < 0.1


def test_suggestions_are_answers_only_once_accepted(ct: Project, built: Path) -> None:
    stage = staged(ct, built)
    stage.run(LABEL + LISTEN)
    stage.run(
        "const [a] = [frames()[16].address];"
        "const region = { id: crypto.randomUUID(), label: 'mass', image: a.sopInstanceUid, frame: 1,"
        " points: [[100, 100], [200, 180]], attributes: {}, origin: 'suggestion' };"
        "window.region = region; stage.setSuggestions({ mask: null, regions:"
        " [{ question: 'lesion', kind: 'box', colour: '#ff8c42', region }] })"
    )
    stage.settle()
    assert stage.page.locator("svg .suggestion").count() == 1
    stage.run("stage.use('box')")
    (edge,) = stage.on_screen(0, [(150, 100)])
    stage.run("stage.acceptSuggestion(window.region.id)")
    stage.settle()
    assert stage.page.locator("svg .suggestion").count() == 0
    stage.drag(edge, (edge[0] + 10, edge[1] + 10))
    origins = "return window.told.map(change => change.regions[0].region.origin)"
    assert stage.run(origins) == ["suggestion", "edited"]


def test_an_earlier_study_scrolls_along(ct: Project, oblique: Project, built: Path) -> None:
    stage = staged(ct, built)
    assert stage.view()["layouts"] == ["stack", "mpr"]
    stage.run(
        "stage.setCompanions([{ seriesInstanceUid: '1', label: '2019-03-02', isPrior: true, laterality: '',"
        " viewPosition: '', frames: bench.framesOf({ ...value, id: value.id }).slice(2) }]);"
        "await stage.setLayout('priors')",
        ct.cases[0],
    )
    assert stage.page.locator(".pane").count() == 2
    stage.run("await stage.goTo(20)")
    shown = stage.screen()
    left, right = shown[60:440, 10:340].astype(int), shown[60:440, 361:691].astype(int)
    # The same place of the patient: the same picture, though the earlier series starts two slices later.
    assert np.abs(left - right).mean() < 2


def test_another_case_forgets_all_of_the_one_before(ct: Project, oblique: Project, built: Path) -> None:
    stage = staged(ct, built)
    stage.run(LABEL + LISTEN + CLASSES + "stage.use('box'); await stage.setLayout('mpr')")
    stage.drag((100, 150), (180, 220))
    stage.open(oblique.cases[0])
    view = stage.view()
    assert (view["layout"], view["canUndo"], view["selected"]) == ("stack", False, "")
    assert stage.run("return stage.mask('seg')") is None
    assert stage.page.locator("svg .region, svg .selected").count() == 0


def radiograph(folder: Path, number: int, date: str = "20200301", **said: Any) -> None:
    """One image of one patient: a chest, brighter with its number."""
    image = a_slice(number, modality="DX")
    image.StudyInstanceUID, image.SeriesInstanceUID = f"1.2.3.{date}", f"1.2.3.{date}.{number}"
    image.StudyDate = image.SeriesDate = date
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient"):
        del image[keyword]
    for keyword, value in said.items():
        setattr(image, keyword, value)
    fill(image, (chest(number, rows=96, columns=80).astype(np.uint16) * number))
    image.RescaleIntercept, image.WindowCenter, image.WindowWidth = 0, 400, 800
    (folder / f"{number}.dcm").write_bytes(dicom(image))


def test_a_radiograph_opens_beside_the_one_before(
    fovea: Fovea, context: BrowserContext, tmp_path: Path
) -> None:
    radiograph(tmp_path, 1, "20190301")
    radiograph(tmp_path, 3, "20200301")
    room = project(fovea, context, tmp_path, "Viewer priors").room
    room.enter()
    while room.page.locator(".pane").count() == 1:  # the earlier one has no prior, and comes in any order
        room.answer(1)
    captions = room.page.locator(".pane-caption").all_text_contents()
    assert captions == ["Current", "12 months earlier"]


def test_a_mammography_opens_as_four_views(fovea: Fovea, context: BrowserContext, tmp_path: Path) -> None:
    views = [("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO")]
    for number, (side, view) in enumerate(views, start=1):
        said = {"Modality": "MG", "ImageLaterality": side, "ViewPosition": view}
        radiograph(tmp_path, number, **said, PatientOrientation=["A", "F"])
    room = project(fovea, context, tmp_path, "Viewer four-up").room
    room.enter()
    captions = room.page.locator(".pane-caption").all_text_contents()
    assert captions == ["R CC", "L CC", "R MLO", "L MLO"]
    # All were stored with the front on the right: the right breast's are turned, and both backs are inside.
    assert room.page.locator(".pane-right").all_text_contents() == ["P", "A", "P", "A"]
    assert room.errors == []
