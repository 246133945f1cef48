"""Answers held against a case's images and measured on them, through the services, on stored pixels."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.utils import timezone

from accounts.models import User
from annotation.projects.masks import written
from annotation.projects.models import Case, Project
from annotation.projects.selectors import protocol_in_force
from annotation.readings.models import Revision
from annotation.readings.rules import AnswersInvalidError, ProtocolChangedError
from annotation.readings.services import Answered, Examined, add_reading, check_protocol, examine, revise
from tests import factories
from tests.annotation.readings import stacks
from tests.annotation.readings.stacks import COLUMNS, CT, ROWS, SPACING

pytestmark = pytest.mark.django_db
LABELS = [{"value": "nodule", "label": "Nodule"}]
CLASSES = [{"value": "disc", "label": "Disc"}, {"value": "cup", "label": "Cup"}]
LINE, BOX = [[1.0, 1.0], [5.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]


@pytest.fixture
def project(db: None) -> Project:
    return factories.a_project()


@pytest.fixture
def reader(project: Project) -> User:
    return factories.a_reader(project)


def drawn(kind: str, key: str = "nodules", **more: Any) -> dict[str, Any]:
    return {"key": key, "prompt": "Where?", "kind": kind, "labels": LABELS} | more


def a_region(case: Case, points: list[list[float]], *, place: int = 0, frame: int = 1) -> dict[str, Any]:
    image = stacks.uids(case)[place]
    return {"id": str(uuid4()), "label": "nodule", "image": image, "frame": frame, "points": points}


def examined(case: Case, answers: dict[str, Any]) -> Examined:
    protocol = protocol_in_force(case.project_id)
    return examine(case=case, protocol=protocol, answered=Answered(answers, 1.0, protocol.version, uuid4()))


def measures_of(case: Case, key: str, region: dict[str, Any]) -> dict[str, Any]:
    found = examined(case, {key: [region]})
    assert not found.problems
    return dict(found.measurements[region["id"]])


def test_a_line_is_as_long_as_its_spacing_says(project: Project) -> None:
    case = stacks.a_case(project, **SPACING)
    stacks.ask(project, [drawn("line")])
    found = measures_of(case, "nodules", a_region(case, LINE))
    assert found == {"length_mm": pytest.approx(np.hypot(4 * 0.25, 3 * 0.5)), "spacing": "patient"}


def test_a_length_at_the_detector_says_so(project: Project) -> None:
    case = stacks.a_case(project, ImagerPixelSpacing=[0.5, 0.25])
    stacks.ask(project, [drawn("line")])
    assert measures_of(case, "nodules", a_region(case, LINE))["spacing"] == "detector"


def test_without_a_spacing_a_length_is_in_pixels(project: Project) -> None:
    case = stacks.a_case(project)
    stacks.ask(project, [drawn("line")])
    assert measures_of(case, "nodules", a_region(case, LINE)) == {"length_px": 5.0, "spacing": "pixels"}


ULTRASOUND: dict[str, Any] = {
    "SequenceOfUltrasoundRegions": [
        {
            "RegionSpatialFormat": 1,
            "RegionLocationMinX0": 0,
            "RegionLocationMinY0": 0,
            "RegionLocationMaxX1": 4,
            "RegionLocationMaxY1": 3,
            "PhysicalUnitsXDirection": 3,
            "PhysicalUnitsYDirection": 3,
            "PhysicalDeltaX": 0.02,
            "PhysicalDeltaY": 0.05,
        }
    ]
}


def test_an_ultrasound_length_is_in_mm_within_its_region_and_in_pixels_beyond(project: Project) -> None:
    case = stacks.a_case(project, **ULTRASOUND)
    stacks.ask(project, [drawn("line")])
    within = measures_of(case, "nodules", a_region(case, LINE))
    beyond = measures_of(case, "nodules", a_region(case, [[1.0, 1.0], [5.0, 4.1]]))
    assert within == {"length_mm": pytest.approx(np.hypot(4 * 0.2, 3 * 0.5)), "spacing": "region"}
    assert beyond == {"length_px": pytest.approx(np.hypot(4, 3.1)), "spacing": "pixels"}


def test_a_mask_on_ultrasound_has_an_area_where_one_region_holds_it(project: Project) -> None:
    case = stacks.a_case(project, **ULTRASOUND)
    stacks.ask(project, [{"key": "disc", "prompt": "Paint.", "kind": "segmentation", "classes": CLASSES}])
    within, beyond = (np.zeros((1, ROWS, COLUMNS), dtype=bool) for _ in range(2))
    within[0, 1:3, 1:3], beyond[0, 3:5, 1:3] = True, True
    answer = written((1, ROWS, COLUMNS), stacks.uids(case), {"disc": within, "cup": beyond})
    found = examined(case, {"disc": answer}).measurements["disc"]
    assert found["disc"] == {"voxels": 4, "spacing": "region", "area_mm2": pytest.approx(0.4)}
    assert found["cup"] == {"voxels": 4, "spacing": "pixels"}


def test_pixels_are_counted_in_the_units_of_the_modality(project: Project) -> None:
    case = stacks.a_case(project, **SPACING, **CT)
    stacks.ask(project, [drawn("box")])
    found = measures_of(case, "nodules", a_region(case, BOX))
    hounsfield = 2.0 * stacks.ramp(1)[2:4, 1:3].astype(float) - 1000.0
    assert (found["mean"], found["deviation"]) == pytest.approx((hounsfield.mean(), hounsfield.std()))
    assert (found["min"], found["max"], found["pixels"]) == (-758.0, -736.0, 4)
    assert found["area_mm2"] == pytest.approx(4 * 0.5 * 0.25)


def test_a_modality_s_table_is_looked_up(project: Project) -> None:
    table = {"LUTDescriptor": [4, 120, 16], "LUTData": [5, 6, 7, 8]}
    case = stacks.a_case(project, ModalityLUTSequence=[table])
    stacks.ask(project, [drawn("point")])
    values = [
        measures_of(case, "nodules", a_region(case, [point]))["mean"]
        for point in ([1.0, 2.0], [2.0, 2.0], [0.0, 0.0])
    ]
    assert values == [6.0, 7.0, 5.0]


def test_each_frame_of_an_instance_is_measured_by_its_own_pixels_and_spacing(project: Project) -> None:
    own = [{"PixelSpacing": [1.0, 1.0]}, {"PixelSpacing": [3.0, 3.0]}]
    case = stacks.a_case(project, frames=2, PerFrame=own)
    stacks.ask(project, [drawn("box")])
    first, second = (measures_of(case, "nodules", a_region(case, BOX, frame=frame)) for frame in (1, 2))
    assert second["area_mm2"] == 9 * first["area_mm2"]
    assert second["mean"] == first["mean"] + 100


def test_colour_has_no_statistics(project: Project) -> None:
    case = stacks.a_case(project, SamplesPerPixel=3, PhotometricInterpretation="RGB")
    stacks.ask(project, [drawn("box")])
    assert set(measures_of(case, "nodules", a_region(case, BOX))) == {"area_px", "perimeter_px", "spacing"}


@pytest.mark.parametrize(
    "change", [{"image": "1.2.3.4"}, {"frame": 2}], ids=["another case's image", "a frame that is not there"]
)
def test_a_region_on_an_image_that_is_not_the_case_s_is_a_problem(
    project: Project, change: dict[str, Any]
) -> None:
    case = stacks.a_case(project)
    stacks.ask(project, [drawn("box")])
    [problem] = examined(case, {"nodules": [a_region(case, BOX) | change]}).problems
    assert (problem.at, problem.code) == ("nodules.0", "bad_region")


def test_an_answer_by_image_names_the_case_s_images(project: Project) -> None:
    case = stacks.a_case(project, frames=2)
    stacks.ask(project, [{"key": "grade", "prompt": "G", "kind": "number", "scope": "image"}])
    (uid,) = stacks.uids(case)
    assert not examined(case, {"grade": {f"{uid}#1": 1, f"{uid}#2": 2}}).problems
    problems = examined(case, {"grade": {uid: 1, f"{uid}#3": 2, "1.2": 3}}).problems
    assert [(one.at, one.code) for one in problems] == [
        (f"grade.{image}", "unknown_image") for image in (uid, f"{uid}#3", "1.2")
    ]


def a_mask(images: list[str], rows: int = ROWS) -> dict[str, Any]:
    """A disc of 2 rows × 3 columns on each image, a cup of one voxel on the first."""
    disc = np.zeros((len(images), rows, COLUMNS), dtype=np.bool_)
    cup = disc.copy()
    disc[:, 2:4, 1:4] = True
    cup[0, 5, 5] = True
    return written((len(images), rows, COLUMNS), images, {"disc": disc, "cup": cup})


def segmentation(key: str = "eye") -> dict[str, Any]:
    return {"key": key, "prompt": "Where?", "kind": "segmentation", "classes": CLASSES}


def test_a_mask_stands_in_the_order_of_the_slices_positions(project: Project) -> None:
    case = stacks.a_case(project, 3, **SPACING)
    stacks.ask(project, [segmentation()])
    by_position = stacks.uids(case)[::-1]  # the highest instance number lies lowest
    assert not examined(case, {"eye": a_mask(by_position)}).problems
    assert not examined(case, {"eye": a_mask(by_position[1:])}).problems
    [problem] = examined(case, {"eye": a_mask(by_position[::-1])}).problems
    assert (problem.code, problem.message[-44:]) == (
        "bad_mask",
        "slices do not stand in the order of their position"[-44:],
    )


def test_a_mask_of_another_size_or_of_other_images_is_a_problem(project: Project) -> None:
    case = stacks.a_case(project)
    stacks.ask(project, [segmentation()])
    [problem] = examined(case, {"eye": a_mask(stacks.uids(case), rows=9)}).problems
    assert "its slices are 9 × 6, the images 8 × 6" in problem.message
    [problem] = examined(case, {"eye": a_mask(["1.2.3"])}).problems
    assert "is not of this case" in problem.message


def test_a_class_has_a_volume_on_a_stack_and_an_area_on_an_image(project: Project) -> None:
    stack, image = stacks.a_case(project, 3, **SPACING), stacks.a_case(project, **SPACING)
    stacks.ask(project, [segmentation()])
    found = examined(stack, {"eye": a_mask(stacks.uids(stack)[::-1])}).measurements["eye"]["disc"]
    assert found == {"voxels": 18, "spacing": "patient", "volume_mm3": pytest.approx(18 * 0.5 * 0.25 * 2.5)}
    found = examined(image, {"eye": a_mask(stacks.uids(image))}).measurements["eye"]["cup"]
    assert found == {"voxels": 1, "spacing": "patient", "area_mm2": pytest.approx(0.5 * 0.25)}


def test_the_vertical_ratio_of_cup_and_disc_is_computed(project: Project) -> None:
    formula = {"op": "vertical_ratio", "of": ["cup", "disc"]}
    ratio = {"key": "ratio", "prompt": "R", "kind": "computed", "formula": formula}
    case = stacks.a_case(project)
    stacks.ask(project, [drawn("ellipse", "cup"), drawn("box", "disc"), ratio])
    cup = a_region(case, [[1, 3], [5, 3], [3, 2], [3, 4]])
    answers = {"cup": [cup], "disc": [a_region(case, [[0, 1], [5, 6]])]}
    assert examined(case, answers).measurements["ratio"] == pytest.approx(2 / 5)


def test_the_ratio_of_a_mask_s_classes_counts_rows(project: Project) -> None:
    formula = {"op": "vertical_ratio", "of": ["eye:cup", "eye:disc"]}
    ratio = {"key": "ratio", "prompt": "R", "kind": "computed", "formula": formula}
    case = stacks.a_case(project)
    stacks.ask(project, [segmentation(), ratio])
    assert examined(case, {"eye": a_mask(stacks.uids(case))}).measurements["ratio"] == pytest.approx(1 / 2)


def test_a_ratio_of_what_lies_on_two_images_is_not_computed(project: Project) -> None:
    formula = {"op": "vertical_ratio", "of": ["cup", "disc"]}
    ratio = {"key": "ratio", "prompt": "R", "kind": "computed", "formula": formula}
    case = stacks.a_case(project, 2)
    stacks.ask(project, [drawn("box", "cup"), drawn("box", "disc"), ratio])
    answers = {"cup": [a_region(case, BOX)], "disc": [a_region(case, BOX, place=1)]}
    assert examined(case, answers).measurements["ratio"] is None


def test_the_largest_of_several_regions_is_computed(project: Project) -> None:
    formula = {"op": "largest", "of": "nodules", "measure": "length_mm"}
    largest = {"key": "largest", "prompt": "L", "kind": "computed", "formula": formula}
    case = stacks.a_case(project, **SPACING)
    stacks.ask(project, [drawn("line"), largest])
    answers = {"nodules": [a_region(case, [[0, 0], [0, n]]) for n in (2, 4, 3)]}
    assert examined(case, answers).measurements["largest"] == pytest.approx(2.0)


def test_what_the_browser_says_of_sizes_is_refused(project: Project) -> None:
    case = stacks.a_case(project)
    stacks.ask(project, [drawn("box")])
    [problem] = examined(case, {"nodules": [a_region(case, BOX) | {"area_mm2": 1.0}]}).problems
    assert problem.code == "bad_region"


def test_measurements_are_kept_with_the_revision_and_made_anew_with_the_next(
    project: Project, reader: User
) -> None:
    case = stacks.a_case(project, **SPACING)
    protocol = stacks.ask(project, [drawn("line")])
    region = a_region(case, LINE)
    said = Answered({"nodules": [region]}, 1.0, protocol.version, uuid4())
    made = examine(case=case, protocol=protocol, answered=said)
    first = add_reading(reader=reader, case=case, examined=made, answered=said, now=timezone.now())
    longer = Answered({"nodules": [region | {"points": [[0, 0], [0, 8]]}]}, 1.0, protocol.version, uuid4())
    revise(reader=reader, reading_id=first.reading_id, base_revision=1, answered=longer, now=timezone.now())
    lengths = [one.measurements[region["id"]]["length_mm"] for one in Revision.objects.order_by("number")]
    assert lengths == pytest.approx([np.hypot(1.0, 1.5), 4.0])


def test_an_old_reading_is_revised_in_the_version_that_it_answered_or_in_the_newest(
    project: Project, reader: User
) -> None:
    case = stacks.a_case(project)
    said = Answered({"finding": "normal"}, 1.0, 1, uuid4())
    made = examine(case=case, protocol=protocol_in_force(project.pk), answered=said)
    reading = add_reading(reader=reader, case=case, examined=made, answered=said, now=timezone.now()).reading
    stacks.ask(project, [drawn("box", required=False)])
    stacks.ask(project, [drawn("line", required=False)])
    change: dict[str, Any] = {"reader": reader, "reading_id": reading.pk, "now": timezone.now()}
    revise(**change, base_revision=1, answered=replace(said, idempotency_key=uuid4()))
    with pytest.raises(ProtocolChangedError, match="at version 3"):
        revise(**change, base_revision=2, answered=Answered({}, 1.0, 2, uuid4()))
    revise(**change, base_revision=2, answered=Answered({}, 1.0, 3, uuid4()))
    versions = reading.revisions.order_by("number").values_list("protocol__version", flat=True)
    assert list(versions) == [1, 1, 3]


def test_answers_with_problems_are_refused_with_all_of_them(project: Project) -> None:
    case = stacks.a_case(project)
    stacks.ask(project, [drawn("box"), drawn("line", "lines")])
    said = Answered({}, 1.0, 2, uuid4())
    found = examine(case=case, protocol=protocol_in_force(project.pk), answered=said)
    with pytest.raises(AnswersInvalidError) as refused:
        check_protocol(found, said)
    assert [one.at for one in refused.value.problems] == ["nodules", "lines"]
