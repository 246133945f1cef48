"""Revisions: one's own readings, changed without losing what was said before."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Role, User
from annotation.projects.models import Case, Project
from annotation.projects.rules import ForbiddenError
from annotation.projects.selectors import protocol_in_force, question_learned
from annotation.projects.services import set_membership
from annotation.readings.models import Reading, ReferenceStandard, Revision
from annotation.readings.rules import AnswersInvalidError, IdempotencyConflictError, RevisionStaleError
from annotation.readings.selectors import (
    counts_by_reader,
    label_count,
    last_revision,
    pool_labels_by_choice,
)
from annotation.readings.services import Answered, add_reading, examine, revise
from audit.models import Event
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def project(db: None) -> Project:
    return factories.a_project()


@pytest.fixture
def case(project: Project) -> Case:
    (case,) = factories.some_cases(project)
    return case


@pytest.fixture
def reader(project: Project) -> User:
    return factories.a_reader(project)


def answered(value: str) -> Answered:
    return Answered({"finding": value}, 2.0, 1, uuid4())


def read(case: Case, reader: User, value: str, now: datetime) -> Reading:
    said = answered(value)
    examined = examine(case=case, protocol=protocol_in_force(case.project_id), answered=said)
    return add_reading(reader=reader, case=case, examined=examined, answered=said, now=now).reading


def test_a_revision_changes_the_reference_standard_and_keeps_what_was_said(
    case: Case, reader: User, now: datetime
) -> None:
    reading = read(case, reader, "normal", now)
    made = revise(
        reader=reader, reading_id=reading.pk, base_revision=1, answered=answered("pneumonia"), now=now
    )
    assert made.number == 2
    assert ReferenceStandard.objects.get(case=case).answers == {"finding": "pneumonia"}
    assert [one.answers["finding"] for one in reading.revisions.all()] == ["normal", "pneumonia"]
    assert Event.objects.filter(action="reading.revise", object_id=str(case.pk)).count() == 1


def test_a_revision_of_an_older_state_is_refused(case: Case, reader: User, now: datetime) -> None:
    reading = read(case, reader, "normal", now)
    change: dict[str, Any] = {"reader": reader, "reading_id": reading.pk, "base_revision": 1, "now": now}
    revise(**change, answered=answered("pneumonia"))
    with pytest.raises(RevisionStaleError, match="revision 2, not 1"):
        revise(**change, answered=answered("normal"))


def test_the_same_revision_sent_again_is_made_once(case: Case, reader: User, now: datetime) -> None:
    reading, message = read(case, reader, "normal", now), answered("pneumonia")
    change: dict[str, Any] = {"reader": reader, "reading_id": reading.pk, "base_revision": 1, "now": now}
    assert revise(**change, answered=message) == revise(**change, answered=message)
    with pytest.raises(IdempotencyConflictError):
        revise(**change, answered=replace(message, answers={"finding": "normal"}))
    assert Revision.objects.count() == 2


def test_an_invalid_revision_changes_nothing(case: Case, reader: User, now: datetime) -> None:
    reading = read(case, reader, "normal", now)
    with pytest.raises(AnswersInvalidError):
        revise(reader=reader, reading_id=reading.pk, base_revision=1, answered=answered("cat"), now=now)
    assert Revision.objects.count() == 1


def test_nobody_revises_another_s_reading(case: Case, reader: User, project: Project, now: datetime) -> None:
    reading = read(case, reader, "normal", now)
    other = factories.a_reader(project)
    with pytest.raises(Reading.DoesNotExist):
        revise(reader=other, reading_id=reading.pk, base_revision=1, answered=answered("normal"), now=now)


def test_who_is_no_reader_any_more_revises_nothing(
    case: Case, reader: User, project: Project, now: datetime
) -> None:
    reading = read(case, reader, "normal", now)
    set_membership(project=project, user=reader, role=Role.ML_STAFF)
    with pytest.raises(ForbiddenError):
        revise(reader=reader, reading_id=reading.pk, base_revision=1, answered=answered("normal"), now=now)


def test_readings_that_tie_leave_no_reference_standard_until_a_third_decides(
    case: Case, project: Project, now: datetime
) -> None:
    readers = [factories.a_reader(project) for _ in range(3)]
    read(case, readers[0], "normal", now)
    assert label_count(project.pk) == 1
    read(case, readers[1], "pneumonia", now)
    assert label_count(project.pk) == 0
    read(case, readers[2], "pneumonia", now)
    standard = ReferenceStandard.objects.get(case=case)
    assert (standard.answers, standard.readings) == ({"finding": "pneumonia"}, 3)


def test_the_last_reading_comes_back_in_its_newest_revision(project: Project, reader: User) -> None:
    cases = factories.some_cases(project, 2)
    for case in cases:
        reading = read(case, reader, "normal", timezone.now())
    change: dict[str, Any] = {
        "reader": reader,
        "reading_id": reading.pk,
        "base_revision": 1,
        "now": timezone.now(),
    }
    revise(**change, answered=answered("pneumonia"))
    last = last_revision(reader, project.pk)
    assert (last.reading.case_id, last.number) == (cases[1].pk, 2)


def test_nothing_read_means_no_last_reading(project: Project, reader: User) -> None:
    with pytest.raises(Revision.DoesNotExist):
        last_revision(reader, project.pk)


def test_readings_and_seconds_are_counted_by_reader(project: Project, reader: User, now: datetime) -> None:
    other = factories.a_reader(project)
    one, two, three = factories.some_cases(project, 3)
    read(one, reader, "normal", now)
    read(two, reader, "normal", now)
    read(three, other, "normal", now)
    counts = counts_by_reader(reader, project.pk)
    assert [(count["username"], count["readings"], count["seconds"]) for count in counts] == [
        (reader.username, 2, 4.0),
        (other.username, 1, 2.0),
    ]


def test_labels_of_grades_that_are_written_as_numbers_are_counted(now: datetime) -> None:
    project = factories.a_project(choices=[("0", "None"), ("1", "Mild")])
    for case, value in zip(factories.some_cases(project, 3, audit_share=0.0), ["0", "1", "1"], strict=True):
        read(case, factories.a_reader(project), value, now)
    assert pool_labels_by_choice(project.pk, question_learned(project.pk)) == {"0": 1, "1": 2}
