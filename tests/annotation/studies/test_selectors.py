"""Frames, thumbnails and deliveries: seen by members, not there for anyone else."""

import uuid

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from annotation.studies.models import Import, Instance
from annotation.studies.rules import content_digest, reading_order
from annotation.studies.selectors import frame, frames_of, imports_for, thumbnail
from tests.factories import COLUMNS, OFFSET, ROWS, a_member, a_project, a_reader, a_user, some_cases

pytestmark = pytest.mark.django_db


def test_a_frame_is_just_its_bytes() -> None:
    project = a_project()
    [case] = some_cases(project, 1, frames=3)
    [instance] = frames_of(a_reader(project), case.pk)
    with default_storage.open(f"instances/{instance.digest[:2]}/{instance.digest}.dcm") as stored:
        whole = stored.read()
    second = frame(a_reader(project), case.pk, instance.sop_instance_uid, 2)
    start = OFFSET + ROWS * COLUMNS
    assert second.content == whole[start : start + ROWS * COLUMNS]
    assert instance.digest in second.tag


@pytest.mark.parametrize("number", [0, 4, -1])
def test_a_frame_that_is_not_there_is_not_there(number: int) -> None:
    project = a_project()
    [case] = some_cases(project, 1, frames=3)
    [instance] = frames_of(a_reader(project), case.pk)
    with pytest.raises(Instance.DoesNotExist):
        frame(a_reader(project), case.pk, instance.sop_instance_uid, number)


def test_a_foreign_case_has_no_frames() -> None:
    [case] = some_cases(a_project(), 1)
    stranger = a_reader(a_project())
    assert frames_of(stranger, case.pk) == []
    with pytest.raises(Instance.DoesNotExist):
        thumbnail(stranger, case.pk)
    assert len(frames_of(a_user(is_admin=True), case.pk)) == 1


def test_deliveries_are_seen_by_admins_and_the_project_s_ml_staff() -> None:
    project = a_project()
    Import.objects.create(
        dataset=project.dataset, project_id=project.pk, source_name="x", created_at=timezone.now()
    )
    assert imports_for(a_user(is_admin=True), project.pk).count() == 1
    assert imports_for(a_member(project, role="ml_staff")).count() == 1  # type: ignore[arg-type]
    assert imports_for(a_reader(project)).count() == 0
    assert imports_for(a_member(a_project(), role="ml_staff"), project.pk).count() == 0  # type: ignore[arg-type]


def test_slices_are_read_along_their_normal_not_by_number() -> None:
    normal = np.cross((0.8, 0.6, 0.0), (0.0, 0.0, 1.0))
    attributes = [
        {
            "InstanceNumber": number,
            "ImageOrientationPatient": [0.8, 0.6, 0.0, 0.0, 0.0, 1.0],
            "ImagePositionPatient": list(normal * distance),
        }
        for number, distance in ((1, 5.0), (2, -2.5), (3, 0.0))
    ]
    assert reading_order(attributes) == [1, 2, 0]


def test_images_without_a_position_are_read_by_number() -> None:
    assert reading_order([{"InstanceNumber": 3}, {"InstanceNumber": 1}, {}]) == [2, 1, 0]
    assert reading_order([]) == []


def test_a_series_content_does_not_depend_on_the_order_of_arrival() -> None:
    pairs = [("2.25.1", "aa"), ("2.25.2", "bb")]
    assert content_digest(pairs) == content_digest(reversed(pairs))
    assert content_digest(pairs) != content_digest([*pairs, ("2.25.3", uuid.uuid4().hex)])
