"""What leaves one project in a format comes into another with the same images, voxel for voxel."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.learning.models import Snapshot
from annotation.projects.masks import Mask, voxels
from annotation.projects.models import Case, Project
from annotation.readings.measuring import stack_of
from annotation.readings.selectors import revisions_in_force
from tests.annotation.exchange.labels.conftest import a_twin, answers_in, brought, problems_in, revision_in
from tests.annotation.exchange.out.conftest import (
    Exported,
    a_drawing_project,
    a_mask,
    frozen,
    imported,
    read_all,
)
from tests.annotation.exchange.out.test_real_images import named, sum_of

pytestmark = pytest.mark.django_db
DRAWN = ("point", "line", "bidirectional", "angle", "box", "ellipse", "polygon")


@pytest.fixture
def source(ct_snapshot: Snapshot) -> Project:
    """The project whose real CT series a reader drew everything on."""
    return ct_snapshot.project


@pytest.fixture
def drawing() -> Project:
    """A project that asks every kind of question, without images."""
    return a_drawing_project()


def masks_of(answer: Mapping[str, Any]) -> dict[str, dict[str, np.ndarray]]:
    """Each class's voxels by image; slices without any are left out."""
    mask = Mask.model_validate(answer)
    return {
        value: {
            image: plane for image, plane in zip(mask.images, voxels(mask, value), strict=True) if plane.any()
        }
        for value in mask.classes
    }


