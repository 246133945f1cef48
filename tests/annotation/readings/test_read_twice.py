"""What readers read again, beside what they said at first."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.projects.models import Project
from annotation.projects.selectors import protocol_in_force
from annotation.readings.repeat_models import Repeat, RepeatRevision
from annotation.readings.selectors import read_twice
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def read_again(project: Project, count: int) -> None:
    """Have as many cases read and read again by a reader each, with another answer and a correction."""
    now = timezone.now()
    for case in factories.some_cases(project, count):
        reader = factories.a_reader(project)
        factories.a_reading(reader, case, {"finding": "normal"})
        repeat = Repeat.objects.create(case=case, project=project, reader=reader, due_at=now, done_at=now)
        for number, value in enumerate(("normal", "pneumonia"), start=1):
            RepeatRevision.objects.create(
                repeat=repeat,
                reader=reader,
                number=number,
                protocol=protocol_in_force(project.pk),
                answers={"finding": value},
                measurements={},
                seconds=5.0,
                idempotency_key=uuid4(),
                created_at=now,
            )


def test_each_case_that_was_read_again_comes_with_what_its_reader_said_at_first() -> None:
    project = factories.a_project()
    read_again(project, 3)
    colleague = factories.a_reader(project)
    for case in project.cases.all():
        factories.a_reading(colleague, case, {"finding": "pneumonia"})
    pairs = list(read_twice(project.pk))
    assert [again.repeat.case.number for _, again in pairs] == [1, 2, 3]
    assert all(first.reader_id == again.reader_id != colleague.pk for first, again in pairs)
    assert {(first.answers["finding"], again.answers["finding"]) for first, again in pairs} == {
        ("normal", "pneumonia")
    }


def test_it_costs_as_many_questions_for_many_as_for_few() -> None:
    project = factories.a_project()
    read_again(project, 2)
    with CaptureQueriesContext(connection) as few:
        assert len(list(read_twice(project.pk))) == 2
    read_again(project, 10)
    with CaptureQueriesContext(connection) as many:
        assert len(list(read_twice(project.pk))) == 12
    assert len(many) == len(few)