def same_masks(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    first, second = masks_of(one), masks_of(other)
    return first.keys() == second.keys() and all(
        first[value].keys() == second[value].keys()
        and all(np.array_equal(plane, second[value][image]) for image, plane in first[value].items())
        for value in first
    )


def read_in(project: Project) -> Any:
    """The one reader's revision."""
    return revisions_in_force().get(reading__case__project=project, source=None)


def measures_of(revision: Any, key: str) -> list[dict[str, float]]:
    """What was measured of a question's regions, the smallest first."""
    found = [
        {name: value for name, value in revision.measurements[one["id"]].items() if isinstance(value, float)}
        for one in revision.answers[key]
    ]
    return sorted(found, key=lambda one: one.get("perimeter_mm", 0.0))


@pytest.mark.parametrize("name", ["dicom-seg", "dicom-seg-labelmap", "nifti", "dicom-rtstruct", "csv"])
def test_masks_of_a_real_ct_come_in_voxel_for_voxel(
    source: Project, ct_snapshot: Snapshot, exported: Exported, name: str
) -> None:
    twin = a_twin(source)
    found = brought(twin, exported(ct_snapshot, name), name.partition("-")[0])
    assert (found.counts["new"], problems_in(found)) == (1, [])
    assert same_masks(revision_in(twin).answers["organs"], read_in(source).answers["organs"])


def test_a_report_brings_answers_and_lengths_to_a_hundredth_of_a_millimetre(
    source: Project, ct_snapshot: Snapshot, exported: Exported
) -> None:
    twin = a_twin(source)
    found = brought(twin, exported(ct_snapshot, "dicom-sr"), "dicom")
    assert (found.counts["new"], problems_in(found)) == (1, [])
    mine, theirs = revision_in(twin), read_in(source)
    for key in ("finding", "signs", "certainty"):
        assert mine.answers[key] == theirs.answers[key]
    for key in DRAWN:
        assert [one["label"] for one in mine.answers[key]] == [one["label"] for one in theirs.answers[key]]
        for one, other in zip(measures_of(mine, key), measures_of(theirs, key), strict=True):
            lengths = {name: value for name, value in other.items() if name.endswith(("_mm", "_deg"))}
            assert {name: one[name] for name in lengths} == pytest.approx(lengths, abs=0.01)


def test_outlines_come_back_from_a_structure_set_where_they_were(
    source: Project, ct_snapshot: Snapshot, exported: Exported
) -> None:
    twin = a_twin(source)
    brought(twin, exported(ct_snapshot, "dicom-rtstruct"), "dicom")
    mine, theirs = revision_in(twin), read_in(source)
    for key in ("box", "ellipse", "polygon"):
        for one, other in zip(measures_of(mine, key), measures_of(theirs, key), strict=True):
            lengths = {name: value for name, value in other.items() if name.endswith("_mm")}
            assert {name: one[name] for name in lengths} == pytest.approx(lengths, abs=0.01)


def test_a_table_brings_every_answer_as_it_was(
    source: Project, ct_snapshot: Snapshot, exported: Exported
) -> None:
    twin = a_twin(source)
    brought(twin, exported(ct_snapshot, "csv"), "csv")
    mine, theirs = revision_in(twin), read_in(source)
    assert mine.answers == theirs.answers
    assert mine.measurements == theirs.measurements


@pytest.mark.parametrize("name", ["csv", "dicom-seg", "dicom-sr", "dicom-rtstruct", "nifti"])
def test_the_same_file_again_changes_nothing(
    source: Project, ct_snapshot: Snapshot, exported: Exported, name: str
) -> None:
    twin, path = a_twin(source), exported(ct_snapshot, name)
    brought(twin, path, name.partition("-")[0])
    before = revision_in(twin)
    again = brought(twin, path, name.partition("-")[0])
    assert (again.counts["same"], again.counts["new"], again.counts["changed"]) == (1, 0, 0)
    assert revision_in(twin) == before


def test_masks_of_real_volumes_come_in_voxel_for_voxel(
    drawing: Project,
    volumes: dict[int, tuple[Any, Any]],
    exported: Exported,
    tmp_path: Path,
) -> None:
    imported(drawing, tmp_path / "delivery")

    def by_image(case: Case) -> Mapping[str, Any]:
        stack = stack_of(case.series)
        drawn = np.asanyarray(volumes[sum_of(case)][1].dataobj).transpose(2, 1, 0)
        return {
            "organs": a_mask(stack, range(len(stack.pictures)), lung=drawn == 1, heart=drawn == 2),
            "finding": "normal",
        }

    read_all(drawing, by_image)
    snapshot, twin = frozen(drawing), a_twin(drawing)
    for name in ("nifti", "dicom-seg"):
        found = brought(twin, exported(snapshot, name), name.partition("-")[0], source_name=name)
        assert (found.counts["new"], problems_in(found)) == (3, [])
    for case in drawing.cases.all():
        theirs = read_in_case(case)
        others = revisions_in_force().filter(reading__case__series=case.series, source__isnull=False)
        assert [same_masks(one.answers["organs"], theirs) for one in others] == [True, True]


def read_in_case(case: Case) -> dict[str, Any]:
    return dict(revisions_in_force().get(reading__case=case).answers["organs"])


@pytest.mark.parametrize("name", ["coco", "voc"])
def test_nuclei_come_in_pixel_for_pixel(
    drawing: Project,
    nuclei: dict[Any, np.ndarray],
    exported: Exported,
    tmp_path: Path,
    name: str,
) -> None:
    imported(drawing, tmp_path / "delivery", modality="SM")

    def answers(case: Case) -> Mapping[str, Any]:
        one, _ = named(case)
        drawn = nuclei[one][None]
        return {"finding": "normal", "organs": a_mask(stack_of(case.series), range(1), lung=drawn)}

    read_all(drawing, answers)
    twin = a_twin(drawing)
    found = brought(twin, exported(frozen(drawing), name), name)
    assert (found.counts["new"], problems_in(found)) == (4, [])
    theirs = {
        one.reading.case.series.series_instance_uid: one.answers["organs"]
        for one in revisions_in_force()
        .filter(reading__case__project=drawing)
        .select_related("reading__case__series")
    }
    mine = answers_in(twin)
    assert all(same_masks(mine[uid]["organs"], theirs[uid]) for uid in theirs)


def test_boxes_and_outlines_come_back_from_coco(
    source: Project, ct_snapshot: Snapshot, exported: Exported
) -> None:
    twin = a_twin(source)
    found = brought(twin, exported(ct_snapshot, "coco"), "coco")
    assert problems_in(found) == []
    mine, theirs = revision_in(twin), read_in(source)
    for key in ("box", "ellipse", "polygon"):
        for one, other in zip(measures_of(mine, key), measures_of(theirs, key), strict=True):
            lengths = {name: value for name, value in other.items() if name.endswith("_mm")}
            assert {name: one[name] for name in lengths} == pytest.approx(lengths, abs=0.01)
    assert same_masks(mine.answers["organs"], theirs.answers["organs"])
